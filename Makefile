# Everything that is done with this project. `make` alone lists it.

VENV := .venv
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)
DATA ?=
TRAIN ?=
OUT ?= runs/cats

# The first of these that is Python 3.11 or later, looked up only where one is needed.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$python && break; done)

RUST := Cargo.toml Cargo.lock $(shell find rust -name Cargo.toml -o -name '*.rs')

# Bindings are built and tested with the environment's own Python.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help cats test test-rust test-python test-slow test-every-float lint docs bench wheel clean

help: ## Say what there is to make
	@echo "make TARGET, where TARGET is one of"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r target text; \
		do printf '  %-16s %s\n' $$target "$$text"; done
	@echo "PYTHON=... chooses the interpreter that $(VENV) is made with (3.11 or later)."

cats: $(VENV)/.built ## Train on cats and evaluate: drawn ones, or DATA=catvnoncat, DATA=folder (TRAIN="--epochs 500")
	$(BIN)/purrceptron train $(DATA) --out $(OUT) $(TRAIN)
	$(BIN)/purrceptron evaluate $(OUT)/model.safetensors $(DATA)

test: test-rust test-python ## Run every test but the slow ones, and say how many lacked data

test-rust: $(VENV)/.made
	cargo test --workspace

# The parity tests run once more on each narrower instruction set that the machine has.
test-python: $(VENV)/.ready
	@narrower=$$($(BIN)/python -c 'from purrceptron import _core; print(*_core.available_isas()[:-1])') \
	|| exit 1; for isa in $$narrower; do \
		echo "Parity on the instruction set $$isa"; \
		PURRCEPTRON_ISA=$$isa $(BIN)/python -m pytest -q -m "not photos" tests/parity || exit 1; \
	done
	$(BIN)/python -m pytest --doctest-modules -m "not slow" python/purrceptron tests

test-slow: $(VENV)/.ready ## Run the tests that take minutes, the 24 seeds on the real photos among them
	$(BIN)/python -m pytest -m slow tests

test-every-float: ## Hold exp, tanh, ... in float32 against double precision at every float there is (half an hour)
	cargo test -p purrceptron --test math -- --ignored

lint: $(VENV)/.ready ## Check format, lints, types, stubs and documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/python -m mypy.stubtest purrceptron._core

docs: $(VENV)/.docs ## Build the documentation; a warning is an error
	$(BIN)/python -m sphinx -q -n -W --keep-going docs docs/_build/html
	@echo "It begins at docs/_build/html/index.html"

bench: $(VENV)/.ready ## Measure against NumPy and whatever else is installed (BENCH=--quick for two minutes)
	$(BIN)/python benchmarks/run.py $(BENCH)

wheel: $(VENV)/.made ## Build the wheel, into dist/
	$(BIN)/maturin build --release --compression-level 9 --out dist

clean: ## Remove what was built; the environment and your trained models in runs/ stay
	rm -rf target dist docs/_build python/purrceptron/_core*.so python/purrceptron/_core*.pyd
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis $(VENV)/.built $(VENV)/.ready $(VENV)/.docs
	find benchmarks python tests -name __pycache__ -type d -prune -exec rm -rf {} +

# The environment, in three steps, each done again when what it is made from has changed.

DEVELOP := PIP_QUIET=1 VIRTUAL_ENV="$(CURDIR)/$(VENV)" $(BIN)/maturin develop --release --quiet --extras

$(VENV)/.made: # an interpreter of its own, and the build tool
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later was found; make PYTHON=... names one." >&2; exit 1; }
	@command -v cargo >/dev/null || { echo "Rust was not found; https://rustup.rs installs it." >&2; exit 1; }
	@echo "Making $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet "maturin>=1.16,<2"
	@touch $@

$(VENV)/.built: $(VENV)/.made pyproject.toml $(RUST) # the extension, and what the application needs
	@echo "Building purrceptron; the first time it takes some minutes"
	@$(DEVELOP) app
	@touch $@

$(VENV)/.ready: $(VENV)/.built # and what the tests and checks need
	@echo "Installing what the tests and checks need"
	@$(DEVELOP) app,sklearn,test
	@touch $@

$(VENV)/.docs: $(VENV)/.built # and what the documentation needs
	@echo "Installing what the documentation needs"
	@$(DEVELOP) app,sklearn,docs
	@touch $@
