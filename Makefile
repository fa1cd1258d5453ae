# What there is to do with the warehouse. `make help` lists it; each line can be typed by itself.
# Settings are environment variables: `make settings` lists them.

PYTHON ?= python3
VENV ?= .venv
BIN = $(VENV)/bin
RUN = $(BIN)/python -m orchestration
LANDING = $${FUNNEL_LANDING:-landing}
# How many days `make more-days` adds.
DAYS ?= 1
# What `make simulate` writes; empty: what is there, else generic.
FORMAT ?=
# First-time visitors of a working day in what `make simulate` writes; empty: as FORMAT.
VISITORS ?=
UV = 0.13.9
COMPILE = $(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --quiet \
	--no-emit-index-url --no-emit-find-links --no-header --no-strip-extras

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help nightly test bench backfill rollback accept forget report quality verify docs sql sql-build metrics \
	publish-postgres ladders add-funnel dagster settings simulate more-days lint format lock clean

help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

nightly: $(VENV)/.for-nights ## Load what is new, build, check and publish; an empty landing gets a simulated company first
	@$(RUN) nightly

# In the order of tests/conftest.py: otherwise files of few tests come last, however long they take.
test: lint ## Lint, type-check and test everything
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder

bench: $(VENV)/.for-benchmarks ## Measure speed against others, floor and size, into benchmarks/results; it takes hours
	@$(BIN)/python -m benchmarks

backfill: $(VENV)/.for-nights ## Read web events of FROM=2026-01-01 TO=2026-01-31 again, then run the night
	@$(RUN) backfill --from "$$FROM" --to "$$TO"

rollback: $(VENV)/.for-nights ## Give readers the release before the current one, or TO=<release id>
	@$(RUN) rollback --to "$$TO"

accept: $(VENV)/.for-nights ## Let one finding of a gate pass: GATE=<gate> REASON='why it is right'
	@$(RUN) accept --gate "$$GATE" --reason "$$REASON"

forget: $(VENV)/.for-nights ## Remove PERSON=<address or id> from everything, once CONFIRM=<rows> says so
	@$(RUN) forget --person "$$PERSON" --confirm "$$CONFIRM"

report: $(VENV)/.for-nights ## Open the report of what readers have now
	@$(RUN) report

quality: $(VENV)/.for-nights ## Write the results of all gates as pages
	@$(RUN) quality

verify: $(VENV)/.for-nights ## Rebuild all tables from raw, and hold the kept ones against them
	@$(RUN) verify

docs: $(VENV)/.for-nights ## Write tables, columns and lineage as one page
	@$(RUN) docs

sql: $(VENV)/.for-nights ## Open a shell for SQL on the current release, for reading only; SQL on standard input works, too
	@$(RUN) sql

sql-build: $(VENV)/.for-nights ## The same on the build, where refused and quarantined rows are; while no night runs
	@$(RUN) sql-build

metrics: $(VENV)/.for-tests ## Ask declared metrics of the current release: ASK='query --metrics win_rate --group-by journey__funnel_id'
	@$(RUN) metrics $(ASK)

publish-postgres: $(VENV)/.for-nights ## Load the current release into PostgreSQL, at FUNNEL_POSTGRES_URL
	@$(RUN) publish-postgres

ladders: $(VENV)/.for-nights ## List the ready-made funnels, with their stages in English and Chinese
	@$(RUN) ladders

add-funnel: $(VENV)/.for-nights ## Add LADDER=<name> to the declarations, as FUNNEL=<funnel_id> if you like
	@$(RUN) add-funnel --ladder "$(LADDER)" --funnel "$(FUNNEL)"

dagster: $(VENV)/.for-nights ## Serve Dagster with its schedule and sensor on http://127.0.0.1:3000
	@$(RUN) dagster

settings: $(VENV)/.for-nights ## List every setting with default, range and reason
	@$(RUN) settings

simulate: $(VENV)/.for-nights ## Write the extracts of the simulated company, or as FORMAT=hubspot-snowplow …, or of VISITORS=1000 a day
	@$(BIN)/python -m simulation --landing "$(LANDING)" $(if $(FORMAT),--format $(FORMAT)) \
		$(if $(VISITORS),--visitors-per-day $(VISITORS))

more-days: $(VENV)/.for-nights ## Let the simulated company deliver DAYS=1 more days
	@$(BIN)/python -m simulation --landing "$(LANDING)" --more-days $(DAYS)

lint: $(VENV)/.for-tests ## Check the form of Python and SQL, and the types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary lifetime_value orchestration simulation expectations tests benchmarks
	@$(BIN)/sqlfluff lint --nocolor --disable-progress-bar models

format: $(VENV)/.for-tests ## Put Python and SQL into form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --nocolor --disable-progress-bar models

lock: $(VENV)/.created ## Resolve requirements*.in into locks with hashes and without addresses
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV)
	@$(COMPILE) requirements.in --output-file requirements.lock
	@$(COMPILE) requirements-dev.in --constraints requirements.lock \
		--output-file requirements-dev.lock
	@$(COMPILE) requirements-bench.in --constraints requirements-dev.lock \
		--output-file requirements-bench.lock

clean: ## Remove what can be made anew: the environment, caches; no deliveries, no state
	rm -rf $(VENV) target logs .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.created:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Expected Python 3.11 or later, found: $$($(PYTHON) --version 2>&1)."; \
		echo "Install it, or name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) cannot make virtual environments. On Debian: apt-get install python3-venv"; \
		exit 1; }
	@echo "Making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.for-nights: requirements.lock | $(VENV)/.created
	@echo "Installing what a night needs into $(VENV), exactly as requirements.lock has it"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements.lock
	@touch $@

$(VENV)/.for-tests: requirements-dev.lock $(VENV)/.for-nights
	@echo "Installing what the tests need into $(VENV), exactly as requirements-dev.lock has it"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements-dev.lock
	@touch $@

$(VENV)/.for-benchmarks: requirements-bench.lock $(VENV)/.for-tests
	@echo "Installing what the benchmarks compare with into $(VENV), exactly as requirements-bench.lock has it"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		--requirement requirements-bench.lock
	@touch $@
