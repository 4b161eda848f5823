# Two commands matter: `make demo` shows what Pellucid does, `make test` checks everything.

PYTHON ?= python3
VENV := .venv
PORT ?= 8080
VENV_READY := $(VENV)/.ready
DOCS_VENV := .venv-docs
TORTURE_VENV := .venv-torture
BIN := target/release/pellucid
# The demo's explanations are kept in a log, signed by a key in a folder of its own.
LOG := out/demo-log/log/explanations.log
KEEP := --log $(LOG) --log-key out/demo-log/key/demo.key

export PELLUCID_REQUIRE_ORT := 1

.PHONY: demo serve test torture lint rust-test python-test test-browser test-torch test-libraries test-scale wheel test-wheel doc docs examples bench clean help

help:
	@echo "make demo    explain five photos with a real network, incomes with real trees, the next word of a text, where a"
	@echo "             transformer looked and a weather forecast; writes out/demo/index.html, tabular/index.html, text/ and vit/ there"
	@echo "make serve   predict and explain over HTTP, with a dashboard of the demo's explanations, at 127.0.0.1:8080"
	@echo "make test    run every test, Rust and Python"
	@echo "make torture run what takes too long for every change: the whole zoo by every rule, made-up requests to the server"
	@echo "make docs    build the documentation site; writes out/docs/index.html"
	@echo "make bench   time Pellucid beside its peers (installs them, several GB)"

