# make demo   train on synthetic receipts for a minute or two; the run ends with its baseline
# make check  lint, types, import contracts and quick tests, in a minute or two
# make test   every check and every test
# make help   the rest
PYTHON ?= python3
# Tests start hundreds of programs; without compiled files each would compile the package again.
unexport PYTHONDONTWRITEBYTECODE
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.installed-docs

.DEFAULT_GOAL := help
.PHONY: help setup demo check test lint types engine rest ci format hooks bench gpu compat docs constraints clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## .venv with the package, its extras and the development tools

# The build backends come first and from the same constraints: pip's isolated build would
# fetch the newest ones. A dependency of hydra-core is built with setuptools, which environments of
# Python 3.12 and newer don't begin with.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or newer is needed; name one with: make PYTHON=/path/to/python3" >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -c constraints.txt hatchling editables setuptools
	$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt \
	  -e '.[train,tensorboard,mlflow,store,dev]'
	@touch $@

demo: setup ## a short training on synthetic receipts that ends with its baseline
	$(BIN)/python -m ocr.train experiment=demo hydra.run.dir=outputs/demo
	$(BIN)/ocr-baseline show outputs/demo

# The four run beside each other, and one that fails doesn't stop the others.
check: setup ## lint, types, import contracts and quick tests: what to run before a commit
	@$(MAKE) --no-print-directory --keep-going --jobs=4 types engine rest lint

test: lint types ## every check and every test
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: setup ## ruff, import contracts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

types: setup ## mypy
	$(BIN)/mypy

# Two processes: importing torch takes seconds, and nearly all tests of the engine do without it.
# `rest` has what brings it in: these rooms, and the files that name it or a callback.
QUICK := $(BIN)/python -m pytest -q -m "not slow" --hypothesis-profile=quick
FRAMEWORK_ROOMS := $(addprefix tests/ocr_baseline/,lightning hydra recording publish test_api.py)
WITH_TORCH := $(FRAMEWORK_ROOMS) $(filter-out $(addsuffix /%,$(FRAMEWORK_ROOMS)),$(shell \
  grep -rlE --include='test_*.py' '(^(import|from) |importorskip..)(torch|lightning)|^from ocr_baseline import .*Callback' \
  tests/ocr_baseline))

engine: setup ## the engine's tests that aren't marked slow, with fewer examples per property
	$(QUICK) tests/ocr_baseline $(addprefix --ignore=,$(WITH_TORCH))

# tests/integration is all slow, and already importing it takes seconds.
rest: setup ## the same of all other tests
	OMP_NUM_THREADS=1 $(QUICK) $(WITH_TORCH) $(filter-out tests/integration/. tests/ocr_baseline/.,$(wildcard tests/*/.))

ci: test docs ## what CI runs: every test, the site, then the lowest versions allowed and the newest Hydra
	$(BIN)/python tests/compat/run.py --lowest --hydra 1.4.0rc3

format: setup ## rewrite the sources as ruff would
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

hooks: setup ## git hooks: lint and types at each commit, make check at each push
	$(BIN)/pre-commit install

bench: setup ## the measurements behind the claims in the documentation
	$(BIN)/python -m benchmarks

# On a machine with a card there may be no network: nothing is set up, .venv is used where it is.
OUT ?= build/gpu
gpu: ## what only a CUDA device can prove, in eight minutes at most, into $OUT (docs/gpu.md)
	$(if $(wildcard $(BIN)/python),$(BIN)/python,$(PYTHON)) -m benchmarks.gpu \
	  --markdown $(OUT)/gpu.md --json $(OUT)/gpu.json

compat: setup ## the tests under other versions of Lightning, Hydra and Python, each in its environment
	$(BIN)/python tests/compat/run.py

docs: setup ## the JSON Schema of baseline.json, and the documentation's site in build/docs/site
	$(BIN)/ocr-baseline schema > docs/.schema.tmp && mv docs/.schema.tmp docs/baseline.schema.json
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "the site is built with Python 3.11 or newer" >&2; exit 2; }
	@$(MAKE) --no-print-directory $(DOCS_STAMP)
	$(BIN)/python scripts/documentation.py build/docs/pages
	$(BIN)/zensical build --strict --clean

$(DOCS_STAMP): pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --no-build-isolation -c constraints.txt -e '.[docs]'
	@touch $@

# Python 3.14 needs a Hydra that isn't released yet; the other versions must not pick it up.
constraints: setup ## resolve constraints.txt again, keeping the pins that still fit
	$(BIN)/python -m pip install --quiet uv
	grep -v '^#' constraints.txt > $(VENV)/constraints.txt
	printf '%s\n' "hydra-core<1.4.0.dev0; python_version < '3.14'" \
	  "omegaconf<2.4.0.dev0; python_version < '3.14'" > $(VENV)/released.txt
	$(BIN)/uv pip compile pyproject.toml --extra train --extra tensorboard --extra nvml --extra mlflow --extra store --extra docs --extra dev \
	  --constraint $(VENV)/released.txt --universal --python-version 3.10 --strip-extras --quiet \
	  --no-header --no-annotate --no-emit-index-url -o $(VENV)/constraints.txt
	{ sed -n '/^#/p' constraints.txt; cat $(VENV)/constraints.txt; } > $(VENV)/constraints.new
	mv $(VENV)/constraints.new constraints.txt

clean: ## remove what runs and checks leave behind; .venv, data and outputs stay
	rm -rf build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -path ./$(VENV) -prune -o -type d -name __pycache__ -exec rm -rf {} +
