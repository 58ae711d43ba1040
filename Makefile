# `make run` shows the program, `make check` tests it while one works, `make test` tests all; `make bench` measures it.

HOST ?= 127.0.0.1
PORT ?= 8000
PYTHON ?= python3
BIN := .venv/bin

unexport PYTHONDONTWRITEBYTECODE # some images set it: each process would compile the program anew

.PHONY: run check test lint load bench format lock audit sbom release clean

run: .venv/installed
	@$(BIN)/jobauto db upgrade
	@$(BIN)/jobauto demo --if-empty 2>/dev/null
	@$(BIN)/jobauto run-daily-job-automation 2>/dev/null || [ $$? -le 3 ]
	@$(BIN)/jobauto first-login
	@echo "Serving on http://$(HOST):$(PORT)"
	@exec $(BIN)/gunicorn --bind $(HOST):$(PORT) --workers 1 --threads 8 --no-control-socket --log-level warning wsgi:app

check: lint # on SQLite, without tests that start processes of their own
	$(BIN)/pytest -n 2 --dist worksteal

test: lint # a third at once, for many of them wait
	$(BIN)/pytest -n 3 --dist worksteal --engine both --processes

lint: .venv/installed-for-tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

load: .venv/installed-for-tests
	@$(BIN)/python -W ignore -m tests.load

bench: .venv/installed-for-tests
	@$(BIN)/python -m tests.bench

format: .venv/installed-for-tests
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: # the newest versions that pyproject.toml allows, for every Python and machine, with their hashes
	$(PYTHON) -m venv .venv/lock
	.venv/lock/bin/python -m pip install --quiet --upgrade pip uv
	.venv/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --generate-hashes \
	  --no-header --no-emit-index-url --no-emit-find-links --output-file .venv/lock/locked pyproject.toml
	@echo "# Made by: make lock. Install with: pip install --require-hashes -r requirements.lock" >requirements.lock
	@cat .venv/lock/locked >>requirements.lock
	$(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")' \
	  >.venv/lock/build.in
	.venv/lock/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file .venv/lock/build .venv/lock/build.in
	@echo "# Made by: make lock. What builds the wheel: pip install --require-hashes -r requirements-build.lock" \
	  >requirements-build.lock
	@cat .venv/lock/build >>requirements-build.lock

audit: # needs the network: asks a public service which locked versions have known vulnerabilities
	$(PYTHON) -m venv .venv/audit
	.venv/audit/bin/python -m pip install --quiet pip-audit
	@# strict: of a version that the service does not know, nobody can say that it is safe
	.venv/audit/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

sbom: # a software bill of materials of the lock, by CycloneDX
	$(PYTHON) -m venv .venv/sbom
	.venv/sbom/bin/python -m pip install --quiet 'cyclonedx-bom>=7,<8'
	@mkdir -p dist
	.venv/sbom/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --of JSON \
	  --output-file dist/jobauto.cdx.json requirements.lock

release: audit sbom .venv/installed-for-tests # what a release consists of, in dist/; none with a known vulnerability
	$(BIN)/python -m build --outdir dist .

.venv/installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "jobauto needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	@sed -n 's/^\([A-Za-z0-9].*\) \\$$/\1/p' requirements.lock >.venv/constraints
	$(BIN)/python -m pip install --quiet --constraint .venv/constraints --editable .
	@touch $@

.venv/installed-for-tests: .venv/installed
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --constraint .venv/constraints --group dev
	@touch $@

clean:
	rm -rf .venv build dist
