# Needs Go and make; "make check" also needs Node 20 with npm and Python 3.11. Targets install every other
# tool under .tools/ on first use, at the version pinned there.

AGAINST       ?= d419823
CONFIG_ENV    ?= default
FUNCTION      ?= webhook
IMPORT_CALLS  ?= 100000
LOCAL_HOST    ?= 127.0.0.1
# A number of runs, not a time: with a time, "go test" sometimes fails with "context deadline exceeded",
# whatever the code does.
FUZZTIME      ?= 100000x
FUZZ          := events/FuzzDecode events/FuzzFold events/FuzzPhoneNumber events/FuzzRepair events/FuzzVerify internal/ingest/FuzzHandle \
	internal/alert/FuzzMessage internal/alert/FuzzSMS internal/alert/FuzzClean internal/hours/FuzzParse \
	internal/lambda/spill/FuzzEveryBodyComesBackAsItWas internal/lambda/spill/FuzzDecodeRefusesOrComesBack \
	internal/lambda/stream/FuzzInvoke internal/phone/FuzzCanonical internal/table/itemjson/FuzzDecode
OUTAGE        ?= 60s
# It waited 4 s for a table that hangs, each time. Empty: only the tree's own build is played.
OUTAGE_AGAINST ?= 276eced
# "on" runs the tests in random order, and all of them: the go command keeps no results of such runs.
SHUFFLE       ?=
STACK         ?= ringback
STORM         ?= --deliveries 100000 --duplicates 30 --strays 2 --faults 5 --kills 3 --seed 1
STORM_DEAD    ?= 20000
STORM_FUNCTIONS ?= 5000

FUNCTION_alerts  := AlertsFunction
FUNCTION_drain   := DrainFunction
FUNCTION_escalate := EscalateFunction
FUNCTION_reconcile := ReconcileFunction
FUNCTION_webhook := WebhookFunction

GOLANGCI := .tools/bin/golangci-lint
DYNALITE := .tools/node_modules/.package-lock.json
AXE      := $(DYNALITE)
MOTO     := .tools/moto-venv/installed
VENV     := .tools/venv/installed
SAM      := .tools/venv/bin/sam
CFN_LINT := .tools/venv/bin/cfn-lint

# An emulator of AWS. Its licence is the AGPL: it is a program of its own, and nothing of it is linked or shipped.
FAKECLOUD_VERSION := 0.51.0
FAKECLOUD := .tools/fakecloud/bin/fakecloud

BENCH_NODE := .tools/bench/node_modules/.package-lock.json
BENCH_VENV := .tools/bench/venv/installed
BENCH_GO   := -run '^$$' -bench . -benchmem -benchtime 30ms -count 6
# Of the Go benchmarks that run on every sample, call.completed stands for all.
BENCH_SHOWN := ".unit:(sec/op OR B/op OR allocs/op) (-.fullname:/[.]/ OR .fullname:/call[.]completed/)"

# With AWS_CA_BUNDLE set, the AWS SDK refuses a custom HTTP client. Local runs need no bundle.
LOCAL := env -u AWS_CA_BUNDLE

# Otherwise the race detector makes each test program sleep for a second at its end. Tests and the linker have
# memory enough to collect garbage less often, which saves a fifth of the time.
TESTING := $(LOCAL) GORACE=atexit_sleep_ms=50 GOGC=400

# The race detector needs a C compiler; without one the tests run without it.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)

# Packages that only reckon, in which the tests would spend most of their time with the race detector. None may
# use sync/atomic or a sync.Once, not even through sync.OnceValue: the detector would not see what these order.
RACELESS_PACKAGES := compress/flate regexp regexp/syntax strconv unicode unicode/utf8 \
	github.com/go-json-experiment/json/jsontext github.com/go-json-experiment/json/internal/jsonwire \
	github.com/nyaruka/phonenumbers $(addprefix github.com/ringback/ringback/internal/,followup hours phone proof/scale \
	table/attr table/itemjson words)
RACELESS = $(if $(RACE),$(RACELESS_PACKAGES:%=-gcflags=%=-race=false))

