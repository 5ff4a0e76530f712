# make demo: set everything up and audit the demo data.   make test: set everything up and pass the whole suite.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint docs generated clean

demo: $(READY)
	@$(BIN)/leakaudit scan fixtures/demo --html reports/demo.html --pairs reports/demo-pairs.csv; \
	code=$$?; echo; \
	echo "Exit code $$code (1: leaks were found, as they should be here). The page is reports/demo.html"; \
	test $$code -eq 1

test: $(READY)
	$(BIN)/python -m pytest -n 2

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

generated: $(READY)
	$(BIN)/python docs/generate.py --check

$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

clean:
	rm -rf $(VENV) site reports/demo.html reports/demo-pairs.csv
