# Two commands matter: `make demo` shows what Pellucid does, `make test` checks everything.

PYTHON ?= python3
VENV := .venv
VENV_READY := $(VENV)/.ready
BIN := target/release/pellucid

export PELLUCID_REQUIRE_ORT := 1

.PHONY: demo test lint rust-test python-test doc bench clean help

help:
	@echo "make demo    explain five photos with a real network, and incomes with real trees; writes out/demo/index.html"
	@echo "             and out/demo/tabular/index.html"
	@echo "make test    run every test, Rust and Python"
	@echo "make bench   time Pellucid beside its peers (installs them, several GB)"

# The Python packages of demo and tests, pinned; ONNX Runtime is found inside.
$(VENV_READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

release: $(VENV_READY)
	cargo build --release --locked -p pellucid-cli

demo: release
	$(BIN) report fixtures/models/efficientnet_lite0_imagenet.onnx fixtures/photos/*.png fixtures/photos/*.jpg --out out/demo
	$(BIN) report fixtures/trees/demo/adult.txt fixtures/data/adult_test.csv --cohort sex --out out/demo/tabular

test: lint rust-test python-test doc

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

rust-test: $(VENV_READY)
	cargo test --workspace --locked

# The compiled graphs are run by plain ONNX Runtime, without Pellucid.
python-test: $(VENV_READY)
	cargo build --locked -p pellucid-cli
	$(VENV)/bin/python -m pytest -q tests/python

doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

# Both sides in one run; the peers are installed into .venv-bench first.
bench: $(VENV_READY)
	$(PYTHON) bench/run.py

clean:
	rm -rf out target $(VENV) .venv-bench .venv-fixtures
