# dlref: `make serve` shows the site, `make test` proves it, `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8000
DEVICE ?= cpu
BIN := .venv/bin
RUN := $(BIN)/python
export NO_MKDOCS_2_WARNING := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# the tests of dlref's own modules: tests/test_<module>*.py
UNIT_TESTS = $(foreach m,$(patsubst dlref/%,%,$(basename $(wildcard dlref/[a-z]*))),$(wildcard tests/test_$(m)*.py))

# one worker per core, each with one thread: a file's tests stay together, in their order
JOBS ?= auto
PARALLEL = -n $(JOBS) --dist loadfile
ifneq ($(DEVICE),cpu)
PARALLEL =
endif

.DEFAULT_GOAL := help
.PHONY: help serve site offline test lint format outputs sync bench wheel dist browser \
	new-page clean release report-nightly

# TORCH=2.11.0 TORCHVISION=0.26.0 tests with other versions than those of constraints.txt;
# TORCH=nightly leaves the choice to pip (PIP_PRE, PIP_EXTRA_INDEX_URL).
PINS := constraints.txt
ifdef TORCH
PINS := .venv/constraints.txt
endif

help:  ## list the targets
	@echo "make TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
		|| sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1: \2/p' $(MAKEFILE_LIST)
	@echo "next: make serve"

# --- environments: installed once, again only when their requirements change ----------

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "dlref needs Python 3.11 or newer; name one: make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/site.stamp: $(PINS) pyproject.toml | .venv/bin/python
	@echo "== installing what the site needs into .venv (no torch)"
	$(BIN)/pip install --no-warn-script-location -c $(PINS) \
		$$($(RUN) docs/tools/requirements.py docs)
	@touch $@

.venv/dev.stamp: $(PINS) pyproject.toml | .venv/bin/python
	@echo "== installing the package and all its tools into .venv (with torch: a few minutes)"
	$(BIN)/pip install --no-warn-script-location -c $(PINS) -e '.[dev]'
	@touch .venv/site.stamp $@

.venv/constraints.txt: constraints.txt | .venv/bin/python
	sed -e 's/^torch==.*/torch==$(TORCH)/' -e 's/^torchvision==.*/torchvision==$(TORCHVISION)/' \
		-e '/==nightly$$/d' -e '/==$$/d' $< > $@

# --- the site --------------------------------------------------------------------------

serve: .venv/site.stamp  ## show the site on 127.0.0.1:8000 (PORT=), rebuilt on save
	@$(BIN)/mkdocs serve --dev-addr 127.0.0.1:$(PORT)

site: .venv/site.stamp  ## build the site into site/, strictly
	$(BIN)/mkdocs build --strict
	@echo "next: open site/index.html by double click, or make offline"

offline: site  ## pack the site into one zip under dist/
	$(RUN) docs/tools/offline.py
	@echo "next: unzip it anywhere and open dlref/index.html"

# --- proof -----------------------------------------------------------------------------

test: lint browser  ## prove everything: code, pages, site, wheel (DEVICE=cuda on a GPU; JOBS=)
	@echo "== tests, doctests, every block of every page, the site in a browser"
	$(RUN) -m pytest $(PARALLEL) -m "not alone" --device $(DEVICE)
	@echo "== what measures time, with nothing beside it"
	$(RUN) -m pytest -m alone tests
	@echo "== the package again, its annotations checked at run time"
	DLREF_EXAMPLES=few $(RUN) -m pytest -q $(PARALLEL) --typecheck --device $(DEVICE) \
		$(UNIT_TESTS)
ifneq ($(DEVICE),cpu)
	@echo "== the record of $(DEVICE)"
	$(RUN) -m docs.tools.update --device $(DEVICE)
endif
	@$(MAKE) --no-print-directory wheel
	@echo "all proven. next: git commit, or make serve"

lint: .venv/dev.stamp  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	@echo "next: make test"

format: .venv/dev.stamp  ## mend style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	@echo "next: make lint"

outputs: .venv/dev.stamp  ## run the pages; write outputs, figures and the record
	$(RUN) -m docs.tools.update

sync: .venv/site.stamp  ## both languages were read side by side: renew the lock (READ=)
	$(RUN) -m docs.tools.lock --read "$(READ)"
	@echo "next: make test"

bench: .venv/dev.stamp  ## measure speed beside torch and torchvision
	$(RUN) -m tests.benchmarks
	@echo "next: read docs/en/about/performance.md"

wheel: .venv/dev.stamp  ## build the wheel and use it in a clean environment
	$(RUN) tests/check_wheel.py
	@echo "next: make test"

dist: .venv/dev.stamp  ## build wheel and source archive under dist/
	$(RUN) -m build
	@echo "next: make offline"

browser: .venv/dev.stamp
	@$(RUN) docs/tools/chromium.py

new-page: .venv/site.stamp  ## write both skeletons of a page: SLUG=practice/device
	@$(RUN) -m docs.tools.new_page "$(SLUG)"

# for the workflows; $(TAG), $(RUN_URL) and the token come from there
release:
	gh release create "$(TAG)" --verify-tag --generate-notes dist/*

report-nightly:
	gh issue create --title "nightly torch fails" --body "$(RUN_URL)"

clean:  ## remove what was built (not .venv)
	rm -rf site dist build .cache .pytest_cache .ruff_cache .hypothesis
	@echo "next: make serve"
