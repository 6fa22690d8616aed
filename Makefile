# Run "make help" for the list of targets.
#
# "make unit" needs Go only. The other targets need Go, a C compiler (for the
# race detector), Node with npm, and make. make 3.81, as on macOS, is enough.

GO      ?= go
NPM     ?= npm
COUNT   ?= 20
ARCH    ?= amd64
PATHS   ?= .
MATCH   ?= .
PREFIX  ?= $(HOME)/.local
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The benchmark, with the engines that it compares with.
BENCH := bench

# Each folder with a package-lock.json is installed separately: Azurite, the outside
# checks, which run programs and libraries of other authors, and Restate's server.
LOCKS     := $(wildcard internal/local/*/package-lock.json test/outside/*/package-lock.json $(BENCH)/engines/*/package-lock.json)
INSTALLED := $(LOCKS:%/package-lock.json=%/node_modules/.package-lock.json)

# The checker of infra/.
BICEPCHECK := infra/tools/bicepcheck

LINTER := $(GO) tool -modfile=tools/go.mod golangci-lint

.DEFAULT_GOAL := help

.PHONY: help
help: ## List the targets
	@awk 'BEGIN { FS = ":[^#]*## " } /^[a-z-]+:[^#]*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Says what is missing before the first command fails for lack of it.
.PHONY: requirements
requirements:
	@GO="$(GO)" NPM="$(NPM)" sh tools/requirements/check.sh go cc node npm

.PHONY: deps
deps: requirements $(INSTALLED) ## Download dependencies: Go modules, Azurite, the outside checks, Restate
	$(GO) mod download
	cd $(BENCH) && $(GO) list -deps -test ./... >/dev/null

# npm writes this file last. Touching it makes it newer than the lock file even if
# npm had nothing to do.
%/node_modules/.package-lock.json: %/package-lock.json | requirements
	cd $* && $(NPM) ci --ignore-scripts --no-audit --no-fund
	@touch $@

.PHONY: build
build: bin/azbackupflow ## Build all packages, and the command line to bin/azbackupflow
	$(GO) build ./...

# Built with the flags of the packaged program, so that both share the build cache.
.PHONY: bin/azbackupflow
bin/azbackupflow:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-X main.version=$(VERSION)' -o $@ ./cmd/azbackupflow

.PHONY: install
install: bin/azbackupflow ## Install the command line, its man page and its completion for bash, zsh and fish (PREFIX=~/.local)
	install -d '$(PREFIX)/bin' '$(PREFIX)/share/man/man1' '$(PREFIX)/share/bash-completion/completions' \
	  '$(PREFIX)/share/zsh/site-functions' '$(PREFIX)/share/fish/vendor_completions.d'
	install -m 755 bin/azbackupflow '$(PREFIX)/bin/azbackupflow'
	bin/azbackupflow man > '$(PREFIX)/share/man/man1/azbackupflow.1'
	bin/azbackupflow completion bash > '$(PREFIX)/share/bash-completion/completions/azbackupflow'
	bin/azbackupflow completion zsh > '$(PREFIX)/share/zsh/site-functions/_azbackupflow'
	bin/azbackupflow completion fish > '$(PREFIX)/share/fish/vendor_completions.d/azbackupflow.fish'
	@echo 'Installed azbackupflow $(VERSION) to $(PREFIX)/bin.'

.PHONY: package
package: ## Build dist/, dist.zip (what is deployed; ARCH=arm64 for Arm) and its bill of materials
	CGO_ENABLED=0 $(GO) run -trimpath ./internal/packaging/cmd -version $(VERSION) -arch $(ARCH)

# The version of a snapshot: the tag, or the tag before it and the commits since then.
RELEASE ?= $(shell git describe --tags --match 'v*' --dirty 2>/dev/null || echo 0.0.0-g$$(git rev-parse --short HEAD))

# The second build must have the same checksums. CLEAN=1 gives it an empty build cache,
# so that it compiles everything again.
.PHONY: snapshot
snapshot: ## Build all artefacts of a release twice, offline, and compare them (bin/release; CLEAN=1 compiles twice)
	rm -rf bin/release bin/release-again bin/cache
	GOPROXY=off $(GO) run ./internal/packaging/cmd -release bin/release -version '$(RELEASE)' -commit "$$(git rev-parse HEAD)"
	GOPROXY=off $(if $(CLEAN),GOCACHE='$(CURDIR)/bin/cache') $(GO) run ./internal/packaging/cmd -release bin/release-again -version '$(RELEASE)' -commit "$$(git rev-parse HEAD)" >/dev/null
	cmp bin/release/checksums.txt bin/release-again/checksums.txt && cmp bin/release/provenance.intoto.json bin/release-again/provenance.intoto.json
	rm -rf bin/release-again bin/cache
	@echo 'Both builds are identical.'

.PHONY: demo
demo: deps bin/azbackupflow package ## Run every flow on the local stack and show its progress
	bin/azbackupflow demo

.PHONY: local
local: deps bin/azbackupflow package ## Run the local stack until Ctrl-C
	bin/azbackupflow local

# The packages whose tests need Go only: no Node, no C compiler. Tests that
# take long, or start other programs, skip themselves under -short.
UNIT = $(shell $(GO) list ./... | grep -vE '/internal/local/|/test/(e2e|outside)')

.PHONY: unit
unit: ## Run the unit tests in seconds, with Go alone
	@GO="$(GO)" sh tools/requirements/check.sh go
	@CGO_ENABLED=0 $(GO) test -trimpath -short -timeout 5m $(UNIT)

# One test at a time: some write files that others read. A second run passes where the
# first one has changed what a test compares.
.PHONY: golden
golden: ## Rewrite all golden files and generated pages from the code
	@for dir in $$(git grep -lE 'flag\.Bool\("update"' -- '*_test.go' ':!test' ':!bench' | xargs -n1 dirname | sort -u); do \
	  echo "$$dir"; $(GO) test -short -parallel 1 ./$$dir -update >/dev/null || $(GO) test -short -parallel 1 ./$$dir -update || exit 1; \
	done

.PHONY: diagrams
diagrams: ## Redraw docs/architecture/*.svg from their text
	cd tools && $(GO) run ./diagram $(CURDIR)/docs/architecture/*.txt

.PHONY: pictures
pictures: diagrams deps bin/azbackupflow package ## Record the demo again, and redraw all pictures of the pages
	cd tools && $(GO) build -o $(CURDIR)/bin/recording ./recording
	bin/recording record docs/pictures/demo bin/azbackupflow demo --kill -f examples/protect-file-share.json
	bin/recording draw docs/pictures/demo

.PHONY: fmt
fmt: ## Format all Go files
	gofmt -w $$($(GO) list -f '{{.Dir}}' ./...) tools infra/tools $(BENCH)

.PHONY: lint-fix
lint-fix: ## Run the linters and apply the fixes that they offer
	$(LINTER) run --fix ./...

# Tests that drive whole programs, or a large estate. They wait for processes, which
# are built without the race detector; with it they take twice as long. "make soak"
# runs them with it.
WHOLE = /cmd/azbackupflow$$|/generate/simulate$$|/internal/packaging$$|/internal/readiness/scan$$|/test/(e2e|outside/)
RACED = $(shell $(GO) list ./... | grep -vE '$(WHOLE)')

.PHONY: test
test: deps ## Run every test: unit, end to end, outside checks
	$(GO) test -race -parallel 4 -skip '^Test(Model|Histories)' -timeout 20m $(RACED)
	$(GO) test -parallel 4 -timeout 20m $$($(GO) list ./... | grep -E '$(WHOLE)')
	$(GO) test -run '^Test(Model|Histories)' -timeout 15m ./internal/engine ./test/histories # the race detector would take minutes
	cd $(BENCH) && $(GO) test -timeout 5m ./... # without the race detector: sqlite takes minutes to build with it

.PHONY: soak
soak: deps ## Run every test COUNT times (20), then end to end on a slow local stack, to find flaky tests
	$(GO) test -race -parallel 4 -skip '^Test(Model|Histories)' -count=$(COUNT) -timeout 4h ./...
	AZBACKUPFLOW_DEEP=1 $(GO) test -run '^TestModel' -timeout 1h ./internal/engine
	$(GO) test -run '^TestHistories_HoldEveryRule$$' -timeout 1h ./test/histories -seeds 100000
	$(GO) test -race -parallel 4 -timeout 1h ./test/e2e -slow

.PHONY: mutants
mutants: deps ## Run the tests against each mutant of tools/mutants/list (MATCH=internal/flow limits it)
	cd tools && $(GO) run ./mutants -v -match '$(MATCH)' $(CURDIR)

# Each commit has its own sample. It ends after 75 seconds, however many mutants are
# left.
.PHONY: mutants-check
mutants-check:
	cd tools && $(GO) run ./mutants -sample 40 -budget 75s -commit "$$(git rev-parse HEAD)" $(CURDIR)

# Generates docs/performance.md completely. It takes about fifteen minutes and needs an
# otherwise idle machine.
.PHONY: bench
bench: deps ## Benchmark against other engines, and write docs/performance.md
	cd $(BENCH) && $(GO) run . && $(GO) run . report

# Needs neither Graphviz nor a network.
.PHONY: profile
profile: deps ## Write CPU and memory profiles of a durable and an in-memory run, with flame graphs, to .local/profiles
	cd $(BENCH) && $(GO) run . -repeat 1 -contestants azbackupflow,azbackupflow-memory -live 0 -starts 0 -profiles $(CURDIR)/.local/profiles -out $(CURDIR)/.local/profiles/figures.json
	cd $(BENCH) && $(GO) run . flames -in $(CURDIR)/.local/profiles

.PHONY: microbench
microbench: deps ## Run the benchmarks of single functions
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: simulate
simulate: ## Simulate a night of 100,000 backups, and write docs/simulation.md
	$(GO) run ./generate/simulate/cmd -page docs/simulation.md $(SIMULATE)

.PHONY: cost
cost: deps ## Count the transactions of each flow on the local stack, and write docs/cost.md
	$(GO) test -run '^TestCost_' ./test/e2e -update
	$(GO) test -run '^TestPage_' ./generate/cost -update

.PHONY: lint
lint: ## Run the linters (the first run builds them, which takes minutes)
	$(LINTER) run ./...
	cd tools && $(GO) tool golangci-lint run ./...
	cd $(BENCH) && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --config $(CURDIR)/.golangci.yml ./...
	cd $(BICEPCHECK) && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run --config $(CURDIR)/.golangci.yml ./...

.PHONY: check
check: format-check tidy-check vet lint docs-check workflows-check infra-check test mutants-check ## Run everything that CI runs

.PHONY: format-check
format-check:
	@bad=$$(gofmt -l $$($(GO) list -f '{{.Dir}}' ./...) tools infra $(BENCH)); test -z "$$bad" || { echo "gofmt would change:"; echo "$$bad"; exit 1; }

# The tools module is not checked: its checksums are those that `go get -tool` wrote,
# which cover building the linters but not the tests of their dependencies. The
# benchmark's module is not checked either: that would download the test
# dependencies of the other engines.
.PHONY: tidy-check
tidy-check:
	$(GO) mod tidy -diff
	cd $(BICEPCHECK) && $(GO) mod tidy -diff

# A separate module: it needs a parser in C, and Azure's resource types, which the
# first run downloads from Go's module proxy (25 MB). Later runs are offline.
.PHONY: infra-check
infra-check: ## Check infra/ against Azure's resource types and against the code, offline
	cd $(BICEPCHECK) && $(GO) vet ./... && $(GO) test ./... && $(GO) run . $(CURDIR)

.PHONY: vet
vet:
	$(GO) vet ./...
	cd $(BENCH) && $(GO) vet ./...

.PHONY: docs-check
docs-check:
	cd tools && $(GO) test ./... && $(GO) run ./doccheck .. && $(GO) run ./doccheck -prose .. && $(GO) run ./doccheck -names .. && $(GO) run ./doccheck -gallery ..

.PHONY: workflows-check
workflows-check:
	$(GO) tool -modfile=tools/actionlint/go.mod actionlint
	$(GO) tool -modfile=tools/actionlint/go.mod actionlint examples/pipelines/github-actions.yml examples/drills/validate-drill.yml

.PHONY: prose
prose: ## Report wordings to avoid in docs and comments (PATHS=docs limits it)
	@cd tools && $(GO) run ./doccheck -prose $(addprefix ../,$(PATHS))

.PHONY: clean
clean: ## Remove build results, downloaded packages and files of the local stack
	rm -rf bin dist dist.zip dist.zip.cdx.json .local $(INSTALLED:%/.package-lock.json=%)
