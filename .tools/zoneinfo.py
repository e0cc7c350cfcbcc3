"""Writes internal/zone/zoneinfo.zip: the zones of the package tzdata that .tools/requirements.txt pins."""

import pathlib
import sys
import zipfile

import tzdata

root = pathlib.Path(tzdata.__file__).parent / "zoneinfo"
zones = {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}
with zipfile.ZipFile(sys.argv[1], "w") as archive:
    archive.comment = tzdata.IANA_VERSION.encode()
    for name, rules in sorted(zones.items()):
        if rules.startswith(b"TZif"):
            archive.writestr(zipfile.ZipInfo(name), rules, zipfile.ZIP_DEFLATED, 9)
