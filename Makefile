.PHONY: demo demo-reset setup browser test chaos bench bench-large lint types lock

PORT = 8000

# The first target: what a newcomer wants.
demo: setup
	@.venv/bin/python -m backend.demo run --port $(PORT)

demo-reset: setup
	@.venv/bin/python -m backend.demo reset

# Quick when .venv is already right.
setup:
	@sh setup.sh

# A Chromium for the browser tests.
browser: setup
	@sh tests/browser/chromium.sh

test: setup browser
	STEADYBACK_SCREENSHOTS=$${STEADYBACK_SCREENSHOTS-.local/screenshots} .venv/bin/python -m pytest -n auto $(TESTS)

# Kills things at random moments, for minutes, and prints what was lost. It must be nothing.
chaos: setup
	.venv/bin/python -m bench.kill_everything

# How fast everything is, beside what it is compared with; writes docs/benchmarks.md. Minutes, on a machine left alone.
bench: setup
	.venv/bin/python -m bench --write

# The same on one and ten million scores, and what they take on disk: the better part of an hour, 15 GB.
bench-large: setup
	.venv/bin/python -m bench.large --write

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/lint-imports

types: setup
	.venv/bin/mypy .

COMPILE = $(if $(wildcard .uv/bin/uv),.uv/bin/uv,uv) pip compile --quiet --upgrade --python-version 3.13 --universal \
	--generate-hashes --no-emit-index-url --no-header --no-annotate

# Newest versions that fit requirements*.in, for every platform, pinned by hash.
lock: setup
	$(COMPILE) requirements.in -o requirements.txt
	$(COMPILE) requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(COMPILE) requirements-uv.in -o requirements-uv.txt
	$(MAKE) setup
