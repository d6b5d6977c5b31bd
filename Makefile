# `demo` and `serve` install what serving needs (no torch); `test` and `check` install everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: install demo serve test check clean
install: $(VENV)/.everything

demo: $(VENV)/.serving
	$(BIN)/posecascade predict docs/demo/table_four_people.jpg docs/demo/treadmill_three_people.mp4 --out out/demo --draw

serve: $(VENV)/.serving
	$(BIN)/posecascade serve

test: $(VENV)/.everything
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest

check: $(VENV)/.everything
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist *.egg-info out/demo

$(VENV)/.serving: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

# torch goes first and alone: left to the resolver, another package can bring a CUDA build of several gigabytes.
# PyPI's own torch for Linux may be that build too; for the small one:
#   make install TORCH_INDEX="--index-url https://download.pytorch.org/whl/cpu"
$(VENV)/.everything: $(VENV)/.serving
	$(PIP) torch $(TORCH_INDEX)
	$(PIP) --editable '.[train,dev]'
	touch $@
