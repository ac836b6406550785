# Two commands are enough: `make course` and `make lab`. The work is done in workshop/ (see `labcourse --help`).
# Variables: PYTHON=/path/to/python3.12 (which Python makes the environment), LABCOURSE_DATA=DIR (official samples).

FITS := import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))
NAMES := python3 python3.12 python3.13 python3.11 python3.10 python
PYTHON ?= $(firstword $(foreach name,$(NAMES),$(shell $(name) -c '$(FITS)' >/dev/null 2>&1 && echo $(name))))
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help course lab test notebooks bench site links

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

course: .venv/course.stamp ## make the environment, run the solutions of chapters and project, show their numbers
	@if [ -d solutions ]; then $(BIN)/labcourse run; else echo "There are no solutions here to run. Go on: make lab"; fi

# Its terminals know the command labcourse: a login shell, as JupyterLab may start one, would forget the PATH.
lab: .venv/course.stamp ## open JupyterLab on notebooks/
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/jupyter-lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks \
	--ServerApp.terminado_settings=shell_command="$${SHELL:-sh}"

# Processes of one thread each, for the networks of the course are small; three on two cores, since a sixth of the time one of
# them waits: for a browser, a kernel that starts, a process that has to die.
test: .venv/dev.stamp ## run all tests: package, doctests, style, notebooks in step, outputs of the solutions
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	LABCOURSE_OUTPUTS="$$scratch" LABCOURSE_DATA="$(CURDIR)/data" TF_CPP_MIN_LOG_LEVEL=3 \
	TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OMP_NUM_THREADS=1 \
	$(BIN)/python -m pytest -n 3 --dist loadscope --no-loadscope-reorder -q --color=no --nbval --nbval-current-env solutions tests labcourse course azh factory workshop

notebooks: .venv/course.stamp ## build notebooks/ and solutions/ from course/
	@$(BIN)/labcourse build

bench: .venv/course.stamp ## compare the course's fast ways with the plain ones
	@$(BIN)/python -m benchmarks

# Without a network; what Sphinx doubts, a link that leads nowhere for instance, is an error.
SPHINX = $(BIN)/python -m sphinx -q -W --keep-going -E -j auto -c docs -d build/site/doctrees
site: .venv/site.stamp ## build the pages to read in site/ (needs Python 3.11 or later)
	@rm -rf build/site && $(SPHINX) -b html . build/site/html && rm -rf site && mv build/site/html site
	@echo "site/index.html is the first page"

links: .venv/site.stamp ## ask all outside addresses of these pages (needs a network)
	@$(SPHINX) -b linkcheck . build/site/links

.venv/bin/python:
	@$(or $(PYTHON),false) -c '$(FITS)' 2>/dev/null || { \
	echo "No Python 3.10 to 3.13 with its venv module was found$(if $(PYTHON), as $(PYTHON))." >&2; \
	echo "Install one (Debian and Ubuntu: apt install python3 python3-venv; macOS: brew install python@3.12)," >&2; \
	echo "or say where it is: make course PYTHON=/path/to/python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

.venv/course.stamp: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

.venv/site.stamp: requirements-site.lock .venv/course.stamp
	$(PIP) --require-hashes -r requirements-site.lock
	@touch $@

.venv/dev.stamp: requirements-dev.lock requirements-nbgrader.lock .venv/site.stamp
	$(PIP) --require-hashes -r requirements-dev.lock
	$(PIP) --require-hashes --no-deps --upgrade --target .venv/nbgrader -r requirements-nbgrader.lock
	@touch $@
