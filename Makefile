# Every target works on a fresh clone: no virtual environment needs to be active, or to exist.
MAKEFLAGS += --no-print-directory
VENV := .venv/bin/python
LOCK := uv pip compile --quiet --universal --generate-hashes --no-emit-index-url \
	--no-emit-find-links --python-version 3.12 --custom-compile-command "make lock" pyproject.toml
# What a server with a name of its own is started with; the values are examples.
PRODUCTION := ALLOWED_HOSTS=dashboard.example.com SECRET_KEY=0123456789-only-for-this-check-abcdefghijklmnopqrstuvwxyz

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-thorough test-postgres pictures bench scale mutants check format lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

run: .venv/installed ## Start the product (PORT, default 8000; DATA_DIR, default .data/)
	@exec $(VENV) manage.py serve

PYTEST := $(VENV) -m pytest -n auto --dist loadfile --no-loadscope-reorder

test: .venv/installed-dev ## Run the tests, browser tests included (ARGS="-k trigger" passes on)
	@$(VENV) -m tests.support.ensure_browser
	$(PYTEST) $(ARGS)

# What starts browsers or whole products, or takes a minute of its own.
SLOW_TESTS := $(addprefix tests/,browser exactly_once restart scale processes bench embedded/test_worker.py \
	embedded/test_worker_outages.py embedded/test_examples.py embedded/test_isolation.py test_upgrade.py test_structure.py \
	observability/test_processes.py observability/test_process_logs.py status/test_health_endpoints.py)

test-fast: .venv/installed-dev ## Run the tests without a browser and without whole products
	$(PYTEST) $(addprefix --ignore=,$(SLOW_TESTS)) $(ARGS)

test-thorough: export THOROUGH := 1
test-thorough: test ## Run every combination and many more examples, for a night

pictures: .venv/installed-dev ## Picture every page in every state into .pictures/ (ARGS="dialog": those)
	@$(VENV) -m tests.support.ensure_browser
	$(VENV) -m tests.browser.pictures $(ARGS)

# What depends on the database: locks, constraints, JSON columns, queries that claim rows, upgrades,
# and outages. What a page says of an attempt is the same on SQLite.
DATABASE_TESTS := $(addprefix tests/, \
	$(addprefix embedded/test_,api_keys.py redis_wakeups.py concurrency.py database_outage.py idempotency.py \
		in_process.py worker_outages.py queue.py reaping.py retention.py run_log.py runs.py trigger.py \
		work_orders.py worker.py worker_grants.py) \
	$(addprefix trigger_run/test_,attribution.py conflict.py reconciliation.py repeated_submission.py start_proof.py) \
	$(addprefix exactly_once/test_,double_submit.py second_answer.py walk.py) \
	$(addprefix restart/test_,database_away.py embedded_runs.py) \
	$(addprefix accounts/test_,password_throttle.py sessions.py sign_in_links.py) \
	attempts runs/test_provisional_run.py runs_api/test_read_cache.py \
	test_commands.py test_upgrade.py)

test-postgres: .venv/installed-dev ## Run the tests of what is stored on PostgreSQL, calls through Redis
	$(VENV) -m tests.support.ephemeral_servers postgres redis -- \
		$(PYTEST) $(DATABASE_TESTS) $(ARGS)

mutants: .venv/installed-dev ## Seed faults one at a time and list those that no test notices; takes hours
	@$(VENV) -m tests.support.ensure_browser
	$(VENV) -m tests.seeded_faults
	.venv/bin/mutmut run --max-children 1 # they share one test database
	.venv/bin/mutmut results

RUNS ?= 500
scale: .venv/installed-dev ## Kill workers while many operators start runs (RUNS=500), and print the figures
	SCALE_RUNS=$(RUNS) $(VENV) -m pytest tests/scale --capture=no $(ARGS)

bench: .venv/installed-dev ## Measure speed and size, in 10 minutes (ARGS="--quick --only live" passes on)
	@$(VENV) -m bench $(ARGS)

check: export DATA_DIR := .venv/check-data
check: .venv/installed-dev ## Lint, types, templates, migrations, production settings
	$(VENV) -m ruff check .
	$(VENV) -m ruff format --check .
	$(VENV) -m mypy .
	.venv/bin/lint-imports --no-cache
	$(VENV) -m djlint templates --lint --quiet
	$(VENV) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(VENV) manage.py check --deploy --fail-level WARNING

format: .venv/installed-dev ## Format Python
	$(VENV) -m ruff check --fix-only --quiet .
	$(VENV) -m ruff format .

lock: ## Resolve the dependencies anew (needs uv): all to their newest, pinned with hashes
	$(LOCK) --upgrade --output-file requirements.txt
	$(LOCK) --upgrade --extra dev --constraint requirements.txt --output-file requirements-dev.txt

clean: ## Remove the virtual environment and caches; data is kept
	rm -rf .venv mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -not -path './.data/*' -prune -exec rm -rf {} +

.venv/installed: requirements.txt
	@.ci/install requirements.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt
	@.ci/install requirements-dev.txt
	@touch $@
