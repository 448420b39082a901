# Everything is made from here; `make` alone says what there is. What is made lies in build/ and .venv/, nowhere else.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

UV := 0.13.8

MACHINE_PATH := $(PATH)
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/build/uv/bin:$(PATH)
unexport VIRTUAL_ENV

.PHONY: help setup gen
help: ## what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: build/setup ## install what is missing

build/setup: pyproject.toml uv.lock
	uv sync --locked
	@mkdir -p build && touch $@

gen: setup ## generate gen/ from proto/
	buf generate
