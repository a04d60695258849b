# Two commands do everything: make demo shows the system at work, make test
# checks all of it. Both need Go, make and git, and nothing else.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --warn-undefined-variables --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help

# buf is a module of its own, so that its dependencies are not the project's.
BUF_TOOL := go tool -modfile=tools/buf/go.mod
BUF      := bin/buf
STATICCHECK = go tool -modfile=$(CURDIR)/tools/lint/go.mod staticcheck
PLUGIN   := bin/protoc-gen-svc
SERVICES := user order payment
CC       ?= cc

# The race detector needs a C compiler. .ci/run sets RACE=required.
RACE  ?= $(if $(shell command -v $(CC) 2>/dev/null),yes,no)
RACE_FLAG := $(if $(filter yes required,$(RACE)),-race,)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

## What a user of the project runs.

.PHONY: demo
demo: build ## generate, build and run the system, place real orders, stop it
	@bin/demo

.PHONY: run
run: build ## start the system and leave it running until Ctrl-C
	@bin/demo -run

.PHONY: generate
generate: third_party $(BUF) ## write generated/ and the stubs of RPCs that have no handler yet
	@echo "generate: generated/ from proto/"
	@annotations=$$(sha256sum proto/svc/v1/*.pb.go || true); $(BUF) generate --template bin/buf.gen.svc.yaml; \
	  [[ "$$annotations" == "$$(sha256sum proto/svc/v1/*.pb.go)" ]] || $(MAKE) plugin
	@$(BUF) generate --template bin/buf.gen.yaml
	@$(PLUGIN) sync --buf="$(BUF)"
	@$(PLUGIN) doc annotations > docs/annotations.md
	@$(PLUGIN) doc cli > docs/cli.md
	@$(PLUGIN) doc diagnostics > docs/diagnostics.md

.PHONY: build
build: generate ## build the services and the demo into bin/
	@echo "build: $(SERVICES)"
	@mkdir -p bin
	@go build -o bin/ $(foreach s,$(SERVICES),./generated/deploy/$(s)/cmd/$(s)) ./internal/demo

# The tools of a run. go run and go tool would look each time whether they are up to
# date, which takes longer than what they do: make looks once, for all of them, and
# gives buf copies of its templates that name what it has built.
TEMPLATES := buf.gen.yaml buf.gen.svc.yaml

$(BUF): tools/buf/go.mod tools/buf/go.sum
	@echo "build: $@ (about two minutes the first time)"
	@mkdir -p $(@D)
	@cp "$$($(BUF_TOOL) -n buf)" $@

.PHONY: plugin
plugin:
	@go build -buildvcs=false -o bin/ tool ./protoc-gen-svc
	@for template in $(TEMPLATES); do \
	  sed -E 's#\[go, tool, ([^],]+)\]#bin/\1#; s#=go tool #=bin/#; s#go, run, \./([^],]+)#bin/\1#' $$template >bin/$$template; done

# Third-party protos come out of pinned Go modules; nothing of them is committed.
.PHONY: third_party
third_party: plugin
	@$(PLUGIN) protos --third-party-only third_party

## What a contributor runs.

# Programs with hardly a goroutine, whose tests mostly run other programs. What the race
# detector would make of them costs minutes.
SEQUENTIAL := /protoc-gen-svc(/|$$)|/buf-plugin-svc$$

.PHONY: test
test: third_party ## unit, golden, generated-code and process tests; with the race detector where a C compiler is
	@$(MAKE) race-notice
	@# Once for all the tests that want it at the same time.
	@echo "buf $$($(BUF_TOOL) buf --version 2>&1) (the first time builds it, about two minutes)"
	go vet ./...
	@# -count=1: some tests build and run other programs, which the test cache cannot see.
	go test -count=1 -timeout=30m $$(go list ./... | grep -E '$(SEQUENTIAL)')
	go test -count=1 -timeout=30m $(RACE_FLAG) $$(go list ./... | grep -vE '$(SEQUENTIAL)')
ifneq ($(RACE_FLAG),)
	@# Runs of the plugin side by side share nothing.
	go test -count=1 $(RACE_FLAG) -run TestOutputs ./protoc-gen-svc
	go test -count=1 $(RACE_FLAG) ./protoc-gen-svc/internal/plugin ./protoc-gen-svc/internal/emit
	@# What the race detector makes another test of.
	go test -count=1 -run 'TestAllocations|TestAbandonedStreams' ./svc/internal/server
endif
	go test -count=1 -tags=nosqlite ./svc/database
	cd test && go vet ./... && go test -count=1 -timeout=30m ./...
	@# The runtime beside what others have for the same.
	cd svc/oracle && go vet ./... && go test -count=1 ./...

# What is done before a commit: make test without what takes long, and with the
# test cache.
STATE := git ls-files -co --exclude-standard generated services docs | xargs sha256sum 2>/dev/null

.PHONY: check
check: ## gofmt, go vet, generated files and the tests that are quick: for before a commit
	@$(MAKE) gofmt
	@before=$$($(STATE) || true); $(MAKE) generate; \
	  if ! stale=$$(diff <(echo "$$before") <($(STATE))); then \
	    printf '%s\n' "make generate has changed these: look at them, and commit them too" "$$stale"; exit 1; \
	  fi
	go vet ./...
	go test -short ./...
	cd test && go vet ./...
	cd svc/oracle && go vet ./...

.PHONY: gofmt
gofmt:
	@unformatted=$$(git ls-files -co --exclude-standard '*.go' | xargs gofmt -l); \
	  if [[ -n "$$unformatted" ]]; then echo "not gofmt'ed:"; echo "$$unformatted"; exit 1; fi

.PHONY: race-notice
race-notice:
	@if [[ -z "$(RACE_FLAG)" ]]; then \
	  printf '\n%s\n%s\n\n' '*** No C compiler found: the tests run WITHOUT the race detector.' \
	    '*** Install gcc or clang to have it.' >&2; \
	fi

.PHONY: test-postgres
test-postgres: ## the tests of everything with a database, on a PostgreSQL of their own (Debian, root)
	@SVCTEST_DATABASE=postgres scripts/with-postgres go test -count=1 ./svc/database/... ./svc/idempotency/... ./svc/outbox/... ./svctest/... ./services/... ./internal/system/...

.PHONY: image
image: ## build the images of the services, hold them to their size and to equal layers, run one (Debian, root)
	@scripts/images

.PHONY: resilience
resilience: build ## break parts of the flagship under load and write docs/resilience.md (Debian, root)
	@scripts/with-postgres bash -c 'cd test/resilience && go vet ./... && go run . -root ../..'

SIEGE ?=

.PHONY: siege
siege: ## have hostile clients besiege a replica and write docs/siege.md (Debian, root; SIEGE="1 5" for some)
	@cd test && go vet ./siege && go build -o ../bin/siege ./siege && cd .. && exec bin/siege -root . $(SIEGE)

.PHONY: e2e-api
e2e-api: ## apply every rendered manifest, and broken ones, to a Kubernetes API server (the first time builds it, minutes)
	@cd test && go vet ./e2e && go run ./e2e -root .. api

SCENARIOS ?=

.PHONY: operator
operator: ## test the operator with a Kubernetes API server and real services (the first time builds the former, minutes)
	@cd test && go build -o ../bin/e2e ./e2e
	@cd operator && go vet ./... && KUBEBUILDER_ASSETS=$$(../bin/e2e -root .. programs | tail -n 1) go test -race -count=1 -timeout 20m -parallel 10 ./...

.PHONY: e2e
e2e: ## roll, scale and break the flagship on a Kubernetes with nodes, under load (Debian, root; SCENARIOS="1 2" for some)
	@cd test && go vet ./e2e/... && go build -o ../bin/e2e ./e2e && cd .. && exec bin/e2e -root . run $(SCENARIOS)

.PHONY: e2e-full
e2e-full: ## make e2e with prometheus-operator, a Prometheus and autoscaling, and write docs/e2e.md (Debian, root)
	@$(MAKE) --no-print-directory e2e SCENARIOS="full $(SCENARIOS)"

.PHONY: corpora
corpora: ## generate for real-world protos that nobody wrote for us, and build what comes out
	@cd test/corpora && go vet ./... && go test -count=1 ./... && go run .

# What a mutant makes endless must not take all of the machine's memory.
.PHONY: mutants
mutants: third_party ## change single lines and see whether tests notice; writes docs/mutants.md
	@cd test && go vet ./mutants && { ulimit -v 16000000 2>/dev/null || true; } && go run ./mutants -root .. -o ../docs/mutants.md

.PHONY: bench-generate
bench-generate: third_party ## time the plugin for up to 1,000 services beside protoc-gen-go, and write that section of docs/benchmarks.md
	cd bench && go vet ./... && go run ./generate -root .. -o ../docs/benchmarks.md

.PHONY: bench-http
bench-http: ## time HTTP/JSON beside grpc-gateway and kratos, and write that section of docs/benchmarks.md
	cd bench && go vet ./... && go test ./... && go run ./http -o ../docs/benchmarks.md

.PHONY: protoc
protoc: third_party ## compare what protoc and buf make of the same contracts, byte for byte (Debian, root)
	@scripts/protoc-against-buf

# Both tools are built into Go's build cache, the first time.
.PHONY: manifests
manifests: ## hold every overlay against the schemas of Kubernetes and against kube-score
	@cd test && go vet ./manifests/validate && go run ./manifests/validate -root ..

.PHONY: newcomer
newcomer: $(BUF) ## play the first day of somebody who has read README.md and the guide (Debian, root)
	@cd test && go vet ./newcomer && go build -o ../bin/newcomer ./newcomer && cd .. && exec bin/newcomer -root .

.PHONY: fuzz
FUZZTIME ?= 1m
fuzz: third_party ## fuzz the plugin with arbitrary contracts, for FUZZTIME
	go test ./protoc-gen-svc -run '^$$' -fuzz FuzzGenerate -fuzztime $(FUZZTIME) -fuzzminimizetime 10x

# vet, since staticcheck passes where go.mod is not up to date.
MODULES := . test svc/oracle test/corpora test/resilience bench operator

.PHONY: lint
lint: third_party gofmt $(BUF) ## gofmt, staticcheck, buf lint, buf format
	$(BUF) lint
	$(BUF) format --diff --exit-code
	set -e; for module in $(MODULES); do (cd "$$module" && go vet ./... && $(STATICCHECK) ./...); done

.PHONY: fresh
fresh: generate ## fail if generated/ is not what the contract says
	@if [[ -n "$$(git status --porcelain)" ]]; then \
	  echo "generated files are stale: run make generate and commit the result"; git status --porcelain; git diff | head -100; exit 1; \
	fi


.PHONY: clean
clean: ## remove what was built; generated/ stays
	rm -rf bin .demo third_party
