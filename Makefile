# Everything a newcomer needs is a target here; `make` alone lists them.

VENV  := .venv
BIN   := $(VENV)/bin
ARGS  ?=
DATA  ?= var/demo
ONLY  ?=
SCALE ?= 1

# The newest Python we test on comes first. Name another one with `make PYTHON=/path/to/python3`.
PYTHONS := python3.13 python3.12 python3.11 python3
PYTHON  ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo serve test check bench lock docs clean

help: ## show this list
	@echo "Sunlot: make TARGET"
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "The first target that needs it sets up $(VENV)/; the command is then $(BIN)/sunlot."

demo: $(VENV)/.runtime ## carry two quarters of a made-up Taiyuan through, then serve them (ARGS=--no-serve, DATA=var/demo)
	$(BIN)/sunlot demo --data $(DATA) $(ARGS)

serve: $(VENV)/.runtime ## serve an installation by its settings (see .env.example)
	$(BIN)/sunlot serve $(ARGS)

test: $(VENV)/.dev ## run every test, on SQLite and PostgreSQL (ARGS="-k draw")
	$(BIN)/pytest -n auto --dist loadfile $(ARGS)

check: $(VENV)/.dev ## lint, format, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev ## measure our speed beside what it is compared with (ONLY=drawing SCALE=0.1)
	$(BIN)/python -m tests.benchmarks $(if $(ONLY),--only $(ONLY)) --scale $(SCALE)

lock: $(VENV)/.dev ## write the locks again from pyproject.toml (ARGS=--upgrade for newer versions)
	$(COMPILE) pyproject.toml --group dev -o requirements-dev.txt
	$(COMPILE) pyproject.toml -c requirements-dev.txt -o requirements.txt
	$(COMPILE) --group pyproject.toml:build -c requirements-dev.txt -o requirements-build.txt

docs: $(VENV)/.dev ## write the generated pages of docs/reference again
	$(BIN)/python -m tests.house.references

setup: $(VENV)/.dev ## only set up the environment for development

clean: ## remove the environment and caches; never data in var/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -not -path './var/*' -prune -exec rm -rf {} +

COMPILE = $(BIN)/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header -q $(ARGS)
PIP     = $(BIN)/python -m pip --disable-pip-version-check install --quiet

$(BIN)/python:
	@python='$(PYTHON)'; \
	for candidate in $(if $(PYTHON),,$(PYTHONS)); do \
	  if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$candidate; break; fi; \
	done; \
	if [ -z "$$python" ]; then \
	  echo "Sunlot needs Python 3.11 or newer, and none of $(PYTHONS) is one. Install it, or: make PYTHON=/path/to/python3" >&2; exit 1; \
	fi; \
	if ! $$python -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$python cannot make environments: its venv module is missing (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; \
	fi; \
	echo "$$python -m venv $(VENV)"; $$python -m venv $(VENV)

# Exactly what the locks name, then our own code as a link to this folder, built with what was just installed.
$(VENV)/.runtime: requirements.txt requirements-build.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements.txt -r requirements-build.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.runtime
	$(PIP) --require-hashes -r requirements-dev.txt
	@touch $@