# The Python packages of demo and tests, pinned; ONNX Runtime is found inside.
$(VENV_READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

release: $(VENV_READY)
	cargo build --release --locked -p pellucid-cli

demo: release
	rm -rf out/demo-log
	$(BIN) report fixtures/models/efficientnet_lite0_imagenet.onnx fixtures/photos/*.png fixtures/photos/*.jpg --out out/demo
	$(BIN) report fixtures/trees/demo/adult.txt fixtures/data/adult_test.csv --cohort sex --out out/demo/tabular
	$(BIN) explain fixtures/trees/demo/adult.txt fixtures/data/adult_test.csv $(KEEP) --known-labels income --out out/demo/incomes
	$(BIN) counterfactuals fixtures/trees/demo/adult.txt fixtures/data/adult_declined.csv --background fixtures/data/adult_test.csv \
		--immutable race,sex,native_country,relationship --only-up age --max-changes 3 --out out/demo/counterfactuals
	$(BIN) explain fixtures/models/efficientnet_lite0_imagenet.onnx fixtures/photos/chelsea.png --method occlusion --window 32,32 \
		--out out/demo/occlusion $(KEEP)
	$(BIN) explain fixtures/models/glasslm_en.onnx --tokenizer fixtures/models/glasslm_en_tokenizer.json \
		--text "Alice looked at the Mock" --out out/demo/text $(KEEP)
	$(BIN) explain fixtures/models/glasslm_en.onnx --tokenizer fixtures/models/glasslm_en_tokenizer.json \
		--text "There was a table set out under a tree in front of the house, and the March" \
		--method lime --baseline deleted --out out/demo/lime-text $(KEEP)
	$(BIN) explain fixtures/models/seattle_weather.onnx fixtures/data/seattle_weather.csv --target "rain tomorrow" \
		--method kernel-shap --segments 7 --channels apart --baseline channel-means --out out/demo/series $(KEEP)
	$(BIN) explain fixtures/models/vit_tiny_mnist.onnx fixtures/models/vit_tiny_mnist.sample.npz \
		--method attention-x-gradient --out out/demo/vit $(KEEP)
	$(BIN) log verify $(LOG)
	@echo
	@echo "Pages: out/demo/index.html and the folders beside it. Next: make serve, a dashboard of these explanations."

serve: release
	@test -f $(LOG) || { echo "There is no log yet: make demo writes it."; exit 2; }
	@echo "Look at: Misclassified, a row of it: why the model said so, beside what was true; the badge there checks the proof."
	$(BIN) serve --models fixtures/models $(KEEP) --port $(PORT)

# Two at a time: cargo builds one after the other, and tests run while it builds what they do not need. In this order, so that nothing is
# built again because Python's part was built otherwise in between.
test:
	$(MAKE) --no-print-directory --jobs=2 --output-sync=target lint rust-test doc python-test test-browser test-wheel docs

# Cargo is not to share the two jobs with make: one of them often waits for the other.
ifneq ($(MAKELEVEL),0)
unexport MAKEFLAGS MFLAGS
endif

# What the same tests leave out for time, and requests to the server that are made up from its own description.
torture: $(VENV_READY) $(TORTURE_VENV)/.ready
	PELLUCID_TORTURE=1 cargo test --locked -p pellucid-explain --test methods zoo
	cargo build --locked --workspace --bin pellucid
	PYTHONPATH=tests/python $(TORTURE_VENV)/bin/python -m pytest -q tests/torture

$(TORTURE_VENV)/.ready: requirements_torture.txt
	$(PYTHON) -m venv $(TORTURE_VENV)
	$(TORTURE_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements_torture.txt
	touch $@

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings

# Without the examples, which `lint` checks.
rust-test: $(VENV_READY)
	cargo test --workspace --locked --tests
	cargo test --workspace --locked --doc

# The package is built by the profile and in the folder of the tests. What is compiled by Pellucid is run without it too.
python-test: $(VENV_READY)
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/maturin develop --quiet --locked --profile dev
	cargo build --locked --workspace --bin pellucid
	$(VENV)/bin/python -m pytest -q tests/python --doctest-modules python/pellucid

# Pages and compiled files in a browser. Chromium and npm are installed where that is possible; else it says what is left out.
test-browser: $(VENV_READY)
	cargo build --locked --workspace --bin pellucid
	cargo build --locked --workspace --example dashboard_server
	tests/browser/run

# What needs torch: the export of its modules, and comparison with it.
test-torch: python-test
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements_torch.txt
	$(VENV)/bin/python -m pytest -q tests/torch

# Models of libraries that are too large for `make test`: CatBoost's, and what skl2onnx converts.
test-libraries: python-test
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements_libraries.txt
	$(VENV)/bin/python -m pytest -q tests/libraries

# Over Ray and Spark in local mode, each a few hundred MB; Spark needs Java.
test-scale: python-test
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements_scale.txt
	$(VENV)/bin/python -m pytest -q tests/scale

wheel: $(VENV_READY)
	$(VENV)/bin/maturin build --release --locked --out out/wheels

# What a stranger gets: a fresh environment with the wheel alone runs the README's example.
test-wheel: $(VENV_READY)
	rm -rf out/test-wheel
	$(VENV)/bin/maturin build --quiet --locked --profile dev --interpreter $(CURDIR)/$(VENV)/bin/python --out out/test-wheel
	$(PYTHON) -m venv out/test-wheel/venv
	out/test-wheel/venv/bin/python -m pip install --quiet --disable-pip-version-check out/test-wheel/*.whl
	out/test-wheel/venv/bin/python -I tests/readme_example.py

# The core's own interface, for those who work on it.
doc:
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

# The site for users, of docs/, the method cards and the examples. Broken links fail.
$(DOCS_VENV)/.ready: requirements_docs.txt
	$(PYTHON) -m venv $(DOCS_VENV)
	$(DOCS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements_docs.txt
	touch $@

docs: $(DOCS_VENV)/.ready
	$(PYTHON) docs/site/stage.py out/docs-stage
	cd out/docs-stage && $(CURDIR)/$(DOCS_VENV)/bin/zensical build --clean --strict
	$(PYTHON) docs/site/check.py out/docs-stage/site
	rm -rf out/docs && mv out/docs-stage/site out/docs

# Runs the notebooks and stores what they give.
examples: python-test
	$(VENV)/bin/python examples/run.py

# Both sides in one run; the peers are installed into .venv-bench first.
bench: $(VENV_READY)
	$(PYTHON) bench/run.py
	$(PYTHON) bench/server.py

clean:
	rm -rf out target $(VENV) $(DOCS_VENV) $(TORTURE_VENV) .venv-bench .venv-fixtures
