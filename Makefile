# What is done with roomcast while working on it. `make` alone lists it.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

CARGO ?= cargo
NPM ?= npm
SEEDS ?= 100000
RUNS ?= 0
SECONDS ?= 30
TARGETS ?= $(basename $(notdir $(wildcard fuzz/fuzz_targets/*.rs)))
NPM_CI := $(NPM) ci --no-audit --no-fund --loglevel=error
CARGO_DEB := target/cargo-tools/cargo-deb@3.8.0
CARGO_DENY := target/cargo-tools/cargo-deny@0.20.2
CARGO_FUZZ := target/cargo-tools/cargo-fuzz@0.13.1
PLATFORMS := x86_64-unknown-linux-gnu aarch64-unknown-linux-gnu armv7-unknown-linux-gnueabihf
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER ?= aarch64-linux-gnu-gcc
export CARGO_TARGET_ARMV7_UNKNOWN_LINUX_GNUEABIHF_LINKER ?= arm-linux-gnueabihf-gcc

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

.PHONY: dev
dev: tools client_example/node_modules/.stamp ## Run a gateway on this machine, with a demo page; ARGS="--origin http://localhost:3000"
	$(CARGO) build --locked
	@exec $(CARGO) run --quiet --locked -- dev $(ARGS)

.PHONY: test
test: tools client_example/node_modules/.stamp tests/client/node_modules/.stamp ## Run the tests that cargo, node and npm are enough for; with test-system they are the whole proof
	$(CARGO) test --locked

.PHONY: test-system
test-system: tools client_example/node_modules/.stamp tests/client/node_modules/.stamp tests/system/node_modules/.stamp ## Run the rest of the proof, in a browser and under systemd, as root on Debian: installs packages
	tests/system/setup.sh
	$(CARGO) build --locked
	$(MAKE) packages
	node --test --test-reporter=spec tests/system/*.test.mjs

.PHONY: soak
soak: tools tests/client/node_modules/.stamp ## Run the long tests: 100,000 scripts of the delivery model (SEEDS=N: so many), and 5,000 clients that come and go
	ROOMCAST_MODEL_SEEDS=$(SEEDS) $(CARGO) test --locked --release --lib subscriber::worker::tests::model -- --nocapture
	ROOMCAST_LOSS_STOCK=50 ROOMCAST_LOSS_RAW=5000 ROOMCAST_LOSS_LIVES=20 $(CARGO) test --locked --release --test gateway loss:: -- --nocapture

# Nothing here is unsafe, so the sanitizers have nothing to find; without them stable Rust is enough, and twice as much is run.
.PHONY: fuzz
fuzz: $(CARGO_FUZZ)/.stamp ## Fuzz each target for 30 s, two at a time; SECONDS=N: so long, RUNS=N: so often, TARGETS="a b": these
	@command -v c++ >/dev/null || { echo "c++ is missing: on Debian, apt-get install build-essential" >&2; exit 1; }
	@$(CARGO) metadata --quiet --locked --format-version 1 --manifest-path fuzz/Cargo.toml >/dev/null || \
		{ echo "let fuzz/Cargo.lock follow: cargo update --workspace --manifest-path fuzz/Cargo.toml" >&2; exit 1; }
	$(CARGO_FUZZ)/bin/cargo-fuzz build --sanitizer none
	@printf '%s\n' $(TARGETS) | RUNS=$(RUNS) SECONDS_EACH=$(SECONDS) xargs -n 1 -P 2 fuzz/run $(CARGO_FUZZ)/bin/cargo-fuzz

# SCENARIO, ROUNDS and QUICK are read by benches/scenarios, and so is ROOMCAST, another build to measure.
.PHONY: bench
bench: ## Measure roomcast beside a floor and socketioxide, in 28 minutes: ROUNDS=1 QUICK=1 SCENARIO=fan-out-open,burst
	SCENARIO='$(SCENARIO)' ROUNDS='$(ROUNDS)' QUICK='$(QUICK)' $(CARGO) bench --locked --bench scenarios

.PHONY: bench-parts
bench-parts: ## Measure codec, splice and hub by themselves
	$(CARGO) bench --locked --bench codec --bench splice --bench hub

.PHONY: lint
lint: ## Check format, lints and documentation, warnings being errors
	$(CARGO) fmt --check
	$(CARGO) fmt --check --manifest-path fuzz/Cargo.toml
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --locked --no-deps

.PHONY: deny
deny: $(CARGO_DENY)/.stamp ## Check licences, sources and doubles of the dependencies
	$(CARGO_DENY)/bin/cargo-deny --locked check --hide-inclusion-graph bans licenses sources

# One build of all: while the last crate of one platform takes a single core, the others have the rest.
.PHONY: packages
packages: tools $(CARGO_DEB)/.stamp ## Build the Debian packages of all platforms, on Debian, into target/packages
	@command -v rustup >/dev/null || { echo "rustup is missing: install Rust by it, https://www.rust-lang.org/tools/install" >&2; exit 1; }
	rustup --quiet target add $(PLATFORMS)
	debian/prepare
	$(CARGO) build --locked --profile dist --bin roomcast $(PLATFORMS:%=--target %)
	rm -rf target/packages
	mkdir -p target/packages
	for platform in $(PLATFORMS); do $(CARGO_DEB)/bin/cargo-deb --no-build --target $$platform --output target/packages/; done
	cd target/packages && sha256sum -- *.deb >SHA256SUMS

.PHONY: clean
clean: ## Remove what was built and installed; certs/dev stays
	$(CARGO) clean
	rm -rf client_example/node_modules tests/client/node_modules tests/system/node_modules

# npm ci removes the folder first, so a stamp in it says that the whole of it was installed.
%/node_modules/.stamp: %/package-lock.json %/package.json
	cd $* && $(NPM_CI)
	@touch $@

# A program of the named version. Without optimisation it is built in a third of the time, and fast enough.
target/cargo-tools/%/.stamp:
	CARGO_PROFILE_DEV_DEBUG=0 $(CARGO) install --quiet --locked --debug --no-default-features --root $(@D) \
		--target-dir target/cargo-tools/build $*
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
