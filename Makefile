# make demo      the whole way once on made-up posts (ONCE=1: print the result and end)
# make check     between two edits: lint, and tests/unit with a tenth of their random draws
# make test      what CI runs: installs what the tests need, then tests
# make lint      ruff, mypy --strict, import contracts
# make services  what the tests need beside Python: Chromium, PostgreSQL, Label Studio
# make bench     the benchmarks, each printing ratios measured side by side

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The tests of a file, and its fixtures, share one worker. Half of their time they wait for a
# server or a browser, so that four workers keep two cores busy.
WORKERS := --numprocesses 4 --dist loadfile --no-loadscope-reorder
# How many of their random draws the unit tests make between two edits; CI makes all.
SHARE ?= 0.1

.PHONY: demo test check lint bench services programs studio clean

demo: $(VENV)/ready
	$(BIN)/labeler demo $(if $(ONCE),--once)

test: $(VENV)/ready-test services
	$(BIN)/python -m pytest $(WORKERS) $(PYTEST)

lint: $(VENV)/ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint
	LABELER_TEST_SHARE=$(SHARE) $(BIN)/python -m pytest $(WORKERS) tests/unit $(PYTEST)

bench: $(VENV)/ready-test
	for script in benchmarks/*.py; do $(BIN)/python $$script || exit 1; done

services: programs studio

programs:
	tests/services

# Needs no library, so that it may begin while those are being installed.
studio: $(VENV)/made
	PYTHONPATH=. $(BIN)/python tests/studio_place.py

$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || { \
	  echo "labeler needs Python 3.11, 3.12 or 3.13; say which: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/ready: $(VENV)/made setup.cfg pyproject.toml
	@echo "Installing labeler and what it needs into $(VENV) (a minute or two)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable .
	@touch $@

$(VENV)/ready-test: $(VENV)/made setup.cfg pyproject.toml
	@echo "Installing labeler and what its tests need into $(VENV) (a minute or two)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[test,lint]'
	@touch $(VENV)/ready $@

clean:
	rm -rf $(VENV) build dist *.egg-info
