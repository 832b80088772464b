# make demo    try it: archive the bundled sample show       make test    run the test suite
# make ingest  archive the shows of feeds.yaml               make serve   open the archive as a site
# make status  what the archive holds                        make lint    style and types
# make verify  prove the archive, file by file (DB=)
# make publish  a copy that is only read, to put elsewhere (DB=, OUT=)
# make bench   measure it (for hours)                        make test-browser  the pages in Chromium
# make soak    a bad day: bad hosts, killed runs (for 5 minutes)  make test-site  the site on the newest Datasette alpha
# make audit   known vulnerabilities of what it depends on
# make fuzz    read mutated feeds and notes (for 10 minutes; SEEDS= adds folders of them)
# make clean   remove .venv and what tools left (never db/)  make screenshots  the README's pictures

FEEDS ?= feeds.yaml
DB ?= db/archive.db
OUT ?= published
PORT ?= 8001
PYTHON ?= python3
BIN := .venv/bin
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo ingest serve status verify publish test test-browser test-site lint audit bench fuzz soak screenshots clean

demo: .venv/ready
	$(BIN)/python -m pipeline.sample --db db/demo.db

ingest: .venv/ready
	$(BIN)/python -m pipeline ingest --feeds $(FEEDS) --db $(DB)

serve: .venv/ready
	$(BIN)/python -m pipeline serve --db $(DB) --port $(PORT)

status: .venv/ready
	$(BIN)/python -m pipeline status --db $(DB)

verify: .venv/ready
	$(BIN)/python -m pipeline verify --db $(DB)

publish: .venv/ready
	$(BIN)/python -m pipeline publish --db $(DB) --out $(OUT)

test: .venv/ready-test
	$(BIN)/python -m pytest -n auto --dist loadfile -m "not browser"

test-browser: .venv/ready-test
	$(BIN)/python -m pytest -n auto --dist loadfile -m browser

# The alpha lies in a folder of its own that goes before the installed packages: nothing is installed twice.
test-site: export PYTHONPATH = $(CURDIR)/.venv/datasette-1.0
test-site: .venv/ready-test .venv/datasette-1.0/ready
	$(BIN)/python -m pip check
	$(BIN)/python -m pytest -n auto --dist loadfile -m "site or browser"

lint: .venv/ready-lint .venv/ready-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

audit: .venv/ready-audit
	$(BIN)/pip-audit --requirement constraints.txt --no-deps --disable-pip --progress-spinner off

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(INSTALL) --upgrade pip

.venv/ready: .venv/bin/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	touch $@

.venv/ready-%: .venv/ready
	$(INSTALL) --group $*
	touch $@

.venv/datasette-1.0/ready: .venv/ready constraints-datasette-1.0.txt
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(@D) --requirement constraints-datasette-1.0.txt
	touch $@

bench: .venv/ready-test
	$(BIN)/python benchmarks/speech.py
	$(BIN)/python benchmarks/speakers.py
	$(BIN)/python benchmarks/models.py
	$(BIN)/python benchmarks/align.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/quotes.py
	$(BIN)/python benchmarks/episode_page.py
	$(BIN)/python benchmarks/acquire.py
	$(BIN)/python benchmarks/renditions.py

fuzz: .venv/ready-fuzz
	$(BIN)/python benchmarks/fuzz.py $(SEEDS)

soak: .venv/ready-test
	$(BIN)/python -m tests.support.soaking

screenshots: .venv/ready-test
	mkdir -p docs && SCREENSHOTS=docs $(BIN)/python -m pytest -q tests/browser/test_search.py tests/browser/test_quote.py

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
