"""KernelSHAP, permutation SHAP and LIME of one row: Pellucid, shap and lime, with the same model, in turns.

    pip install shap==0.51.0 lime==0.2.0.1
    cargo build --release -p pellucid-agnostic --example speed
    python bench/any_model.py --rust target/release/examples/speed

The model is an MLP 30-64-64-2 in float32 on all cores, here by NumPy's BLAS, there by matrixmultiply; 100 background rows; both outputs are explained, or by LIME one or both. Both sides are allowed the
same number of coalitions, shap's defaults: 2,108 for KernelSHAP and 610 for permutation SHAP; LIME draws 5,000 samples. Both sides go in turns,
`--rounds` times `--repeats` rows each, and the table has the medians over rows.

A second table is of equal error: the squared distance of both sides to a run of Pellucid's KernelSHAP with 64 times the calls, which is unbiased; the peer gets
twice as many calls until its error is Pellucid's with the calls above, or less. shap's default of `l1_reg` leaves an error there that no number of calls takes away, so
that it is off.
"""

import argparse
import json
import subprocess
import time
import warnings
from statistics import median

import numpy as np


def network():
    def weights(n, m, step):
        return np.fromfunction(lambda i, j: np.sin((i * 31 + j * 17) * step) * 0.3, (n, m)).astype(np.float32)

    first, second, last = weights(30, 64, 0.7), weights(64, 64, 1.3), weights(64, 2, 0.9)

    def predict(rows):
        hidden = np.maximum(np.asarray(rows, np.float32) @ first, 0)
        return (np.maximum(hidden @ second, 0) @ last).astype(float)

    return predict


def rows():
    return np.fromfunction(lambda i, j: np.sin((i * 13 + j * 7) * 0.37) * 2, (1000, 30))


def peers():
    """Name → what explains one row."""
    import lime.lime_tabular
    import shap

    predict, background = network(), rows()[:100]
    kernel = shap.KernelExplainer(predict, background)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    permutation = shap.PermutationExplainer(predict, masker, seed=0)
    tabular = lime.lime_tabular.LimeTabularExplainer(rows(), mode="classification", random_state=0)
    return {
        "kernel": {
            "shap KernelExplainer": lambda row: kernel.shap_values(row[None], nsamples=2106, silent=True),
            "the same, l1_reg=False": lambda row: kernel.shap_values(row[None], nsamples=2106, l1_reg=False, silent=True),
        },
        "permutation": {"shap PermutationExplainer": lambda row: permutation(row[None], max_evals=610, silent=True)},
        "lime": {"lime, one label": lambda row: tabular.explain_instance(row, predict, num_samples=5000)},
        "lime-two-targets": {"lime, two labels": lambda row: tabular.explain_instance(row, predict, labels=(0, 1), num_samples=5000)},
    }


def growing():
    """Name → what explains one row with so many times the calls above, as values `[targets, features]`."""
    import shap

    predict, background = network(), rows()[:100]
    kernel = shap.KernelExplainer(predict, background)
    masker = shap.maskers.Independent(background, max_samples=len(background))
    permutation = shap.PermutationExplainer(predict, masker, seed=0)
    return {
        "kernel": lambda row, times: kernel.shap_values(row[None], nsamples=2106 * times, l1_reg=False, silent=True)[0].T,
        "permutation": lambda row, times: permutation(row[None], max_evals=610 * times, silent=True).values[0].T,
    }


def run(rust, method, repeats, times=1):
    command = [rust, method, str(repeats), str(times)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def squared_error(values, exact):
    return float(np.mean((np.reshape(values, np.shape(exact)) - exact) ** 2))


def equal_error(args):
    print("\n| at equal error | peer, times the calls | squared error, peer's share of ours | its time | Pellucid | ratio |")
    print("|---|---|---|---|---|---|")
    table, n_rows = rows(), 4 * args.repeats
    exact = np.array(run(args.rust, "kernel", n_rows, 64)["values"])
    for method, call in growing().items():
        ours = run(args.rust, method, n_rows)
        error, mine = squared_error(ours["values"], exact), median(ours["seconds"]) * 1e3
        for times in [1, 2, 4, 8, 16, 32]:
            seconds, values = [], []
            for index in range(n_rows):
                start = time.perf_counter()
                values.append(np.ravel(call(table[101 + index], times)))
                seconds.append(time.perf_counter() - start)
            share, other = squared_error(values, exact) / error, median(seconds) * 1e3
            print(f"| {method} | shap, {times} × | {share:.2f} | {other:.0f} ms | {mine:.1f} ms | {other / mine:.1f} × |", flush=True)
            if share <= 1:
                break


def seconds_of(call, number):
    table, seconds = rows(), []
    for index in range(number + 1):
        start = time.perf_counter()
        call(table[100 + index])
        seconds.append(time.perf_counter() - start)
    # The first one warms up.
    return seconds[1:]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rust", required=True, help="the built example speed")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print("| one row | peer | its time | Pellucid | ratio |")
    print("|---|---|---|---|---|")
    for method, of_peers in peers().items():
        theirs, ours = {name: [] for name in of_peers}, []
        for _ in range(args.rounds):
            ours += run(args.rust, method, args.repeats)["seconds"]
            for name, call in of_peers.items():
                theirs[name] += seconds_of(call, args.repeats)
        for name, seconds in theirs.items():
            mine, other = median(ours) * 1e3, median(seconds) * 1e3
            print(f"| {method} | {name} | {other:.0f} ms | {mine:.1f} ms | {other / mine:.1f} × |", flush=True)
    equal_error(args)


if __name__ == "__main__":
    main()
