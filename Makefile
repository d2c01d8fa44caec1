# `make` lists the targets. The same flags build everywhere: a cache filled by one
# target serves the others, and CI tests what a developer tested.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# -trimpath and no VCS stamp: the same source gives the same binary wherever it
# lies. cgo is left to Go, which uses it where there is a C compiler; without
# one everything builds but PKCS#11.
#
# The tags leave out what nothing here calls: gin's codec for MessagePack and the
# pages on which grpc shows its calls. scripts/release.sh reads them from here. The
# code does not know them: it builds, and is tested, as well without.
TAGS    := grpcnotrace,nomsgpack
FLAGS   := -trimpath -buildvcs=false -tags=$(TAGS)
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)

# -s -w: without tables for a debugger, a quarter of the file. Panics and profiles
# have their names and lines from tables of the runtime's own. DEBUG=1 keeps them.
LDFLAGS := $(if $(DEBUG),,-s -w )-X main.version=$(VERSION)

# What tests must find on this machine instead of skipping what needs it: small
# disks to fill up, and those that lose their power, can only be mounted by root.
REQUIRE ?= softhsm,p11-kit,node,anvil,mailpit,chromium$(if $(filter 0,$(shell id -u)),$(comma)tmpfs$(if $(wildcard /dev/fuse),$(comma)fuse))
comma   := ,

# The module's version, as `go help environment` says, and who uses it.
GOFIPS140 ?= v1.0.0
CRYPTO    := ./hsm/... ./store ./vault/... ./appliance/seal ./appliance/tlsconf ./appliance/attest ./appliance/backup

FUZZTIME  ?= 30s
BENCHTIME ?= 1s
BENCH     ?= .

TOOL := go tool -modfile=tools/go.mod

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: deps
deps: ## Install what building and testing needs (Debian; elsewhere: say what it is)
	@scripts/deps.sh test

.PHONY: run-deps
run-deps:
	@scripts/deps.sh run

.PHONY: build
build: ## Build bin/oneclawd, and bin/oneclaw, which needs no C
	go build $(FLAGS) -ldflags '$(LDFLAGS)' -o bin/oneclawd ./cmd/oneclawd
	CGO_ENABLED=0 go build $(FLAGS) -ldflags '$(LDFLAGS)' -o bin/oneclaw ./cmd/oneclaw

.PHONY: dev
dev: run-deps build ## Run a daemon to play with: sets up a token, shows the main job once, keeps serving
	bin/oneclawd dev --tour --data dev-data

.PHONY: test
test: deps vet unit e2e ## Run everything CI runs: vet, all tests under the race detector, the built binary

.PHONY: vet
vet:
	go vet $(FLAGS) ./...

.PHONY: unit
unit: build
	ONECLAW_REQUIRE=$(REQUIRE) ONECLAW_BINARY=$(CURDIR)/bin/oneclawd go test $(FLAGS) -race -vet=off -timeout=20m $$(go list ./... | grep -v /internal/e2e$$)

.PHONY: e2e
e2e: build ## Test the built binary from outside, on a SoftHSM token
	ONECLAW_REQUIRE=$(REQUIRE) ONECLAW_BINARY=$(CURDIR)/bin/oneclawd go test $(FLAGS) -count=1 -parallel=3 -timeout=40m ./internal/e2e

.PHONY: e2e-geth
e2e-geth: build ## Test transactions on geth as well, a node stricter than anvil; it is built once, within minutes
	@version=$$(go list -m -f '{{.Version}}' github.com/ethereum/go-ethereum); \
	geth=$(CURDIR)/bin/geth-$$version; \
	test -x $$geth || { GOBIN=$(CURDIR)/bin go install github.com/ethereum/go-ethereum/cmd/geth@$$version; mv bin/geth $$geth; }; \
	export ONECLAW_REQUIRE=softhsm,node ONECLAW_GETH=$$geth ONECLAW_BINARY=$(CURDIR)/bin/oneclawd; \
	go test $(FLAGS) -count=1 ./intents/node; \
	go test $(FLAGS) -count=1 -timeout=20m -run='^(TestTransactions|TestTransactionsKilled|TestResidentKey|TestClientTransactions)$$' ./internal/e2e

