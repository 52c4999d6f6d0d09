# Two commands do everything on a fresh Debian 12 with Python 3.11: `make run` and `make test`.
# Each step leaves a stamp in .build/, so that nothing is done twice.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMPS := .build
PATH := $(CURDIR)/$(BIN):$(PATH)
export PATH
# What shells of the terminals need from the system; without it there are none, and the rest works.
APT_TERMINAL_PACKAGES := bubblewrap busybox-static nano less
APT_TEST_PACKAGES := chromium postgresql $(APT_TERMINAL_PACKAGES)
UI_SOURCES := $(shell find ui -type f -not -path '*/node_modules/*' 2>/dev/null) package.json package-lock.json build.mjs

.DEFAULT_GOAL := help
.PHONY: help run test unit e2e lint format bench simulate clean setup setup-dev screenshots

help: ## Show what can be made
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: setup $(STAMPS)/terminal ## Set up what is missing, then serve: prints the page, the API and the kubeconfig
	@exec $(BIN)/python manage.py playground $(ARGS)

test: setup-dev ## Everything: lint, front-end tests, unit, contract and end-to-end tests
	@scripts/test.sh all

unit: setup-dev ## The fast tests alone: no processes, no browser
	@scripts/test.sh unit

e2e: setup-dev ## The tests with real clients, browsers and servers alone
	@scripts/test.sh e2e

lint: setup-dev ## Linters, types, import contracts, spelling
	@scripts/lint.sh

format: setup-dev ## Put the code in order
	@$(BIN)/ruff check --fix-only --quiet . && $(BIN)/ruff format --quiet .

bench: setup-dev ## Print the numbers of docs/benchmarks.md; takes some minutes
	@$(BIN)/python -m benchmarks $(ARGS)

simulate: setup-dev ## Play 1,000 histories of random requests and failures; takes half an hour
	@KUBEGROUND_SIMULATION_HISTORIES=1000 $(BIN)/python -m pytest -q -n auto --maxprocesses 4 tests/simulation

screenshots: setup-dev ## Take pictures of every page into docs/screenshots
	@$(BIN)/python scripts/screenshots.py

clean: ## Remove what was built and installed; data in .kubeground stays
	@rm -rf $(VENV) $(STAMPS) node_modules static/dist apimachinery/data/types.* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(STAMPS)/packages $(STAMPS)/types $(STAMPS)/texts $(STAMPS)/ui ## Install packages, build the type table, texts and the front end

setup-dev: setup $(STAMPS)/packages-dev $(STAMPS)/system
	@$(BIN)/python scripts/client_tools.py

$(BIN)/python:
	@echo "Making the virtual environment in $(VENV)"
	@scripts/venv.sh $(PYTHON) $(VENV)

$(STAMPS)/packages: requirements.txt | $(BIN)/python
	@mkdir -p $(STAMPS)
	@echo "Installing packages"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(STAMPS)/packages-dev: requirements-dev.txt $(STAMPS)/packages
	@echo "Installing what the tests need"
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

$(STAMPS)/system:
	@scripts/system-packages.sh $(APT_TEST_PACKAGES)
	@touch $@

$(STAMPS)/terminal: scripts/terminal-packages.sh
	@mkdir -p $(STAMPS)
	@scripts/terminal-packages.sh $(APT_TERMINAL_PACKAGES) && touch $@

$(STAMPS)/types: $(STAMPS)/packages $(wildcard apimachinery/schema/*.py) $(wildcard apimachinery/data/go_types*)
	@echo "Building the type table"
	@$(BIN)/python -m apimachinery.schema.build
	@touch $@

$(STAMPS)/texts: $(STAMPS)/packages $(wildcard locale/*/LC_MESSAGES/*.po)
	@$(BIN)/python -m playground.texts compile
	@touch $@

$(STAMPS)/node: package.json package-lock.json $(STAMPS)/packages
	@echo "Installing JavaScript packages"
	@$(BIN)/npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

$(STAMPS)/ui: $(STAMPS)/node $(UI_SOURCES)
	@echo "Building the front end"
	@$(BIN)/node build.mjs
	@touch $@
