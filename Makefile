# `make demo` and `make test` are all the set-up a fresh machine needs: each makes the virtual environment it runs in.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
EXTRAS := cpu,export,train,detection
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# xdist gives each core a worker, and a worker whole files, so that what a file shares is made once
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile

# each writes its section of docs/performance.md; half an hour on a machine with nothing else to do
BENCHMARKS := against large_photos resize first_result memory calibration_memory export_times training detection evaluation \
	report
# MODEL IMAGES LABELS and flags of a detector whose throughput is to be measured, too
DETECTOR ?=

.PHONY: demo test test-all browser check fix docs models bench clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-ready: pyproject.toml constraints.txt cnnkit/images/_rows.c | $(BIN)/python
	$(PIP_INSTALL) -e ".[$(EXTRAS)]"
	touch $@

$(VENV)/.dev-ready: $(VENV)/.run-ready
	$(PIP_INSTALL) -e ".[$(EXTRAS),dev]"
	touch $@

demo: $(VENV)/.run-ready
	$(BIN)/cnnkit demo

test: $(VENV)/.dev-ready
	$(PYTEST) -m "not slow"

test-all: $(VENV)/.dev-ready
	$(PYTEST)

# a headless Chromium for the tests that open the HTML report; without one they skip
browser:
	@command -v chromium > /dev/null || { \
	  SUDO=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq --no-install-recommends chromium > /dev/null; }

check: $(VENV)/.dev-ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(VENV)/.dev-ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(VENV)/.dev-ready
	$(BIN)/python -m cnnkit.cli.reference > docs/cli.md
	$(BIN)/python -m cnnkit.cli.schemas docs
	$(BIN)/python -m cnnkit.results > docs/results.schema.json
	$(BIN)/python -m cnnkit.cli.spec_reference > docs/spec.md
	$(BIN)/python -m cnnkit.cli.spec_reference --schema > docs/spec.schema.json
	$(BIN)/python docs/images/make.py

# the shipped models, their index and their page: trained anew, so their bytes change
models: $(VENV)/.dev-ready
	$(BIN)/python exported/make.py

# the figures of docs/performance.md: run it on a quiet machine
bench: $(VENV)/.dev-ready
	for script in $(BENCHMARKS); do $(BIN)/python benchmarks/$$script.py --write || exit 1; done
	$(BIN)/python benchmarks/detectors.py $(DETECTOR) --write

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache demo