.PHONY: e2e-llama
e2e-llama: build ## Test Shroud before llama.cpp, which npm installs once, with 130 MB
	ONECLAW_REQUIRE=softhsm,llama ONECLAW_BINARY=$(CURDIR)/bin/oneclawd go test $(FLAGS) -count=1 -run='^TestLocalModel$$' ./internal/e2e

.PHONY: check
check: ## Lint: formatting, modules, golangci-lint, the published API description
	@test -z "$$(gofmt -l .)" || { echo "gofmt wants to change:"; gofmt -l .; exit 1; }
	go mod tidy -diff
	go test $(FLAGS) -run='^TestGoldens$$' ./appliance/httpapi
	$(TOOL) golangci-lint run

.PHONY: openapi
openapi: ## Write docs/openapi.json and docs/surface.txt anew from the code
	go test $(FLAGS) -count=1 -run='^TestGoldens$$' ./appliance/httpapi -update

.PHONY: release
release: ## Build bin/release: stripped binary, bill of materials, Debian package, checksums; with RELEASE_KEY_FILE a signed bundle
	@scripts/deps.sh release
	scripts/release.sh bin/release

.PHONY: reproducible
reproducible: ## Build the release twice, in different surroundings, and compare
	@scripts/deps.sh release
	scripts/reproducible.sh

.PHONY: package-test
package-test: release ## Test the Debian package: what is in it, its service, its maintainer scripts
	scripts/package-test.sh bin/release

.PHONY: image
image: ## Build bin/image: kernel and initrd of a confidential VM, with EXTRA; with OVMF its measurement
	@ls bin/release/*.deb >/dev/null 2>&1 || $(MAKE) release
	EXTRA='$(EXTRA)' OVMF='$(OVMF)' VCPUS='$(VCPUS)' VCPU_TYPE='$(VCPU_TYPE)' scripts/image.sh bin/image

.PHONY: fips
fips: ## Build bin/fips/oneclawd with the FIPS 140-3 module of Go, and test with it what does cryptography
	GOFIPS140=$(GOFIPS140) go build $(FLAGS) -ldflags '$(LDFLAGS)' -o bin/fips/oneclawd ./cmd/oneclawd
	GOFIPS140=$(GOFIPS140) ONECLAW_REQUIRE=softhsm,p11-kit go test $(FLAGS) -vet=off -timeout=15m $(CRYPTO)

.PHONY: fuzz
fuzz: ## Run each fuzz target for FUZZTIME (30s)
	scripts/fuzz.sh $(FUZZTIME) $(FLAGS)

.PHONY: bench
bench: build ## Run the benchmarks that match BENCH (all) and keep the figures in bin/bench.txt
	ONECLAW_BINARY=$(CURDIR)/bin/oneclawd go test $(FLAGS) -run='^$$' -bench='$(BENCH)' -benchmem -benchtime=$(BENCHTIME) -timeout=60m ./... \
		| grep -v -e 'no test files' -e '^PASS' -e '^ok' | tee bin/bench.txt

.PHONY: names
names: ## Write the lists of names of the detector of personal data anew from the npm package they come from
	scripts/names.sh

.PHONY: vocabulary
vocabulary: ## Write the tokens of OpenAI's models anew from the module that they come from
	go run $(FLAGS) ./shroud/tokens/vocabulary shroud/tokens/vocabulary.bin

.PHONY: train
train: ## Make the weights of the injection scorer anew from DATA (JSON lines); LOSO=1 also prints how left-out sources fare
	go run $(FLAGS) ./shroud/detect/injection/train $(if $(LOSO),-loso) -o shroud/detect/injection/weights.bin $(DATA)

.PHONY: eval
eval: ## Measure the inspection engine on DATA (JSON lines): what it finds and misses, by source and kind, and its speed
	go run $(FLAGS) ./shroud/detect/evaluate $(DATA)

.PHONY: clean
clean: ## Remove what was built and the data of `make dev`
	rm -rf bin dev-data
