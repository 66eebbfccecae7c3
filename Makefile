# `make help` lists the targets.
PYTHON := .venv/bin/python
export QT_LOGGING_RULES ?= qt.qpa.*=false;qt.multimedia.*=false

.DEFAULT_GOAL := help
.PHONY: help setup run test lint check faults gallery bench lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Install what is missing: system packages, virtual environment, font, placeholder voice
	@tools/setup

run: setup ## The main job: terminal, town office and emulated devices (OPTS="--camera /dev/video0 …")
	@.venv/bin/kiosk demo $(OPTS)

test: setup lint ## Everything CI checks: lint, types, import contracts, tests
	@QT_QPA_PLATFORM=offscreen $(PYTHON) -m pytest -q -m "not long and not faults" -n auto --dist loadfile --no-loadscope-reorder $(ARGS)

lint: ## ruff, mypy --strict, import contracts
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports --no-cache

faults: setup ## The fault campaign: kills, power cuts, lying network (SCALE=0.1 for a short one, SEED=7 to repeat one)
	@rm -rf build/faults
	@$(PYTHON) -m pytest -q -m faults tests/faults tests/sync tests/office --scale $(or $(SCALE),1) $(if $(SEED),--seed $(SEED)) $(ARGS); \
	status=$$?; $(PYTHON) tests/faults/report.py; exit $$status

gallery: setup ## Pictures of every screen in both orientations, to build/gallery
	@QT_QPA_PLATFORM=offscreen $(PYTHON) -m pytest -q tests/screens --gallery build/gallery

bench: setup ## Figures of this machine (minutes; run by hand)
	@$(PYTHON) benchmarks/run.py

lock: ## Renew requirements/*.txt from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --all-extras --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/all.txt
	uv pip compile requirements/no-deps.in --no-deps --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/no-deps.txt

clean: ## Remove what set-up and runs have made
	rm -rf .venv build var
