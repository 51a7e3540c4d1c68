# Every target works alone on a fresh machine with Python 3.11+ and make: what it needs is installed first, into
# a virtual environment of this directory, and only when pyproject.toml has changed since.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
SOURCES := near_tee_cli tests examples
VECTORS ?= ../shared/vectors

# Narrow a test run: make test T=tests/unit/vm K=gas
T ?= tests
K ?=
J ?=
# One more than there are processors: many tests wait for children, the disk or the clock.
MORE = $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-long fuzz mutate lint bench conformance format clean

help: ## show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

setup: $(STAMP) ## make .venv and install into it

demo: $(STAMP) ## run a real contract, prove it, verify it, damage the proof
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh examples/demo.sh

test: $(STAMP) ## run the tests (T=path, K=expression narrow it)
	@$(BIN)/python -m pytest $(T) -n $(or $(J),$(MORE)) $(if $(K),-k '$(K)') -m 'not long'

test-long: $(STAMP) ## property and differential tests with many new examples; prints the seed (SEED=N repeats)
	@seed=$${SEED:-$$($(BIN)/python -c 'import random; print(random.SystemRandom().randrange(10**9))')}; \
	  echo "seed $$seed"; \
	  HYPOTHESIS_PROFILE=long $(BIN)/python -m pytest $(T) -n $(or $(J),auto) $(if $(K),-k '$(K)') -m 'property or long' \
	    --hypothesis-seed=$$seed

FUZZ_SECONDS ?= 60
fuzz: $(STAMP) ## mutate the input of every parser for FUZZ_SECONDS each; T names some of them
	@$(BIN)/python -m tests.fuzz --seconds $(FUZZ_SECONDS) $(if $(filter tests,$(T)),,$(T))

mutate: $(STAMP) ## change the verifier in one place at a time and see whether anybody notices
	@$(BIN)/python -m tests.mutate

lint: $(STAMP) ## ruff, mypy strict and the architecture test
	@$(BIN)/ruff check $(SOURCES)
	@$(BIN)/ruff format --check $(SOURCES)
	@$(BIN)/mypy
	@$(BIN)/python -m pytest -q tests/architecture

format: $(STAMP) ## format the sources
	@$(BIN)/ruff format $(SOURCES)
	@$(BIN)/ruff check --fix --quiet $(SOURCES) || true

bench: $(STAMP) ## measure against nearcore's recorded times; JSON goes to BENCH_OUT
	@$(BIN)/python -m tests.bench

conformance: $(STAMP) ## replay every recorded case under $(VECTORS), if it is there
	@$(BIN)/python -m tests.conformance $(VECTORS)

clean: ## remove everything that was built
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