# The packages whose tests try fewer cases with -short, those with pgregory.net/rapid without asking, and those that the race
# detector builds from other files.
SIZED = $(shell { grep -rlE --include='*_test.go' 'testing\.Short|pgregory\.net/rapid' cmd events functions internal; \
	grep -rlE --include='*.go' '^//go:build .*race' functions internal; } | xargs -n 1 dirname | sort -u | sed 's,^,./,')

PYTHON_NEEDED = @python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "install Python 3.11 or later, as python3"; exit 1; }

# Lambda's processor, by the name of the template's parameter; Go has other names for the two. SAM does not
# tell a Makefile what the parameter is.
ARCHITECTURE := $(or $(ARCHITECTURE),$(shell sed -n '/^  Architecture:$$/,/^    Default: /s/^    Default: //p' template.yaml))
GOARCH_arm64  := arm64
GOARCH_x86_64 := amd64
LAMBDA_GOARCH  = $(or $(GOARCH_$(ARCHITECTURE)),$(error ARCHITECTURE=$(ARCHITECTURE) is neither arm64 nor x86_64))

export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help bench bench-quick bench-serve bench-test browser build build-AlertsFunction build-DrainFunction build-EscalateFunction build-ReconcileFunction \
	build-WebhookFunction \
	check clean conformance cover demo deploy dynalite fmt fuzz generate guards lint logs moto outage pictures promises rehearse run sam-build scale storm storm-dead storm-functions storm-import test test-whole tidy validate webhook-url

help: ## show this list
	@awk -F ':.*## ' '/^[A-Za-z%-]+:.*## / { printf "  %-15s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

bench: $(BENCH_NODE) $(BENCH_VENV) ## compare the webhook function with others, and write docs/benchmarks.md
	mkdir -p .build/bench
	$(LOCAL) go test $(BENCH_GO) ./events ./internal/table ./internal/lambda/gateway > .build/bench/go.txt
	$(LOCAL) go test -C internal/proof/bench $(BENCH_GO) ./standin >> .build/bench/go.txt
	go -C internal/proof/bench tool benchstat -filter $(BENCH_SHOWN) ../../../.build/bench/go.txt > .build/bench/parts.txt
	$(LOCAL) go run -C internal/proof/bench . -rounds 20 -docs ../../../docs $(ARGS)

bench-quick: ## compare it with plain Go only, in less than a minute
	$(LOCAL) go run -C internal/proof/bench . -contenders floor,ringback,plain -rounds 8 $(ARGS)

bench-test: $(GOLANGCI) ## lint and test the benchmark, a module of its own
	cd internal/proof/bench && LOG_LEVEL=error ../../../$(GOLANGCI) run && $(LOCAL) go test ./... && go mod tidy -diff

bench-serve: build ## measure "serve" in turns with the build of AGAINST (ARGS="-n 1000000 -c 64 -every 100000")
	$(LOCAL) go run ./internal/proof/servebench -against "$(AGAINST)" $(ARGS)

browser: $(AXE) ## look at the page in Chromium, and for what keeps people from using it; fail if there is no Chromium
	$(LOCAL) BROWSER_TESTS=required go test -count=1 ./internal/proof/inboxtest

build: ## build the command line into .build/
	@go build -o .build/ringback ./cmd/ringback

# Called by "sam build". The flags make the binary a third of its default size. With -buildvcs=false a
# commit that does not change the code does not change the binary, so nothing new is deployed. The checksum
# changes the package when parameters change, so that a version with the new ones is published: those of
# samconfig.toml, or those that "ringback deploy" asked for.
build-WebhookFunction build-AlertsFunction build-DrainFunction build-EscalateFunction build-ReconcileFunction: build-%Function:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_GOARCH) go build -trimpath -buildvcs=false \
		-tags lambda.norpc -ldflags "-s -w" -o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(shell echo $* | tr A-Z a-z)
	{ cat samconfig.toml; echo "$$RINGBACK_PARAMETERS"; } | cksum > "$(ARTIFACTS_DIR)/parameters.cksum"

check: lint bench-test validate sam-build conformance ## lint, validate, build for Lambda, test on dynalite and moto, check go.mod
	go mod tidy -diff

clean: ## remove build output, but not the tools
	rm -rf .build .aws-sam

conformance: $(DYNALITE) $(MOTO) ## test the stores and the real functions on dynalite and moto
	$(TESTING) .tools/conformance $(RACE) $(RACELESS) -short

