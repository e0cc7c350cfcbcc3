#!/usr/bin/env bash
# Guess: the Rust crate phonenumber, a port of Google's libphonenumber, reads a number in E.164 as it stands. It is written
# that way so that no country's rules are needed.
#
# What happens: it takes the prefix for calls within a country off such a number too. Russia's is 8, and its toll-free numbers
# begin with 800, so +7 800 123-45-67 becomes +7 001234567, which is no number. Toll-free numbers of Lithuania and Belarus lose
# their 8 or their 80 as well. The original puts the prefix back if what remains is no number of the country. No error is
# returned, and what is given out as E.164 is not what was put in.
#
# Versions: phonenumber 0.3.10+9.0.33 (the newest) with Rust 1.95; the Python port phonenumbers 9.0.43. Known as issue 76 of
# rust-phonenumber (July 2024, open). Seen on 2026-11-30:
#   Rust   +78001234567 -> +7001234567 valid=false
#   Rust   +37080012345 -> +370012345 valid=false
#   Rust   +3758011234567 -> +37511234567 valid=false
#   Rust   +12125550123 -> +12125550123 valid=true
#   Python +78001234567 -> +78001234567 valid=true
#   Python +37080012345 -> +37080012345 valid=true
#   Python +3758011234567 -> +3758011234567 valid=true
#   Python +12125550123 -> +12125550123 valid=true
#
# Why it matters to us: our alerts give the caller in E.164, so that whoever reads them need not guess. A reader in Rust that
# normalises the number once more calls nobody back, and finds no earlier call of the same caller. What is in E.164 already is
# compared as text.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check phonenumbers==9.0.43

mkdir src
cat > Cargo.toml <<'EOF'
[package]
name = "finding"
version = "0.1.0"
edition = "2021"

[dependencies]
phonenumber = "=0.3.10"
EOF
cat > src/main.rs <<'EOF'
use phonenumber::Mode;

fn main() {
    for e164 in ["+78001234567", "+37080012345", "+3758011234567", "+12125550123"] {
        let number = phonenumber::parse(None, e164).unwrap();
        println!("Rust   {} -> {} valid={}", e164, number.format().mode(Mode::E164), number.is_valid());
    }
}
EOF
cat > main.py <<'EOF'
import phonenumbers as p

for e164 in ["+78001234567", "+37080012345", "+3758011234567", "+12125550123"]:
    number = p.parse(e164)
    valid = str(p.is_valid_number(number)).lower()
    print(f"Python {e164} -> {p.format_number(number, p.PhoneNumberFormat.E164)} valid={valid}")
EOF

export CARGO_HOME="$dir/cargo" CARGO_TARGET_DIR="$dir/target"
{
	cargo run --quiet
	venv/bin/python main.py
} | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
Rust   +78001234567 -> +7001234567 valid=false
Rust   +37080012345 -> +370012345 valid=false
Rust   +3758011234567 -> +37511234567 valid=false
Rust   +12125550123 -> +12125550123 valid=true
Python +78001234567 -> +78001234567 valid=true
Python +37080012345 -> +37080012345 valid=true
Python +3758011234567 -> +3758011234567 valid=true
Python +12125550123 -> +12125550123 valid=true
EOF
