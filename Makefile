# Everything is made from here; `make` alone says what there is. What is made lies in build/ and .venv/, never elsewhere.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

# Tools. uv and Go are the machine's where it has them; all else is pinned in uv.lock, the go.mod files, and here.
UV := $(shell command -v uv || echo build/uv/bin/uv)
UV_VERSION := 0.13.8
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GO_PACKAGES := ./engine/... ./lab/...

machine_path := $(PATH)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# The same for every use of Go, so that one build cache serves build, vet and tests.
export CGO_ENABLED := 0
export GOFLAGS := -trimpath -buildvcs=false
unexport VIRTUAL_ENV

.PHONY: help setup gen contract breaking stored drift build demo run bench foreign test fuzz check format lint types imports house go clean

help: ## this list
	@echo 'wagate: a WhatsApp gateway. Everything below installs what it needs first.'
	@sed -nE 's/^([a-z]+):.*## /  make \1\t/p' Makefile | expand -t 18

# ---- Setting up

setup: .venv/stamp ## install what is missing: uv, Python packages, buf, and Go and Node if the machine's are too old

.venv/stamp: pyproject.toml uv.lock | $(filter build/%,$(UV))
	@echo 'Installing the Python packages of uv.lock into .venv'
	@$(UV) sync --quiet --locked $$($(machine_go) || echo --group go) $$($(machine_node) || echo --group node)
	@touch $@

machine_go = PATH='$(machine_path)' go env GOVERSION 2>/dev/null | grep -Eq '^go(1\.(2[6-9]|[3-9][0-9])|[2-9]\.)'

machine_node = ( PATH='$(machine_path)' && command -v npm && node --version | grep -E '^v[2-9][0-9]\.' ) >/dev/null 2>&1

# Debian splits venv off Python, and forbids pip outside one.
build/uv/bin/uv:
	@echo 'Installing uv into build/uv'
	@python3 -c 'import ensurepip' 2>/dev/null || { $(apt) update && $(apt) install -y python3-venv; } >/dev/null
	@python3 -m venv --clear build/uv
	@build/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

apt = $$([ $$(id -u) = 0 ] || echo sudo) env DEBIAN_FRONTEND=noninteractive apt-get -qq

# ---- The contract

gen: setup ## write gen/ anew from proto/
	buf generate

contract: setup ## agree to the contract as it is now, which `make check` then compares with
	@[ ! -e proto/contract.binpb ] || $(MAKE) --no-print-directory stored
	@[ ! -e proto/contract.binpb ] || $(breaks) || echo 'Each of these belongs into proto/CHANGES.md.'
	buf build proto/public --exclude-source-info --output proto/contract.binpb

breaking:
	$(breaks)

breaks = buf breaking proto/public --against proto/contract.binpb

# Content and events lie in databases as bytes: they, and all they are made of, stay readable whatever else breaks.
stored:
	@mkdir -p build
	buf build proto/contract.binpb $(stored_types) --output build/stored-agreed.binpb
	buf build proto/public $(stored_types) --output build/stored.binpb
	buf breaking build/stored.binpb --against build/stored-agreed.binpb --config '{"version": "v2", "breaking": {"use": ["WIRE"]}}'

stored_types := --type wagate.v1.Content --type wagate.v1.Event

drift:
	rm -rf build/drift && buf generate --output build/drift
	@diff -rq -x __pycache__ build/drift/gen/python gen/python && diff -rq build/drift/gen/go/wagate gen/go/wagate \
	  || { echo 'gen/ is not what proto/ says: run make gen, and never edit gen/.'; exit 1; }

# ---- Building and running

build: setup ## compile engine and lab into build/
	go build -C src -o ../build/wagate-engine ./engine
	go build -C src -o ../build/wagate-lab ./lab

demo: build ## play the story in the terminal: pair, send, be answered
	wagate demo

run: build ## the same, staying up, with lines to paste
	wagate demo --stay

bench: build ## measure; prints a table and writes build/benchmarks.json
	python -m tests.benchmarks

faults: build ## kill anything at any instant; N=500 SEED=7 SESSIONS=50 MESSAGES=100000 as wanted; writes build/faults.json
	python -m tests.faults $(if $(N),--kills $(N)) $(if $(SEED),--seed $(SEED)) \
	  $(if $(SESSIONS),--sessions $(SESSIONS)) $(if $(MESSAGES),--messages $(MESSAGES)) $(if $(RATE),--rate $(RATE)) \
	  $(if $(FLEET),--fleet) $(if $(DURABLE),--durable) $(if $(LEASE),--lease $(LEASE)) $(if $(AWAY),--away $(AWAY))

# ---- Clients that others made, with which tests chat

foreign: build/baileys/stamp build/neonize/stamp ## install Baileys and neonize into build/

build/baileys/stamp: tests/foreign/baileys/package.json tests/foreign/baileys/package-lock.json .venv/stamp
	@echo 'Installing Baileys into build/baileys'
	@mkdir -p build/baileys && cp $(filter %.json,$^) build/baileys/
	@ln -sf "$$(node -p process.execPath)" $(CURDIR)/tests/foreign/baileys/driver.mjs build/baileys/
	@npm ci --prefix build/baileys --omit=peer --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

build/neonize/stamp: tests/foreign/neonize/pyproject.toml tests/foreign/neonize/uv.lock | $(filter build/%,$(UV))
	@echo 'Installing neonize into build/neonize'
	@UV_PROJECT_ENVIRONMENT=$(CURDIR)/build/neonize $(UV) sync --quiet --locked --project tests/foreign/neonize
	@touch $@

# ---- Judging

test: build foreign ## run all tests
	WAGATE_TESTS_NEED_POSTGRES=1 go test -C src $(GO_PACKAGES)
	pytest

# What is found lies beside the test that found it, in testdata/fuzz, and belongs into the repository with its mend.
TIME ?= 5m

fuzz: setup ## feed strange bytes to all that decodes them, each for TIME=5m
	@grep -rEl '^func Fuzz' src/engine src/lab --include='*_test.go' | while read -r file; do \
	  grep -oE '^func Fuzz[A-Za-z0-9]+' "$$file" | cut -c6- | while read -r target; do \
	    echo "$$target"; \
	    go test -C src -run '^$$' -fuzz "^$$target\$$" -fuzztime $(TIME) "./$$(dirname "$${file#src/}")" </dev/null; \
	  done; \
	done

check: setup format lint types imports house go breaking stored drift ## judge format, lint, types, imports, sizes, contract, gen/

format:
	ruff format --check
	buf format --diff --exit-code proto/public
	buf format --diff --exit-code proto/private

lint:
	ruff check
	buf lint

types:
	mypy

imports:
	lint-imports --no-logo

house:
	pytest -q tests/house

go:
	cd src && unformatted=$$("$$(go env GOROOT)/bin/gofmt" -l engine lab) && { [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted"; exit 1; }; }
	go vet -C src $(GO_PACKAGES)
	go run -C src $(STATICCHECK) $(GO_PACKAGES)

clean: ## remove what was made
	rm -rf build .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
