# Each target does its whole set-up; it needs Python 3.11 or later, make and a C compiler.
PYTHON ?= python3
BIN := .venv/bin
PYTEST_WORKERS ?= 2
FUZZ_SECONDS ?= 1800

.PHONY: live test deep fuzz lint docs bench browser wheel clean

live: .venv
	$(BIN)/umwelt live

test: .venv/extras
	UMWELT_QUICK_COMPILER=1 $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist worksteal --durations=40 -m "not exact and not deep"
	$(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist worksteal -m exact $$(grep -l "mark.exact" tests/test_*.py)

# The tests that tests/deep.py names, which `make test` leaves out.
deep: .venv/extras
	UMWELT_QUICK_COMPILER=1 $(BIN)/python -m pytest -q -n $(PYTEST_WORKERS) --dist worksteal --durations=20 -m deep

# Runs the tests that draw their examples, with other examples each time, until FUZZ_SECONDS are over or one fails.
fuzz: .venv/extras
	@end=$$(($$(date +%s) + $(FUZZ_SECONDS))); round=0; while [ $$(date +%s) -lt $$end ]; do \
		round=$$((round + 1)); echo "fuzz: round $$round"; \
		UMWELT_QUICK_COMPILER=1 $(BIN)/python -m pytest -x -q -m "hypothesis and not exact" --hypothesis-profile fuzz || exit 1; \
	done

# What the page is looked at with. Where it cannot be had, the tests that need it say so and are skipped.
browser:
	@if command -v chromium >/dev/null && command -v chromedriver >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		(apt-get update -qq; apt-get install -y -qq chromium chromium-driver) >/dev/null 2>&1 \
		|| echo "chromium could not be installed; the tests of the page in a browser will be skipped"; \
	else echo "no chromium here, and no right to install it; the tests of the page in a browser will be skipped"; fi

# pyright reads the packages of all extras
lint: .venv/extras
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m tools.prose
	$(BIN)/pyright

# The site of the documents, to be read from build/docs/ without a network; a warning is an error.
docs: .venv/extras
	$(BIN)/python -m tools.docs

# The wheel, which must hold the whole package and run a life in an environment of its own. WHEEL=--all takes every Python
# that this machine has, and WHEEL= the newest versions of what it needs.
WHEEL ?= --pinned
wheel: .venv
	$(BIN)/python -m tools.wheel $(WHEEL)

bench: .venv
	$(BIN)/python -m benchmarks.run

# The environment is made whole or not at all: the stamp is the last thing written.
.venv: .venv/made
.venv/made: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("umwelt needs Python 3.11 or later, this is %d.%d" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[mujoco,dmcontrol,minari,watch,dev]'
	touch .venv/made

# What only exports, logs, hosted streams, clusters and data sets need is large, and a first life should not wait for it.
.venv/extras: .venv/made
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[parquet,lerobot,worldmodel,rerun,tensorboard,wandb,mlflow,minigrid,metaworld,ray,data,docs]'
	touch .venv/extras

clean:
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache
