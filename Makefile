# make demo: set everything up and audit the demo data.   make test: set everything up and pass the whole suite.
VENV ?= .venv
PYTHON ?= python3
BIN := $(VENV)/bin
BASE := $(VENV)/.base
READY := $(VENV)/.ready

.PHONY: demo test test-assets lint docs generated clean

demo: $(BASE)
	@$(BIN)/leakaudit scan fixtures/demo --html reports/demo.html --pairs reports/demo-pairs.csv; \
	code=$$?; echo; \
	echo "Exit code $$code (1: leaks were found, as they should be here). The page is reports/demo.html"; \
	test $$code -eq 1

test: $(READY)
	$(BIN)/python -m pytest -n 2

# axe-core (MPL-2.0) for the tests of the HTML report's accessibility, and the official SARIF schema as a package of its
# makers (MIT) holds it; both stay out of the repository.
AXE := axe-core-4.14.1
SARIF := jest-sarif-1.0.0-beta.0
test-assets: .cache/axe-core/package/axe.min.js .cache/sarif-2.1.0.json

.cache/sarif-2.1.0.json:
	mkdir -p .cache/sarif
	npm pack --silent --pack-destination .cache/sarif @microsoft/$(subst sarif-,sarif@,$(SARIF))
	tar -xzf .cache/sarif/microsoft-$(SARIF).tgz -C .cache/sarif package/lib/schemas/sarif-2.1.0-rtm.5.json
	mv .cache/sarif/package/lib/schemas/sarif-2.1.0-rtm.5.json $@
	rm -r .cache/sarif

.cache/axe-core/package/axe.min.js:
	mkdir -p .cache/axe-core
	npm pack --silent --pack-destination .cache/axe-core $(subst core-,core@,$(AXE))
	tar -xzf .cache/axe-core/$(AXE).tgz -C .cache/axe-core package/axe.min.js package/LICENSE
	rm .cache/axe-core/$(AXE).tgz

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

generated: $(READY)
	$(BIN)/python docs/generate.py --check

# What a user gets: no extra, no tool of development.
$(BASE): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(READY): $(BASE)
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

clean:
	rm -rf $(VENV) site reports/demo.html reports/demo-pairs.csv
