# What can be done here: make help.
#
# Needed on the machine: Go, a C compiler (for the race detector), Node with
# npm, and make. Works with the make that macOS ships (3.81).

GO      ?= go
NPM     ?= npm
COUNT   ?= 20
ARCH    ?= amd64
PATHS   ?= .
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# Each folder with a package-lock.json is installed by itself: Azurite, and the
# outside checks, which are programs and libraries that others wrote.
LOCKS     := $(wildcard internal/local/*/package-lock.json test/outside/*/package-lock.json)
INSTALLED := $(LOCKS:%/package-lock.json=%/node_modules/.package-lock.json)

# The benchmark, with the engines that it compares with.
BENCH := bench

# The checker of infra/.
BICEPCHECK := infra/tools/bicepcheck

LINTER := $(GO) tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be done here
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z-]+:[^#]*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: deps
deps: $(INSTALLED) ## Fetch what is needed: Go modules, Azurite, the outside checks
	$(GO) mod download
	cd $(BENCH) && $(GO) list -deps -test ./... >/dev/null

# npm writes this file last and of itself; touching it makes it newer than the
# lock also where npm found nothing to do.
%/node_modules/.package-lock.json: %/package-lock.json
	cd $* && $(NPM) ci --no-audit --no-fund
	@touch $@

.PHONY: build
build: bin/azbackupflow ## Build everything, and the command line to bin/azbackupflow
	$(GO) build ./...

# As the packaged program is built, so that both share what they compile.
.PHONY: bin/azbackupflow
bin/azbackupflow:
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/azbackupflow

.PHONY: package
package: ## Assemble dist/ (what the host loads), dist.zip (deployed; ARCH=arm64 for that) and its bill of materials
	CGO_ENABLED=0 $(GO) run -trimpath ./internal/packaging/cmd -version $(VERSION) -arch $(ARCH)

.PHONY: demo
demo: deps bin/azbackupflow package ## Run every flow on the local stack and show how it goes
	bin/azbackupflow demo

.PHONY: local
local: deps bin/azbackupflow package ## Keep the local stack up until Ctrl-C
	bin/azbackupflow local

.PHONY: test
test: deps ## Run every test: unit, end to end, outside checks
	$(GO) test -race -parallel 4 -skip '^TestModel' -timeout 12m ./...
	$(GO) test -run '^TestModel' -timeout 5m ./internal/engine # no goroutines, and the race detector would take minutes over them
	cd $(BENCH) && $(GO) test -timeout 5m ./... # without the race detector: sqlite in Go takes minutes to build with it

.PHONY: soak
soak: deps ## Run every test COUNT times (20), then end to end on slow stand-ins, to find the unsteady ones
	$(GO) test -race -parallel 4 -skip '^TestModel' -count=$(COUNT) -timeout 4h ./...
	AZBACKUPFLOW_DEEP=1 $(GO) test -run '^TestModel' -timeout 1h ./internal/engine
	$(GO) test -race -parallel 4 -timeout 1h ./test/e2e -slow

# One command from measuring to the page: nothing in docs/performance.md is
# written by hand. It takes about ten minutes and wants a machine to itself.
.PHONY: bench
bench: deps ## Measure beside other engines, write docs/performance.md
	cd $(BENCH) && $(GO) run . && $(GO) run . report

.PHONY: microbench
microbench: deps ## Run the benchmarks of single functions
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: simulate
simulate: ## Simulate a night of 100,000 backups, and write docs/simulation.md anew
	$(GO) run ./generate/simulate/cmd -page docs/simulation.md $(SIMULATE)

.PHONY: cost
cost: deps ## Count what each flow makes on the local stack, and write docs/cost.md anew
	$(GO) test -run '^TestCost_' ./test/e2e -update
	$(GO) test -run '^TestPage_' ./generate/cost -update

.PHONY: lint
lint: ## Run the linters (the first time builds them, which takes minutes)
	$(LINTER) run ./...
	cd tools && $(GO) tool golangci-lint run ./...
	cd $(BENCH) && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --config $(CURDIR)/.golangci.yml ./...
	cd $(BICEPCHECK) && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --config $(CURDIR)/.golangci.yml ./...

.PHONY: check
check: format-check tidy-check vet lint docs-check infra-check test ## Everything that CI runs

.PHONY: format-check
format-check:
	@bad=$$(gofmt -l $$($(GO) list -f '{{.Dir}}' ./...) tools infra $(BENCH)); test -z "$$bad" || { echo "gofmt would change:"; echo "$$bad"; exit 1; }

# The tools module is not checked: its sums are those that `go get -tool` wrote,
# enough to build the linters but not to run the tests of their dependencies.
# Nor is the benchmark's: that would fetch what the other engines test with.
.PHONY: tidy-check
tidy-check:
	$(GO) mod tidy -diff
	cd $(BICEPCHECK) && $(GO) mod tidy -diff

# A module of its own: it needs a parser in C, and Azure's resource types, which
# the first run fetches from Go's module proxy (25 MB); after that it is offline.
.PHONY: infra-check
infra-check: ## Check infra/ against Azure's resource types and against the code, offline
	cd $(BICEPCHECK) && $(GO) vet ./... && $(GO) test ./... && $(GO) run . $(CURDIR)

.PHONY: vet
vet:
	$(GO) vet ./...
	cd $(BENCH) && $(GO) vet ./...

.PHONY: docs-check
docs-check:
	cd tools && $(GO) test ./doccheck && $(GO) run ./doccheck ..

# PATHS limits the check: make prose PATHS="internal/arm docs".
.PHONY: prose
prose: ## Report wordings that docs and comments avoid (PATHS=. limits where)
	@cd tools && $(GO) run ./doccheck -prose $(addprefix ../,$(PATHS))

.PHONY: clean
clean: ## Remove what was built, fetched or left by the local stack
	rm -rf bin dist dist.zip dist.zip.cdx.json .local $(INSTALLED:%/.package-lock.json=%)
