# Two commands: `make run` shows the program, `make test` tests it.

HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test load lint format clean

run: .venv/installed
	@$(BIN)/jobauto db upgrade
	@$(BIN)/jobauto demo --if-empty 2>/dev/null
	@$(BIN)/jobauto run-daily-job-automation 2>/dev/null || [ $$? -le 3 ]
	@$(BIN)/jobauto first-login
	@echo "Serving on http://$(HOST):$(PORT)"
	@exec $(BIN)/gunicorn --bind $(HOST):$(PORT) --workers 1 --threads 8 --no-control-socket --log-level warning wsgi:app

test: .venv/installed-for-tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/pytest -n 2

load: .venv/installed-for-tests
	@$(BIN)/python -W ignore -m tests.load

format: .venv/installed-for-tests
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.venv/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jobauto needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

.venv/installed-for-tests: .venv/installed
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

clean:
	rm -rf .venv build dist
