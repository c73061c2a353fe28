# Each target does its whole set-up; it needs Python 3.11 or later, make and a C compiler.
PYTHON ?= python3
BIN := .venv/bin
PYTEST_WORKERS ?= 2

.PHONY: live test lint bench evidence clean

live: .venv
	$(BIN)/umwelt live

test: .venv
	UMWELT_QUICK_COMPILER=1 $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile -m "not exact"
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist loadfile -m exact

lint: .venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

bench: .venv
	$(BIN)/python -m benchmarks.run

evidence: .venv
	$(BIN)/python -m evidence.run

# The environment is made whole or not at all: the stamp is the last thing written.
.venv: .venv/made
.venv/made: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("umwelt needs Python 3.11 or later, this is %d.%d" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[mujoco,dm_control,minari,minigrid,metaworld,dev]'
	touch .venv/made

clean:
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache
