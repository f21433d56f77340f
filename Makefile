# `make` alone lists the commands.
.DEFAULT_GOAL := help
.PHONY: help setup run serve worker migrate test check lint coverage bench e2e lock

PYTHON ?= python3
# Tests wait for servers half of their time: one process more than there are cores, four at most.
TEST_PROCESSES ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores < 4 ? cores + 1 : 4)))
BIN := .venv/bin
RUN := $(BIN)/python -m apps.twitch_module

help:  ## List these commands
	@grep -hE '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9]+):[^#]*## /  make \1\t/' | expand -t 16

setup: $(BIN)/.installed  ## Create .venv and install what the module needs

run: $(BIN)/.installed  ## The demo: module and sandbox on http://127.0.0.1:8000 (PORT)
	@$(RUN).demo

serve: $(BIN)/.installed  ## The production server; configured by the environment
	@$(RUN).serve

worker: $(BIN)/.installed  ## Delivery as a process of its own
	@$(RUN).worker

migrate: $(BIN)/.installed  ## Bring the database to this version
	@$(RUN).migrate

test: $(BIN)/.installed-dev  ## The whole test suite
	$(BIN)/pytest -n $(TEST_PROCESSES) --dist worksteal

check: lint  ## Style, types, and the fast tests of what has changed
	$(BIN)/pytest -n auto $$($(BIN)/python scripts/touched_tests.py)

coverage: $(BIN)/.installed-dev  ## Which lines the unit and integration tests run
	$(BIN)/pytest tests/unit tests/integration -n auto --cov=apps/twitch_module --cov-report=term:skip-covered

lint: $(BIN)/.installed-dev  ## Style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# SCENARIOS chooses from accept, limits, delivering, delivery, tokens, start, memory and large; ROWS is how
# many events are in the large table (2 GB a million, in BENCH_DIR); a SCALE below 1 is quicker.
bench: $(BIN)/.installed-dev  ## Measure speed (SCENARIOS, ROWS, ROUNDS, SCALE, BENCH_DIR)
	@$(BIN)/python -m bench

e2e: $(BIN)/.installed-dev  ## The tests in a real browser alone
	$(BIN)/pytest tests/browser

# After a change of requirements*.in. The hashes are of every file of a version, for any platform.
lock:  ## Pin requirements*.in with hashes in requirements*.txt
	@$(PYTHON) -m venv .venv/lock && .venv/lock/bin/pip install --quiet 'pip-tools==7.5.1'
	@for name in requirements requirements-dev; do \
		CUSTOM_COMPILE_COMMAND='make lock' .venv/lock/bin/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras \
			--no-emit-index-url --no-emit-find-links --no-emit-trusted-host \
			--output-file $$name.txt $$name.in || exit 1; done

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo 'Python 3.11 or newer is needed; name it with PYTHON=...' >&2; exit 1; }
	@echo 'Creating .venv'
	@$(PYTHON) -m venv .venv

# A stamp is written when an installation has gone through to its end.
$(BIN)/.installed: requirements.txt requirements.in pyproject.toml | $(BIN)/python
	@echo "Installing $$(grep -c == requirements.txt) packages into .venv: some 20 seconds"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

$(BIN)/.installed-dev: requirements-dev.txt requirements.in pyproject.toml | $(BIN)/python
	@echo 'Installing what the tests need on top: a minute or so'
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@ $(BIN)/.installed
