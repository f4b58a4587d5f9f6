# `make demo` and `make test` do all the set-up they need; `make setup` only installs.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export PATH := $(abspath $(BIN)):$(PATH)
export UV_PYTHON_DOWNLOADS := never
EXTRAS := demo,dev
STAMP = $(VENV)/extras/$(EXTRAS)

.PHONY: demo test setup lint docs clean

demo:
	@echo "make demo: about 4 minutes on 2 cores (288 clips, 42 trainings), after an installation of some minutes."
	@$(MAKE) --no-print-directory setup EXTRAS=demo
	snakemake all --quiet rules host
	@echo "The report: results/index.html"

test: setup
	pytest -n auto --dist loadgroup

setup: $(STAMP)

# uv installs several times faster than pip; where it fails, pip does the same.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11, 5) <= v[:3] < (3, 14) or sys.exit("Python 3.11.5 to 3.13 is needed, $(PYTHON) is %d.%d.%d: make PYTHON=/path/to/python3 ..." % v[:3])'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check uv || true
	$(BIN)/uv pip install --python $(BIN)/python --compile-bytecode -c constraints.txt -e '.[$(EXTRAS)]' || \
	  $(BIN)/pip install -c constraints.txt -e '.[$(EXTRAS)]'
	@mkdir -p $(@D) && touch $@

lint: setup
	ruff check . && ruff format --check . && snakefmt --check Snakefile workflow && codespell && snakemake --lint
	pyright

# A site that needs no network and no server.
docs: setup
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet
	@echo "The documentation: site/index.html"

# What people brought, in data/raw, stays.
clean:
	rm -rf .ledger .snakemake logs data/raw/demo data/raw/demo_dialogues \
	  $(addprefix data/,faces features lineage manifests perturbed quarantine splits) \
	  $(addprefix results/,figures index.html models predictions provenance.jsonl reports scores)