cover: ## run the tests and print the coverage
	@mkdir -p .build
	$(LOCAL) go test -coverprofile=.build/cover.out -coverpkg=./... ./... && go tool cover -func=.build/cover.out | tail -n 1

demo: build ## post the nine samples to a local stack; fail unless all are stored and two alerted
	$(LOCAL) .build/ringback demo

deploy: build $(VENV) ## deploy to your AWS account (CONFIG_ENV=prod for the second stack)
	@.build/ringback deploy --sam $(SAM) --config-env $(CONFIG_ENV) $(ARGS)

dynalite: $(DYNALITE) ## run a DynamoDB stand-in on port 8000, for "sam local invoke"
	.tools/node_modules/.bin/dynalite --host $(LOCAL_HOST) --port 8000

fmt: $(GOLANGCI) ## format the Go code
	$(GOLANGCI) fmt

fuzz: $(FUZZ:%=fuzz/%) ## run each fuzz target for FUZZTIME, such as 100000x or 30m

fuzz/%:
	go test -run '^$$' -fuzz '^$(notdir $*)$$' -fuzztime $(FUZZTIME) -fuzzminimizetime 10x ./$(@D:fuzz/%=%)

guards: $(DYNALITE) $(MOTO) ## remove each guard of a promise in turn; fail unless a test notices (ARGS="-promise 2")
	$(LOCAL) node .tools/with-stand-ins.js go run ./internal/proof/mutation $(ARGS)

invoke-%: sam-build ## run FUNCTION in Docker on one of its samples, such as invoke-call.missed
	$(SAM) local invoke $(FUNCTION_$(FUNCTION)) -e events-samples/$(FUNCTION)/$*.json --region us-east-1 \
		--parameter-overrides Architecture=$(ARCHITECTURE) --env-vars docs/sam-local-env.json --add-host host.docker.internal:host-gateway

lint: $(GOLANGCI) ## lint the Go code
	$(GOLANGCI) run

logs: $(VENV) ## follow the logs of the stack STACK
	$(SAM) logs --stack-name $(STACK) --tail

moto: $(MOTO) ## run a stand-in for SNS, SQS and Secrets Manager on port 5050, for "sam local invoke"
	.tools/moto-venv/bin/python .tools/moto-server.py --host $(LOCAL_HOST) --port 5050 \
		--topic ringback-local --queue ringback-local --secret ringback-local '{"key": "", "secret": ""}'

outage: $(DYNALITE) $(MOTO) ## take the table down for OUTAGE under load, then let it hang, as the build of OUTAGE_AGAINST too; fail if a delivery is lost
	$(LOCAL) OUTAGE=$(OUTAGE) OUTAGE_AGAINST=$(OUTAGE_AGAINST) node .tools/with-stand-ins.js \
		go test -count=1 -v -run '^(TestPromise1_NothingIsLostWhileTheTableIsDown|TestATableThatHangsLosesNothing)$$' ./internal/proof/e2e

promises: $(DYNALITE) $(MOTO) ## test the promises, on the real functions too
	$(LOCAL) .tools/promises $(ARGS)

rehearse: build $(FAKECLOUD) $(VENV) ## deploy to an emulator of AWS, without Docker; fail at the first thing that does not hold there
	$(LOCAL) go run ./internal/proof/rehearsal --fakecloud $(FAKECLOUD) --fakecloud-version $(FAKECLOUD_VERSION) --sam $(SAM) $(ARGS)

run: build ## start the local stack, post the nine samples, keep serving
	$(LOCAL) .build/ringback serve --demo $(ARGS)

pictures: ## make the pictures of the page in docs/ anew
	$(LOCAL) BROWSER_TESTS=required go test -count=1 -run '^TestPictures$$' ./internal/proof/inboxtest -pictures "$(CURDIR)/docs"

sam-build: $(VENV) ## build the functions for Lambda
	$(SAM) build

generate: $(VENV) ## regenerate the table's schema, the functions' events in events-samples/ and the time zones
	.tools/venv/bin/python .tools/zoneinfo.py internal/zone/zoneinfo.zip
	go test ./internal/table/schema -update
	go test ./internal/lambda/gateway ./internal/proof/eventsource ./internal/lambda/spill -run TestSamples -update

