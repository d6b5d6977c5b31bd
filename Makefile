# `demo` and `serve` install what serving needs (no torch); `test` and `check` install everything.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --disable-pip-version-check --constraint constraints.txt

.PHONY: install demo serve test test-slow check train-smoke fairness figures clean
install: $(VENV)/.everything

demo: $(VENV)/.serving
	$(BIN)/posecascade predict docs/demo/table_four_people.jpg docs/demo/treadmill_three_people.mp4 --out out/demo --draw

serve: $(VENV)/.serving
	$(BIN)/posecascade serve

test: $(VENV)/.everything
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -m "not slow"

# Trains, exports and renders for some minutes.
test-slow: $(VENV)/.everything
	OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -m slow

check: $(VENV)/.everything
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Renders, trains, exports and evaluates at toy size: shows that every phase runs, not that anything is learned.
SMOKE := out/smoke
SMOKE_RECIPES := models/lab/training/recipes/smoke
train-smoke: $(VENV)/.everything
	rm -rf $(SMOKE)
	$(BIN)/posecascade train $(SMOKE_RECIPES)/coarse.toml --out $(SMOKE)
	$(BIN)/posecascade train $(SMOKE_RECIPES)/refine.toml --out $(SMOKE)
	$(BIN)/posecascade train $(SMOKE_RECIPES)/expert.toml --out $(SMOKE)
	$(BIN)/posecascade export onnx $(SMOKE)/*.pt --weights $(SMOKE)/weights
	$(BIN)/python -m posecascade.models.lab.rendering --labels $(SMOKE)/frames --frames 8 --size 320 --split dev
	$(BIN)/posecascade eval --data $(SMOKE)/frames --weights $(SMOKE)/weights --out $(SMOKE)/eval --peers $(SMOKE)/none --rounds 50 --seeds 1

# Figures by skin, age, build ... of rendered people, a table of `docs/results.md`; about twenty minutes on two cores.
FAIRNESS := out/fairness
fairness: $(VENV)/.everything
	test -f $(FAIRNESS)/frames/labels.json || \
		$(BIN)/python -m posecascade.models.lab.rendering --labels $(FAIRNESS)/frames --frames 400 --split dev --seed 3107
	$(BIN)/posecascade eval --data $(FAIRNESS)/frames --peers $(FAIRNESS)/none --seeds 0 --sheet 0 --out $(FAIRNESS)

# The animated picture of the README.
figures: $(VENV)/.serving
	$(BIN)/posecascade predict docs/demo/treadmill_three_people.mp4 --out out/figures --draw
	$(BIN)/python docs/figures/stream.py out/figures/treadmill_three_people_poses.mp4 docs/figures/stream.webp

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
