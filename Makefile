# What can be done here? `make demo` and `make test` do all of their own set-up; see README.md.

PYTHON ?= python3
ARGS ?=
PIP := .venv/bin/python -m pip --disable-pip-version-check -qq install

.PHONY: demo test lint bench

demo: .venv/ready
	@exec .venv/bin/tocsin demo $(ARGS)

test: .venv/ready-for-tests chromium lint
	.venv/bin/python -m pytest --numprocesses 3 --dist loadfile $(ARGS)

lint: .venv/ready-for-tests
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy portal

bench: .venv/ready-for-tests
	.venv/bin/python -m tests.benchmarks $(ARGS)

# The stamps below are older than a lock file that has changed: then, and only then, pip runs again.
.venv/ready: requirements.lock | .venv/bin/python
	@echo "Installing what Tocsin needs (once) ..."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps -e .
	@touch $@

.venv/ready-for-tests: requirements-test.lock requirements.lock | .venv/bin/python
	@echo "Installing what Tocsin's tests need (once) ..."
	@$(PIP) --require-hashes -r requirements-test.lock
	@$(PIP) --no-deps -e .
	@touch $@ .venv/ready

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python is missing: please install Python 3.11 or newer."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Tocsin needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + ". With another one: make PYTHON=python3.12 ...")'
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

# The browser tests use Debian's Chromium. Without it they are skipped, and say so.
.PHONY: chromium
chromium:
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
	    echo "No chromium here: the browser tests will be skipped. On Debian: apt-get install chromium"; \
	else \
	    echo "Installing Debian's chromium for the browser tests (once) ..."; \
	    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends chromium; } >/dev/null \
	    || echo "Chromium could not be installed: the browser tests will be skipped."; \
	fi
