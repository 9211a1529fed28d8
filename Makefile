.PHONY: setup test lint types check
PY := .venv/bin/python

lint:
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports

types:
	.venv/bin/mypy .

test:
	.venv/bin/python -m pytest -n 2
