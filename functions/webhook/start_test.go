package main_test

import (
	"bufio"
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/ringback/ringback/internal/proof/gobuild"
	"github.com/ringback/ringback/internal/proof/lambdaruntime/lambdaruntimetest"
)

// maxInitBytes is the most that packages may allocate before main begins.
const maxInitBytes = 128 << 10

func TestPackagesMakeLittleBeforeMain(t *testing.T) {
	t.Parallel()
	start := exec.CommandContext(t.Context(), lambdaruntimetest.Path(t))
	// Without its own variables, it ends as soon as main begins.
	start.Env = []string{"GODEBUG=inittrace=1", "GOMAXPROCS=1", "GORACE=atexit_sleep_ms=0"}
	output, _ := start.CombinedOutput()

	total, packages := 0, 0
	for lines := bufio.NewScanner(bytes.NewReader(output)); lines.Scan(); {
		// init <package> @<ms> ms, <ms> ms clock, <n> bytes, <n> allocs
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || fields[0] != "init" || fields[8] != "bytes," {
			continue
		}
		n, err := strconv.Atoi(fields[7])
		if err != nil {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		const large = 64 << 10
		if n >= large {
			t.Logf("%s: %d bytes", fields[1], n)
		}
		total, packages = total+n, packages+1
	}
	t.Logf("%d packages make %d bytes", packages, total)
	if packages < 20 {
		t.Fatalf("traced %d packages only: %s", packages, output)
	}
	if total > maxInitBytes {
		t.Errorf("%d bytes are made before main, at most %d are allowed", total, maxInitBytes)
	}
}

// A linked package is initialised, used or not.
func TestLinksNothingThatItDoesNotNeed(t *testing.T) {
	t.Parallel()
	packages, err := gobuild.Packages(t.Context(), ".", nil, "-tags", "lambda.norpc")
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 100 {
		t.Fatalf("%d packages only", len(packages))
	}
	for _, path := range packages {
		for _, unwanted := range []string{
			"github.com/aws/aws-sdk-go-v2/config",
			"github.com/aws/aws-sdk-go-v2/credentials",
			"github.com/aws/aws-sdk-go-v2/feature",
			"github.com/aws/aws-sdk-go-v2/service",
			"github.com/aws/aws-lambda-go/events",
			"github.com/nyaruka/phonenumbers",
			"net/rpc",
			"html/template",
			"text/template",
		} {
			if path == unwanted || strings.HasPrefix(path, unwanted+"/") {
				t.Errorf("links %s", path)
			}
		}
	}
}
