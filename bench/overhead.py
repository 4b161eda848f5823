"""What the Python package adds to the core: the same call from Python and from Rust, in turns → one table.

    python bench/overhead.py        builds the core's example; needs the package built with --release (`make wheel`, installed)
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import pellucid
from pellucid import _runtime

ROOT = Path(__file__).resolve().parents[1]
# What is explained, how many rows, calls of a round.
JOBS = [
    ("fixtures/trees/demo/adult.txt", 10_000, 5),
    ("fixtures/trees/lightgbm/binary.txt", 1, 2000),
    ("fixtures/trees/demo/adult.txt", 1, 2000),
    ("out/bench/mlp.onnx", 10_000, 1),
    ("out/bench/mlp.onnx", 1, 1000),
]
ROUNDS = 7


def rows_of(model, n_rows):
    shape = (n_rows, *model.input_shape)
    return np.random.default_rng(1).uniform(0, 3, shape).astype(np.float32)


def from_rust(path, rows, n_calls):
    with tempfile.NamedTemporaryFile(suffix=".f32") as file:
        file.write(rows.tobytes())
        file.flush()
        binary = ROOT / "target/release/examples/rows"
        command = [binary, path, file.name, str(len(rows)), str(n_calls)]
        # The same library as Python's.
        environment = os.environ | {"PELLUCID_ORT": _runtime.library() or ""}
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        return float(done.stdout)


def from_python(model, rows, n_calls):
    pellucid.explain(model, rows)
    seconds = []
    for _ in range(n_calls):
        start = time.perf_counter()
        pellucid.explain(model, rows)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    build = ["cargo", "build", "--release", "--locked", "-p", "pellucid-engine", "--example", "rows"]
    subprocess.run(build, check=True, cwd=ROOT)
    print("| model | rows | core | Python | difference | share |\n|---|---|---|---|---|---|")
    for path, n_rows, n_calls in JOBS:
        if not (ROOT / path).exists():
            continue
        model = pellucid.load(ROOT / path)
        rows = rows_of(model, n_rows)
        pairs = [(from_rust(path, rows, n_calls), from_python(model, rows, n_calls)) for _ in range(ROUNDS)]
        core, python = (statistics.median(side) * 1e6 for side in zip(*pairs))
        cells = [path, f"{n_rows:,}", f"{core:,.0f} µs", f"{python:,.0f} µs", f"{python - core:,.0f} µs", f"{python / core - 1:.1%}"]
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
