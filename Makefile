# Everything below builds its own environment first, once; `make help` lists the targets.
PYTHON ?= python3
VENV ?= .venv
PYTEST_ARGS ?= -n 2
WORKLOADS ?=
LAYERS ?=
KERAS ?=
GUIDE ?=
FUZZ ?= 20000
FORMATS ?= hdf5 tree keras json npz pickle unpacked safetensors

PY = $(VENV)/bin/python
PIP = $(PY) -m pip --disable-pip-version-check --quiet
INSTALL = $(PIP) install --constraint constraints.txt
# One thread for each of the two test processes, so that they do not fight over the cores.
ONE_THREAD = OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test test-slow fuzz lint format bench bench-compile bench-scale bench-layers bench-files gpu-check clean

help:  ## list the targets
	@echo "Targets (each builds its environment in $(VENV) first):"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { names[++n] = $$1; what[n] = $$2; if (length($$1) > most) most = length($$1) } \
	  END { for (i = 1; i <= n; i++) printf "  make %-*s  %s\n", most, names[i], what[i] }' Makefile
	@echo "Settings: PYTHON=$(PYTHON) VENV=$(VENV) PYTEST_ARGS='$(PYTEST_ARGS)' WORKLOADS='dense100 …' LAYERS='lstm …' KERAS=interpreter GUIDE=folder FUZZ=number FORMATS='hdf5 …'"

demo: $(VENV)/.plot  ## train an MLP and a CNN on real handwritten digits
	@$(PY) examples/mnist_demo.py

test: $(VENV)/.test  ## run all tests and doctests
	$(ONE_THREAD) $(PY) -m pytest $(PYTEST_ARGS)

test-slow: $(VENV)/.test  ## run the tests marked slow
	$(ONE_THREAD) $(PY) -m pytest -m slow $(PYTEST_ARGS)

fuzz: $(VENV)/.test  ## read FUZZ mutated files of each format (20000), each in a child process; finds go to build/fuzz
	$(ONE_THREAD) $(PY) -m tests.fuzz --count $(FUZZ) --formats $(FORMATS)

lint: $(VENV)/.lint  ## ruff (rules and format) and mypy --strict
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy --strict

format: $(VENV)/.lint  ## let ruff put the code in order
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

bench: $(VENV)/.torch  ## time fit, evaluate and predict against a hand-written PyTorch loop
	$(PY) benchmarks/compare.py --python ours=$(PY) --python ours:jit=$(PY) --python torch=$(PY) $(WORKLOADS)
	$(PY) benchmarks/calls.py ours
	$(PY) benchmarks/calls.py torch
	$(PY) benchmarks/overhead.py

bench-compile: $(VENV)/.torch  ## time what jit_compile=True costs, cold and warm, against torch.compile
	$(PY) benchmarks/compile_cost.py $(WORKLOADS)

bench-scale: $(VENV)/.plot  ## plot the step time over width, depth, batch, embedding rows and data rows
	$(PY) benchmarks/scale.py

bench-layers: $(VENV)/.torch  ## time layers alone against torch and, with KERAS= and KERAS3=interpreter, two Keras
	$(PY) benchmarks/layers.py $(if $(KERAS),--keras "$(KERAS)") $(if $(KERAS3),--keras3 "$(KERAS3)") $(LAYERS)

bench-files: $(VENV)/.torch  ## time saving and loading a model of 500 MB against torch.save and torch.load
	$(PY) benchmarks/model_files.py

gpu-check:  ## tests and benchmarks on CUDA, with the torch that PYTHON has; installs nothing
	@$(PYTHON) benchmarks/gpu_check.py $(if $(GUIDE),--guide "$(GUIDE)") $(WORKLOADS)

clean:  ## remove the environment and everything that was made
	rm -rf $(VENV) build dist demo-output *.egg-info .pytest_cache .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is a file that says «this part is installed»; it is made again when what it was made from changes.
$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
	  echo "$(PYTHON) was not found; install Python 3.10 or newer, or say which: make PYTHON=/path/to/python3 …"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	  $(PYTHON) -c 'import sys; print("$(PYTHON) is Python", sys.version.split()[0] + "; 3.10 or newer is needed: make PYTHON=python3.12 …")'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "This Python cannot make virtual environments. On Debian and Ubuntu: apt install python3-venv python3-pip"; exit 1; }
	@echo "==> making a virtual environment in $(VENV)"
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.torch: $(VENV)/.made setup.cfg pyproject.toml constraints.txt
	@echo "==> installing PyTorch and torchkeras_compat (by far the longest step: it downloads PyTorch)"
	@$(INSTALL) torch
	@$(INSTALL) --editable .
	@touch $@

$(VENV)/.plot: $(VENV)/.torch
	@echo "==> installing what draws pictures"
	@$(INSTALL) --editable '.[plot]'
	@touch $@

$(VENV)/.test: $(VENV)/.torch
	@echo "==> installing what the tests need"
	@$(INSTALL) --editable '.[test]'
	@touch $@

$(VENV)/.lint: $(VENV)/.test
	@echo "==> installing ruff and mypy"
	@$(INSTALL) --editable '.[lint]'
	@touch $@
