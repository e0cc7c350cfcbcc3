#!/usr/bin/env bash
# Guess: adding github.com/nyaruka/phonenumbers to a program that uses the AWS SDK adds phonenumbers, its data and its
# dependencies, and nothing to the SDK's share.
#
# What happens: with Go 1.26 and the protobuf that phonenumbers v1.8.1 requires, v1.36.11, the SDK's share grows by 1.6 MB
# for one client, and by more for several. Go 1.26 gave reflect.Type a method named Methods; protobuf looks
# a method of this name up by reflection, so the linker keeps it, and with it every exported method of every type in the
# program: all operations of DynamoDB, not only the one that is called. protobuf v1.36.12 no longer does this, but
# "go get" of the newest phonenumbers picks the older one. See https://github.com/golang/protobuf/issues/1704.
#
# Versions: Go 1.26.8 for linux/arm64; phonenumbers v1.8.1; service/dynamodb v1.73.1. Seen on 2026-11-28:
#   SDK alone: 7.3 MB
#   with phonenumbers and protobuf v1.36.11: 13.1 MB
#   with phonenumbers and protobuf v1.36.12: 11.5 MB
#
# Why it matters to us: the alerts function has both. With v1.36.11 its binary has 17.2 MB, with v1.36.12 it has 12.9 MB.
# go.mod asks for the newer one.
set -euo pipefail

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

export GOFLAGS=-modcacherw GOMODCACHE="$dir/modules" GOTOOLCHAIN=local CGO_ENABLED=0 GOOS=linux GOARCH=arm64
go mod init finding 2> log
cat > main.go <<'GO'
package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

func main() {
	client := dynamodb.New(dynamodb.Options{Region: "us-east-1"})
	_, err := client.GetItem(context.Background(), &dynamodb.GetItemInput{})
	fmt.Println(err, phone())
}
GO
cat > with.go <<'GO'
//go:build with

package main

import "github.com/nyaruka/phonenumbers"

func phone() string {
	n, _ := phonenumbers.Parse("+14155550120", "")
	return phonenumbers.Format(n, phonenumbers.E164)
}
GO
cat > without.go <<'GO'
//go:build !with

package main

func phone() string { return "" }
GO
go get github.com/aws/aws-sdk-go-v2/service/dynamodb@v1.73.1 github.com/nyaruka/phonenumbers@v1.8.1 2>> log || { cat log; exit 1; }

size() {
	go build -trimpath -ldflags "-s -w" -tags "$1" -o program .
	wc -c < program | awk '{ printf "%.1f MB\n", $1 / 1e6 }'
}
{
	echo "SDK alone: $(size without)"
	echo "with phonenumbers and protobuf $(go list -m -f '{{.Version}}' google.golang.org/protobuf): $(size with)"
	go get google.golang.org/protobuf@v1.36.12 2>> log
	echo "with phonenumbers and protobuf $(go list -m -f '{{.Version}}' google.golang.org/protobuf): $(size with)"
} | tee seen

diff - seen <<'SEEN' || { echo "This has changed." >&2; exit 1; }
SDK alone: 7.3 MB
with phonenumbers and protobuf v1.36.11: 13.1 MB
with phonenumbers and protobuf v1.36.12: 11.5 MB
SEEN
