# The verbs of the house. `make` alone says what there is.
PYTHON_IN_VENV := .venv/bin/python
RUNNER := $(PYTHON_IN_VENV) -m tools.runner
TEST_BASE ?= 19000

# where the environment forbids it, each of a hundred short-lived processes would compile all that it imports
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run test check types proto lock setup clean fmt new-service bench faults outages drill attack audit audit-journal people code play gallery call sandbox kill backup restore replay

help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: setup ## the whole house on this machine, with the demo city; Ctrl-C ends it
	@$(RUNNER) run

test: setup ## all tests, on servers and ports of their own (TEST_BASE=19000)
	@$(RUNNER) exec --instance test --base $(TEST_BASE) --with-house -- $(PYTHON_IN_VENV) -m tools.run_tests

check: setup ## style, types, architecture, contract, glossary
	@$(PYTHON_IN_VENV) -m tools.checks

types: setup ## the types alone
	@$(PYTHON_IN_VENV) -m mypy

proto: setup ## generate libs/contracts from proto/
	@$(PYTHON_IN_VENV) -m tools.generate_proto

# our own packages are members of the workspace, not entries of the lock
MEMBERS := $(notdir $(patsubst %/,%,$(dir $(wildcard libs/*/pyproject.toml services/*/pyproject.toml gateway/pyproject.toml demo/pyproject.toml faults/pyproject.toml attack/pyproject.toml))))

lock: setup ## resolve the newest stable versions into requirements.lock, without any registry's address
	@.venv/bin/uv pip compile --quiet --upgrade pyproject.toml --group dev --universal --python-version 3.12 --generate-hashes \
	  --no-emit-index-url --no-annotate --no-header $(addprefix --no-emit-package ,$(MEMBERS)) -o requirements.lock

setup: ## everything that the house needs; quick when nothing has changed
	@tools/setup.sh

clean: ## forget all data, logs and secrets (downloads stay)
	@$(RUNNER) clean

fmt: setup ## format the code
	@$(PYTHON_IN_VENV) -m ruff format .
	@$(PYTHON_IN_VENV) -m ruff check --fix --select I .

new-service: setup ## stamp the rooms of a new service: make new-service NAME=grid
	@$(PYTHON_IN_VENV) -m tools.new_service $(NAME)

BENCH ?=

bench: setup ## measure everything, ten minutes (bench/README.md); BENCH="steps bus" takes some parts, "--seeded 10000" a smaller city
	@$(PYTHON_IN_VENV) -m bench $(BENCH)

FILINGS ?= 200
KILLS ?= 40
SEED ?= 1
SECONDS_AWAY ?= 60

# which copy of the house they break: their own, or one that is up already
FAULTS_AT ?= --instance faults --base 22400

# rate limits are for people: the campaign's few accounts file and decide for a whole city
faults: setup ## break the house at random, let it die at each point, reconcile; half an hour: FILINGS=200 KILLS=40 SEED=1
	@GATEWAY_PERSON_RATE=100000 GATEWAY_PERSON_BURST=100000 $(RUNNER) exec $(FAULTS_AT) --with-house -- \
	  $(PYTHON_IN_VENV) -m faults.main --filings $(FILINGS) --faults $(KILLS) --seed $(SEED) --keep

outages: setup ## each part away, each clock wrong, each disk full, under load; an hour with SECONDS_AWAY=60
	@GATEWAY_PERSON_RATE=100000 GATEWAY_PERSON_BURST=100000 $(RUNNER) exec $(FAULTS_AT) --with-house -- \
	  $(PYTHON_IN_VENV) -m faults.outages --seconds $(SECONDS_AWAY)

drill: setup ## back a house up while it works, lose it, restore it, and reconcile
	@GATEWAY_PERSON_RATE=100000 GATEWAY_PERSON_BURST=100000 $(PYTHON_IN_VENV) -m faults.drill

CASES ?= 20000

attack: setup ## ask every door everything as everybody: CASES=20000 SEED=1
	@GATEWAY_PERSON_RATE=100000 GATEWAY_PERSON_BURST=100000 GATEWAY_ANONYMOUS_RATE=100000 GATEWAY_ANONYMOUS_BURST=100000 \
	  $(RUNNER) exec --instance attack --base 22800 --with-house -- \
	  sh -c '$(PYTHON_IN_VENV) -m attack.main --cases $(CASES) --seed $(SEED) --keep && $(PYTHON_IN_VENV) -m attack.crowd'

audit: setup ## known holes in the packages that we use; fails where nobody can be asked
	@$(PYTHON_IN_VENV) -m tools.audit

JOURNALS := accounts verification orchestration workbench gateway

audit-journal: setup ## whether the sealed journals of a house that is up are as they were
	@for name in $(JOURNALS); do echo "$$name:"; $(RUNNER) exec --instance main -- $(PYTHON_IN_VENV) -m $$name.main verify-journal || exit 1; done

# for a house that `make run` has up
DEMO := $(RUNNER) exec --instance main -- $(PYTHON_IN_VENV) -m demo.main

people: ## the demo's accounts and their passwords
	@$(DEMO) people

code: ## an officer's one-time code: make code NAME=police
	@$(DEMO) code $(NAME)

play: ## the newborn's story once more
	@$(DEMO) play

gallery: ## one filing for every way a matter can stand, and who sees it where
	@$(DEMO) gallery

call: ## ask the API as one of the demo's people: make call NAME=admin TO=workbench/v1/apps [BODY=app.json]
	@$(DEMO) call $(NAME) $(TO) $(abspath $(BODY))

sandbox: ## what a department's developer needs to connect a system (docs/connect.md)
	@$(DEMO) sandbox

backup: ## all databases at one point in time, with the secrets: make backup TO=folder
	@$(RUNNER) backup $(TO)

restore: ## the other way, for a house that is down: make restore FROM=folder
	@$(RUNNER) restore $(FROM)

replay: ## hand what a service has put aside to its consumers again: make replay NAME=workbench
	@$(RUNNER) exec --instance main -- $(PYTHON_IN_VENV) -m $(NAME).main replay

kill: ## a crash, to watch it come back: make kill NAME=workbench
	@$(RUNNER) control kill $(NAME)
