# `make demo` runs everything on this machine; `make test` runs all tests. Both set up .venv from the lock file first.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv/bin
SET_UP := .venv/.set-up

export DO_NOT_TRACK = 1
export PREFECT_SERVER_ANALYTICS_ENABLED = false

.PHONY: setup demo test check lock

setup: $(SET_UP)

$(SET_UP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
	  { echo "Gatewright needs Python 3.11. Remedy: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up .venv from requirements.lock (about two minutes)"
	@$(PYTHON) -m venv .venv
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@$(VENV)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(SET_UP)

demo: setup
	@$(VENV)/python -m deployments.local.demo $(ARGS)

# Two workers, each with servers of its own: the longest tests wait for servers. A file's tests stay together, since some
# continue what others began (tests/conftest.py); the long ones come early by their names.
test: setup
	$(VENV)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports

lock:
	uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url --python-version 3.11 \
	  --custom-compile-command "make lock" -o requirements.lock