scale: ## print the tables of docs/scale.md
	@go run ./internal/proof/scale/cmd

storm: build ## play JustCall against a local stack (flags: STORM); fail if anything is lost or alerted twice
	$(LOCAL) go run ./internal/proof/storm --ringback .build/ringback $(STORM)

storm-dead: ## STORM_DEAD calls while the webhook is dead for a day, by a simulated clock; fail unless the reconciler finds all
	$(LOCAL) go test -count=1 -v -timeout 24h -run '^TestPromise12_ADayWithoutWebhookLeavesNoTrace$$' ./internal/reconcile -storm-calls $(STORM_DEAD)

storm-functions: $(DYNALITE) $(MOTO) ## the same against the real functions, while AWS fails and functions are killed
	$(LOCAL) STORM_FUNCTIONS=$(STORM_FUNCTIONS) node .tools/with-stand-ins.js \
		go test -count=1 -v -timeout 24h -run '^TestAStormOnTheRealFunctions$$' ./internal/proof/e2e

storm-import: ## import IMPORT_CALLS calls of three months by a simulated clock, killed twenty times; fail unless all are there
	$(LOCAL) go test -count=1 -v -timeout 24h -run '^TestPromise12_AnImportThatIsKilledComesToTheSame$$' ./internal/reconcile -import-calls $(IMPORT_CALLS)

test: ## run the tests that a change touches, with the race detector, and those that try thousands of cases with fewer
	$(if $(RACE),,@echo "no C compiler found: testing without the race detector")
	$(TESTING) go test $(RACE) $(RACELESS) -short $(SHUFFLE:%=-shuffle=%) -p 6 ./...

test-whole: ## run those that try thousands of cases in full size, without the race detector
	$(TESTING) go test -vet=off -shuffle=on -p 6 $(SIZED)

tidy: ## tidy both go.mod files
	go mod tidy
	go -C internal/proof/bench mod tidy

validate: $(VENV) ## validate the templates
	$(SAM) validate --lint
	$(CFN_LINT) template.yaml docs/slack.yaml

webhook-url: build ## print the webhook URL of the stack STACK, to paste into JustCall
	@.build/ringback webhook-url --stack $(STACK)

$(GOLANGCI): .tools/go.mod .tools/go.sum
	go build -C .tools -o bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint

$(DYNALITE): .tools/package.json .tools/package-lock.json
	@command -v npm >/dev/null || { echo "npm is not installed: install Node 20 or later"; exit 1; }
	npm ci --prefix .tools --no-audit --no-fund
	touch $@

# Optimised little, because the time to build it counts more than its speed. The target folder stays until all is built, so
# that cargo goes on where it stopped.
$(FAKECLOUD):
	@command -v cargo >/dev/null || { echo "cargo is not installed: install Rust, from https://rustup.rs"; exit 1; }
	@echo "Building fakecloud $(FAKECLOUD_VERSION), an emulator of AWS. It takes about 40 minutes on two cores, once, and 3 GB of disk and of memory meanwhile."
	@echo "Ended early, by Ctrl-C too, it goes on where it stopped."
	CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_OPT_LEVEL=1 cargo install fakecloud --locked \
		--version $(FAKECLOUD_VERSION) --root .tools/fakecloud --target-dir .tools/fakecloud/target
	rm -rf .tools/fakecloud/target

$(BENCH_NODE): internal/proof/bench/contenders/node/package.json internal/proof/bench/contenders/node/package-lock.json
	@command -v npm >/dev/null || { echo "npm is not installed: install Node 20 or later"; exit 1; }
	mkdir -p .tools/bench
	cp $^ .tools/bench/
	npm ci --prefix .tools/bench --no-audit --no-fund
	touch $@

$(BENCH_VENV): internal/proof/bench/contenders/python/requirements.txt
	$(PYTHON_NEEDED)
	python3 -m venv .tools/bench/venv
	.tools/bench/venv/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@

$(MOTO): .tools/moto-requirements.txt
	$(PYTHON_NEEDED)
	python3 -m venv .tools/moto-venv
	.tools/moto-venv/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@

$(VENV): .tools/requirements.txt
	$(PYTHON_NEEDED)
	python3 -m venv .tools/venv
	.tools/venv/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@
