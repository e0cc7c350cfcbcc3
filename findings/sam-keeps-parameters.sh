#!/usr/bin/env bash
# Guess: after "sam deploy" a stack has the parameters that samconfig.toml names, and the template's defaults for
# the others. A parameter that the template does not have is an error.
#
# What happens: SAM asks CloudFormation to keep the previous value of whatever is not named, so a parameter that is taken
# out of samconfig.toml stays as it was, for ever. A parameter that the template does not have is dropped without
# a word.
#
# Versions: aws-sam-cli 1.170.0, the newest. Seen on 2026-11-28:
#   named:     AlertEmail=support@example.com OpsEmail=(previous value)
#   taken out: AlertEmail=(previous value) OpsEmail=(previous value)
#   misspelt:  AlertEmail=(previous value) OpsEmail=(previous value)
#
# Why it matters to us: the first is why the addresses that "make deploy" asks for need no file; CloudFormation has them.
# It is also why docs/parameters.md says how to take an address away. The second would deploy a stack that alerts
# nobody, because of one letter: "ringback deploy" compares samconfig.toml with the template first.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check aws-sam-cli==1.170.0

cat > deploy.py <<'EOF'
from samcli.cli.types import CfnParameterOverridesType
from samcli.commands.deploy.deploy_context import DeployContext

template = {"Parameters": {"AlertEmail": {"Default": ""}, "OpsEmail": {"Default": ""}}}
for case, overrides in {
    "named": "AlertEmail=support@example.com",
    "taken out": "",
    "misspelt": "AlertEmial=support@example.com",
}.items():
    values = CfnParameterOverridesType().convert(overrides, None, None)
    sent = DeployContext.merge_parameters(template, values)
    print(f"{case + ':':10}", *(f"{p['ParameterKey']}={p.get('ParameterValue', '(previous value)')}" for p in sent))
EOF
SAM_CLI_TELEMETRY=0 venv/bin/python deploy.py | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
named:     AlertEmail=support@example.com OpsEmail=(previous value)
taken out: AlertEmail=(previous value) OpsEmail=(previous value)
misspelt:  AlertEmail=(previous value) OpsEmail=(previous value)
EOF
