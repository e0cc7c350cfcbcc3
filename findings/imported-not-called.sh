#!/usr/bin/env bash
# Guess: a Go program that imports the AWS SDK's DynamoDB package for its types, and creates no client, starts as fast
# and as small as one that does not import it. The linker drops what nobody calls.
#
# What happens: package variables are initialised whether used or not. Two packages under service/dynamodb, the schemas
# of all its operations and the table of its endpoints, allocate 0.67 MB in 3,900 pieces before main begins. The
# package of SQS, made by the same generator, takes about a third of that.
#
# Versions: aws-sdk-go-v2/service/dynamodb v1.73.1 and service/sqs v1.52.10 with Go 1.26.8 on linux/amd64. Seen on
# 2026-11-28, by GODEBUG=inittrace=1, rounded:
#   dynamodb: 0.67 MB in 3.9 thousand allocations before main
#   sqs: 0.24 MB in 1.6 thousand allocations before main
#
# Why it matters to us: it is part of every cold start, while JustCall waits for the webhook's answer, on the share of a
# processor that 256 MB of memory get. A function that only reads stream records should take their type from
# aws-lambda-go and leave the client's package out of its binary.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local
go mod init finding 2> log
go get github.com/aws/aws-sdk-go-v2/service/dynamodb@v1.73.1 github.com/aws/aws-sdk-go-v2/service/sqs@v1.52.10 \
	2>> log || { cat log; exit 1; }

for service in dynamodb sqs; do
	mkdir "$service"
	cat > "$service/main.go" <<-EOF
		package main

		import _ "github.com/aws/aws-sdk-go-v2/service/$service"

		func main() {}
	EOF
	go build -o "$service.bin" "./$service"
	GODEBUG=inittrace=1 "./$service.bin" 2>&1 | awk -v service="$service" '
		$2 ~ "/service/" service "(/|$)" {
			for (i = 1; i < NF; i++) {
				if ($(i + 1) == "bytes,") bytes += $i
				if ($(i + 1) == "allocs") allocs += $i
			}
		}
		END { printf "%s: %.2f MB in %.1f thousand allocations before main\n", service, bytes / 1e6, allocs / 1e3 }'
done | tee seen

diff - seen <<'EOF' || { echo "This has changed." >&2; exit 1; }
dynamodb: 0.67 MB in 3.9 thousand allocations before main
sqs: 0.24 MB in 1.6 thousand allocations before main
EOF
