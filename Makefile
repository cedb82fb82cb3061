# Everything a person does with this project. `make help` lists the targets.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := card-generation/.venv
PYTHON := $(VENV)/bin/python
# Anki's own library, beside which the crate anki is tested.
ANKI_TESTS := subgraphs/decks/anki/tests
ANKI_VENV := $(ANKI_TESTS)/.venv
# An S3-compatible store, which backups are tested with.
S3 := spacey/tests/backup/moto
GRAPHIQL := gateway/graphiql/dist/index.html
# The peer that the gateway is measured beside: never part of the product, and never built by CI.
HIVE_VERSION := 0.3.10
HIVE_ROOT := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/spacey/hive-router-$(HIVE_VERSION)
HIVE := $(HIVE_ROOT)/bin/hive_router
# The reference implementation of FSRS, which the learning domain is compared with.
REFERENCE := subgraphs/learning/tests/reference
# Schemathesis, which makes operations of the clients' schema.
GENERATED := e2e/generated
GENERATION := $(CURDIR)/$(PYTHON) -m card_generation

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | column -t -s '|'

serve: $(GRAPHIQL) $(VENV)/runs ## build and run everything on http://127.0.0.1:8080, with a demo account
	cargo build --release --package spacey
	@SPACEY_DEMO="$${SPACEY_DEMO:-true}" SPACEY_GENERATION_COMMAND="$${SPACEY_GENERATION_COMMAND:-$(GENERATION)}" exec target/release/spacey serve

test: test-servers $(GRAPHIQL) $(VENV)/tests $(ANKI_VENV)/tests $(S3)/.venv/runs e2e/node_modules/.package-lock.json ## install what the tests need and run them all
	@trap 'e2e/test-servers stop' EXIT; $(MAKE) --no-print-directory --keep-going test-python test-container test-reference test-rust test-e2e test-generated

# How often the program is killed under load in the tests, on each store. `make kill` does it more often.
KILLS ?= 10

test-rust: $(VENV)/runs ## run the Rust tests (needs `make test-servers`, `make test-anki` and `make test-s3`)
	SPACEY_KILLS=$(KILLS) cargo test --workspace --no-fail-fast

kill: $(VENV)/runs ## kill the program 200 times under load on each store, and look that nothing acknowledged is lost
	SPACEY_KILLS=200 cargo test --package spacey --test kill -- --nocapture --test-threads 1

replicas: $(VENV)/runs e2e/node_modules/.package-lock.json ## kill processes of a replicated Spacey 50 times under load (after test-e2e; needs haproxy)
	cd e2e && SPACEY_REPLICA_KILLS=50 SPACEY_BIN="$(CURDIR)/target/release/spacey" SPACEY_GENERATION_COMMAND="$(GENERATION)" node --test replicated.mjs

test-python: $(VENV)/tests ## run the tests of the card-generation service
	cd card-generation && .venv/bin/python -m pytest --quiet

test-container: ## replay the steps of the card-generation service's container file without a container engine
	python3.11 card-generation/replay_container.py

test-reference: $(REFERENCE)/.venv/runs ## compare the histories that scheduling is tested by with fsrs from PyPI
	$(REFERENCE)/.venv/bin/python $(REFERENCE)/histories.py --check

test-e2e: $(GRAPHIQL) $(VENV)/runs e2e/node_modules/.package-lock.json ## run the tests through real clients, a real browser and the release binary (after test-rust)
	cargo build --release --package spacey
	cd e2e && SPACEY_BIN="$(CURDIR)/target/release/spacey" SPACEY_GENERATION_COMMAND="$(GENERATION)" npm test

differential: e2e/node_modules/.package-lock.json ## compare composition with its peer's on sets of subgraphs that no run before has seen
	cargo build --package federation --example compose_batch
	cd e2e && seed=$$RANDOM$$RANDOM && echo "COMPOSITION_SEED=$$seed" && COMPOSITION_SEED=$$seed node --test composition.test.mjs

test-generated: $(GRAPHIQL) $(GENERATED)/.venv/runs ## send operations that Schemathesis makes of the schema to the release binary (after test-e2e)
	cargo build --release --package spacey
	SPACEY_BIN="$(CURDIR)/target/release/spacey" $(GENERATED)/.venv/bin/python -m pytest --quiet $(GENERATED)

check: $(VENV)/tests ## check format, lints, documentation, and licences where cargo-deny is installed
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
	cd card-generation && .venv/bin/python -m ruff check . && .venv/bin/python -m ruff format --check . && .venv/bin/python -m mypy card_generation tests replay_container.py
	$(PYTHON) -m ruff check $(ANKI_TESTS)/python $(REFERENCE) $(GENERATED) && $(PYTHON) -m ruff format --check $(ANKI_TESTS)/python $(REFERENCE) $(GENERATED)
	@if command -v cargo-deny >/dev/null; then cargo fetch --quiet --locked && cargo deny --offline check licenses bans sources; else echo "cargo-deny is not installed: licences were not checked"; fi

schema: ## write the schema files that the program's code stands for
	cargo run --quiet --package spacey -- schema schema

bench: $(GRAPHIQL) ## measure what Spacey measures itself by
	cargo build --release --package spacey --package bench
	target/release/bench all

