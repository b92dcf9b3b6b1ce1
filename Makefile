.DEFAULT_GOAL := help
.PHONY: help install demo test test-fast parity lint benchmarks tables docs lock clean

BIN := .venv/bin

help: ## what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: .venv/.installed ## make .venv from requirements.lock
.venv/.installed: requirements.lock pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" sh scripts/setup.sh

demo: install ## IRNet on the built-in shapes, the whole recipe, with a report
	@$(BIN)/wsseg demo

TESTS := $(BIN)/python -m pytest --numprocesses auto --dist loadgroup

test: install ## ruff and the whole test suite
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(TESTS)

test-fast: install ## what needs no training: two and a half minutes on two cores
	@$(TESTS) -m "not slow"

parity: install ## the authors' numbers alone
	@$(BIN)/python -m tests.parity tests/parity

lint: install ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

benchmarks: install ## speed against the plain formulas, as ratios
	@$(BIN)/python -m benchmarks

tables: install ## write the tables of the docs from results/ and expected.toml
	@$(BIN)/wsseg compare

docs: install ## build the site of the documentation in site/
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@echo "site/index.html"

lock: install ## resolve pyproject.toml anew into requirements.lock
	@$(BIN)/uv lock --quiet
	@$(BIN)/uv export --quiet --frozen --no-emit-project --all-extras --no-annotate --no-header -o requirements.lock
	@rm uv.lock

clean: ## remove .venv and caches; data and runs stay
	@rm -rf .venv .pytest_cache .ruff_cache site *.egg-info
