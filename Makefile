# What is done with roomcast while working on it. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CARGO ?= cargo
NPM ?= npm
NPM_CI := $(NPM) ci --no-audit --no-fund --loglevel=error

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: dev
dev: tools client_example/node_modules/.stamp ## Run a gateway on this machine, with a demo page; ARGS="--origin http://localhost:3000"
	$(CARGO) build --locked
	@exec $(CARGO) run --quiet --locked -- dev $(ARGS)

.PHONY: test
test: tools client_example/node_modules/.stamp tests/client/node_modules/.stamp ## Run the tests: cargo, node and npm are enough
	$(CARGO) test --locked

.PHONY: test-system
test-system: tools client_example/node_modules/.stamp tests/client/node_modules/.stamp tests/system/node_modules/.stamp ## Run the tests in a browser and under systemd, as root on Debian: installs packages
	tests/system/setup.sh
	$(CARGO) build --locked
	node --test --test-reporter=spec tests/system/*.test.mjs

.PHONY: lint
lint: ## Check format, lints and documentation, warnings being errors
	$(CARGO) fmt --check
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

.PHONY: clean
clean: ## Remove what was built and installed; certs/dev stays
	$(CARGO) clean
	rm -rf client_example/node_modules tests/client/node_modules tests/system/node_modules

# npm ci removes the folder first, so a stamp in it says that the whole of it was installed.
%/node_modules/.stamp: %/package-lock.json %/package.json
	cd $* && $(NPM_CI)
	@touch $@

.PHONY: tools
tools:
	@missing=0; \
	need() { command -v "$$1" >/dev/null || { echo "$$1 is missing: $$2" >&2; missing=1; }; }; \
	need $(CARGO) "install Rust 1.94 or newer, https://www.rust-lang.org/tools/install"; \
	need node "install Node.js 18 or newer, https://nodejs.org"; \
	need $(NPM) "it comes with Node.js"; \
	need cc "install a C compiler, on Debian: apt-get install build-essential"; \
	exit $$missing