bench-decks: $(GRAPHIQL) ## measure lists, nodes and search of collections of up to 100,000 cards; results in bench/DECKS.md
	cargo build --release --package spacey --package bench
	e2e/test-servers start
	for part in lists screen search; do \
		SPACEY_BENCH_MONGODB='mongodb://127.0.0.1:27117/?replicaSet=rs0' target/release/bench decks bench $$part; \
	done

bench-learning: ## measure reviews, the study queue and statistics of people with up to 100,000 cards; results in bench/LEARNING.md
	cargo build --release --package bench
	target/release/bench learning bench

bench-cost: ## measure what pricing takes, and whether points are worth the same CPU time everywhere; results in bench/COST.md
	cargo build --release --package spacey --package bench
	target/release/bench cost bench
	target/release/bench calibrate bench

bench-overload: ## measure what becomes of more requests than can be answered, on one core beside the load's; results in bench/OVERLOAD.md
	cargo build --release --package spacey --package bench
	taskset -c 1 target/release/bench overload bench

FUZZ_SECONDS ?= 60

fuzz: ## let a fuzzer look for input that breaks what must hold, FUZZ_SECONDS a kind of input
	command -v cargo-fuzz >/dev/null || cargo install cargo-fuzz
	for target in $(notdir $(basename $(wildcard fuzz/fuzz_targets/*.rs))); do \
		mkdir -p target/fuzz/$$target; \
		CARGO_PROFILE_RELEASE_LTO=off cargo fuzz run --sanitizer none --features libfuzzer $$target target/fuzz/$$target fuzz/corpus/$$target -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=4096; \
	done

PART ?=

bench-gateway: $(GRAPHIQL) $(HIVE) ## measure the gateway beside Hive Router (built once, which takes half an hour), or only PART=side-by-side, growth or composition; results in bench/RESULTS.md
	cargo build --release --package spacey --package bench
	taskset -c 1 target/release/bench gateway $(HIVE) bench $(PART)

$(HIVE):
	@echo "Building Hive Router $(HIVE_VERSION) from its published source into $(HIVE_ROOT): this happens once, and takes half an hour."
	@# It asks for a newer compiler than it needs. Without graphiql its build wants a package that is not published.
	cargo install hive-router --version $(HIVE_VERSION) --locked --ignore-rust-version --features graphiql --bin hive_router --root $(HIVE_ROOT)

flame-graph: $(GRAPHIQL) ## draw where the gateway's time goes into bench/flame-graph.svg (needs perf and inferno)
	cargo build --release --package spacey --package bench
	bench/flame-graph

graphiql: $(GRAPHIQL) ## bundle GraphiQL, which the next build embeds

$(GRAPHIQL): gateway/graphiql/package-lock.json $(shell find gateway/graphiql -path gateway/graphiql/node_modules -prune -o -path gateway/graphiql/dist -prune -o -type f -print)
	cd gateway/graphiql && npm ci --no-audit --no-fund --loglevel=error && npm run build --silent
	@touch $@

e2e/node_modules/.package-lock.json: e2e/package-lock.json
	cd e2e && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(VENV)/runs: card-generation/requirements.txt
	[ -x $(PYTHON) ] || python3 -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --require-hashes -r $<
	echo '$(CURDIR)/card-generation' >"$$($(PYTHON) -c 'import site; print(site.getsitepackages()[0])')/card_generation.pth"
	@touch $@

$(VENV)/tests: card-generation/requirements-dev.txt $(VENV)/runs
	$(PYTHON) -m pip install --quiet --require-hashes -r $<
	@touch $@

$(REFERENCE)/.venv/runs: $(REFERENCE)/requirements.txt
	[ -x $(REFERENCE)/.venv/bin/python ] || python3 -m venv $(REFERENCE)/.venv
	$(REFERENCE)/.venv/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

$(GENERATED)/.venv/runs: $(GENERATED)/requirements.txt
	[ -x $(GENERATED)/.venv/bin/python ] || python3 -m venv $(GENERATED)/.venv
	$(GENERATED)/.venv/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

$(ANKI_VENV)/tests: $(ANKI_TESTS)/requirements.txt
	[ -x $(ANKI_VENV)/bin/python ] || python3 -m venv $(ANKI_VENV)
	$(ANKI_VENV)/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

$(S3)/.venv/runs: $(S3)/requirements.txt
	[ -x $(S3)/.venv/bin/python ] || python3 -m venv $(S3)/.venv
	$(S3)/.venv/bin/python -m pip install --quiet --require-hashes -r $<
	@touch $@

test-s3: $(S3)/.venv/runs ## install the S3-compatible store that backups are tested with

test-anki: $(ANKI_VENV)/tests ## install Anki's own library, beside which reading and writing its files is tested

test-servers: ## start the servers that tests need (MongoDB); `make test-servers-stop` stops them
	e2e/test-servers start

test-servers-stop: ## stop them
	e2e/test-servers stop

cleanup: ## remove what the other targets made, except user data (the folder data/)
	e2e/test-servers stop
	cargo clean --quiet
	rm -rf $(VENV) $(ANKI_VENV) $(REFERENCE)/.venv $(GENERATED)/.venv $(S3)/.venv gateway/graphiql/node_modules gateway/graphiql/dist e2e/node_modules

.PHONY: help serve fuzz test test-anki test-s3 test-rust test-python test-container test-reference test-e2e test-generated check schema kill replicas differential bench bench-decks bench-learning bench-gateway bench-cost bench-overload flame-graph graphiql test-servers test-servers-stop cleanup
