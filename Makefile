# `make help` lists the targets. After the first run everything works offline.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check
# Only wheels whose hashes stand in the lock files: nothing unpinned is fetched or built.
LOCKED := $(PIP) --require-hashes --only-binary=:all:
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-emit-find-links --custom-compile-command "make lock"

# The stamps live inside the environment: a new environment forgets them.
RUNTIME := $(VENV)/.runtime-installed
TESTING := $(VENV)/.test-installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: generate test e2e try stop check lint tools bench lock clean help

generate: $(RUNTIME) ## write the repository from platform.yaml and environments/
	@$(PY) gen.py

test: $(TESTING) ## run all tests
	@$(PY) -m dify_gitops.toolchain test # Argo CD takes minutes, the first time
	$(PY) -m pytest -n 2

e2e: $(TESTING) ## prove on a real API server and a real Argo CD that it all reconciles
	@$(PY) -m dify_gitops.toolchain e2e # Kubernetes takes minutes, the first time
	$(PY) -m pytest -v -s e2e --junit-xml=.e2e/junit.xml

try: $(TESTING) ## leave an environment with its Argo CD running to look at: make try ENVIRONMENT=prod
	@$(PY) -m dify_gitops.toolchain e2e
	@$(PY) -m e2e.playground start $(ENVIRONMENT)

stop: $(TESTING) ## end what `make try` left running
	@$(PY) -m e2e.playground stop

check: $(TESTING) tools ## is the written repository current, valid and by our rules?
	@$(PY) gen.py check

lint: $(TESTING) ## style and types of the generator's own code
	$(VENV)/bin/ruff check
	$(VENV)/bin/mypy

tools: $(RUNTIME) ## find kustomize and kubeconform, or build them into .tools/
	@$(PY) -m dify_gitops.toolchain

bench: $(TESTING) tools ## measure speed against public tools
	@$(PY) benchmarks/run.py

lock: ## refresh the lock files (needs uv); delete one first to move all its pins
	$(LOCK) pyproject.toml --group build -o requirements.lock
	$(LOCK) --group test -c requirements.lock -o requirements-test.lock
	$(LOCK) --group go -o requirements-go.lock

clean: ## remove environment, tools and caches
	rm -rf $(VENV) .tools .cache .e2e .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(RUNTIME): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "dify-gitops needs Python 3.11 or newer, but '$(PYTHON)' is not; try: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' has no venv module; on Debian and Ubuntu install the package python3-venv" >&2; exit 1; }
	@test ! -L $(VENV) || { \
		echo "$(VENV) is a symbolic link, and make would empty what it points to; remove the link" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@$(LOCKED) -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation --check-build-dependencies -e .
	@$(PY) -m compileall -q dify_gitops # also where Python is told not to write byte code: start-up is a third of a run
	@touch $@

$(TESTING): requirements-test.lock $(RUNTIME)
	@$(LOCKED) -r requirements-test.lock
	@touch $@
