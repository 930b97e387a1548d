# The two commands that matter: `make demo` and `make test`. Each sets .venv up first, if need be.
# Variables: CORES, ARGS (more options), DATA (the mirror that benchmarks read), and those of
# envs/install.sh: PYTHON, TORCH, TORCH_INDEX.
CORES ?= 2
ARGS ?=
DATA ?= ../shared/data
export PYTHON TORCH TORCH_INDEX
.DEFAULT_GOAL := help
.PHONY: help demo test lint docs statistics benchmarks lock environment clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' Makefile

demo: environment ## the default run, micro: results/micro/report.html
	.venv/bin/snakemake --cores $(CORES) $(ARGS)

test: environment ## all tests and linters
	.venv/bin/python -m pytest --numprocesses 2 --dist loadfile $(ARGS)

lint: environment ## the linters alone
	.venv/bin/python -m pytest tests/unit/test_linters.py $(ARGS)

environment: ## .venv as the locks say; nothing to do where it is there
	@envs/install.sh

docs: environment ## the generated pages: config/schema.json, docs/configuration.md, docs/data.md, docs/rulegraph.svg
	.venv/bin/python scripts/write_reference.py
	.venv/bin/python scripts/draw_rulegraph.py --output docs/rulegraph.svg

results-%: environment ## docs/results-RUN.md from a run: results-micro, results-mini-cpu (an hour, needs its data)
	.venv/bin/snakemake write_results --cores $(CORES) $(patsubst %,--configfile %,$(wildcard config/$*.yaml)) $(ARGS)
	cp results/$*/results.md docs/results-$*.md

statistics: environment ## docs/statistics.md from simulated scores (some minutes)
	.venv/bin/snakemake write_statistics --cores $(CORES) $(ARGS)
	cp results/simulations/statistics.md docs/statistics.md

benchmarks: environment ## docs/benchmarks.md: speed beside other libraries (some 20 minutes; needs DATA, a mirror)
	OMP_WAIT_POLICY=passive .venv/bin/python -m benchmarks.run --data $(DATA) --output benchmarks/results --page docs/benchmarks.md $(ARGS)

lock: environment ## the locks anew from pyproject.toml (ARGS=--upgrade for newer versions)
	envs/lock.sh $(ARGS)

clean: ## removes the environment and the caches, never results
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './results/*' -prune -exec rm -rf {} +
