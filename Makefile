# Every target makes the virtual environment it needs and uses it again; nothing has to be activated.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Without bytecode every process of a stack compiles each library anew: some machines ask for that in their environment.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types imports chaos soak bench web acceptance lock clean

help: ## what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# bmn and the sandbox: what runs on a machine without keys. Production installs requirements.txt alone.
RUN_PINS := requirements.txt requirements-sandbox.txt
RUN_MB := 145
$(VENV)/.run: $(RUN_PINS) pyproject.toml bmn_sandbox/pyproject.toml setup.py
	@PYTHON=$(PYTHON) sh tools/install.sh bmn $(RUN_MB) $(VENV) $(RUN_PINS) -- . ./bmn_sandbox
	@touch $@

DEV_MB := 125
$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@sh tools/install.sh "the tests" $(DEV_MB) $(VENV) requirements-dev.txt
	@touch $@

# In the home that every other command uses: what comes next goes on with this brand.
demo: $(VENV)/.run ## four logos, made on this machine without a key; they land in demo/
	@$(BIN)/bmn generate logos --brand "Acme Coffee" --out demo

# How many tests may fail and then pass when they run once more, alone. They are printed; more of them fail the run.
export FLAKES ?= 10
# web/ waits by its clocks more than it works: it runs beside the others, and tells when they have ended.
WEB = $(MAKE) --no-print-directory web
TESTS := $(BIN)/python -m tests.run -q -n 4 --dist loadfile --no-loadscope-reorder
test: $(VENV)/.dev ## the tests to work with: every room, meant for 4 minutes; needs nothing but Python
	$(TESTS) -m "not full"

check: format lint types imports tests/node/node_modules web/node_modules ## all that has to pass before a change lands; meant for 20 minutes
	@mkdir -p build; web=; \
	if command -v npm >/dev/null; then $(WEB) >build/web.log 2>&1 & web=$$!; \
	else echo "Node is not installed: the tests of web/ are skipped"; fi; \
	code=0; $(TESTS) || code=$$?; \
	if [ -n "$$web" ]; then wait $$web || code=$$?; cat build/web.log; fi; \
	exit $$code

format: $(VENV)/.dev
	$(BIN)/ruff format --check .

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

chaos: $(VENV)/.dev ## every fault one machine can produce, with the invariants checked after each
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m chaos tests/chaos tests/live

SECONDS ?= 600
soak: $(VENV)/.dev ## random work and faults from a seed: make soak SECONDS=3600
	$(BIN)/python -m tests.chaos.soak --seconds $(SECONDS)

bench: $(VENV)/.dev ## the figures of docs/performance.md
	$(BIN)/python -m bench.submit
	$(BIN)/python -m bench.listing
	$(BIN)/python -m bench.engine
	$(BIN)/python -m bench.sockets

web: $(VENV)/.run web/node_modules ## the React client, against a server that its tests start; needs Node
	$(BIN)/python -m tools.typescript
	@if command -v npm >/dev/null; then cd web && BMN=$(CURDIR)/$(BIN)/bmn npm test; \
	else echo "Node is not installed: there is nothing that could test web/"; exit 1; fi

acceptance: $(VENV)/.dev tests/node/node_modules web/node_modules ## the specification's 38 criteria, one test each, and their table
	$(BIN)/python -m pytest -q tests/acceptance

tests/node/node_modules: tests/node/package-lock.json
	@if command -v npm >/dev/null; then cd tests/node && npm ci --silent && touch node_modules; \
	else echo "Node is not installed: what needs the JavaScript client is skipped"; fi

web/node_modules: web/package-lock.json
	@if command -v npm >/dev/null; then cd web && npm ci --silent && touch node_modules; \
	else echo "Node is not installed: what needs the React hooks is skipped"; fi

LOCK := build/lock/bin/pip install --quiet
FREEZE := build/lock/bin/pip freeze --exclude bmn --exclude bmn-sandbox
lock: ## renews the pins from the ranges of pyproject.toml
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	$(LOCK) . && $(FREEZE) > requirements.txt
	$(LOCK) . ./bmn_sandbox && $(FREEZE) | grep -vxFf requirements.txt > requirements-sandbox.txt
	$(LOCK) '.[dev]' && $(FREEZE) | grep -vxFf requirements.txt -f requirements-sandbox.txt > requirements-dev.txt
	@for pins in "$(RUN_PINS)" requirements-dev.txt; do \
	  build/lock/bin/pip download -qq --no-deps -d build/wheels $$(printf -- '-r %s ' $$pins) && \
	  echo "$$(du -sm build/wheels | cut -f1) MB to download for $$pins: correct RUN_MB and DEV_MB" && rm -rf build/wheels; done
	rm -rf build

clean: ## removes the environment and what the demo left
	rm -rf $(VENV) demo build .pytest_cache .mypy_cache .ruff_cache
