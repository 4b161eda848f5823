"""How far sampled Shapley values are from exact ones at the same number of model calls: Pellucid, shap and shapiq.

    pip install shap==0.51.0 shapiq==1.4.1 scikit-learn
    cargo build --release -p pellucid-agnostic --example shapley_error
    python bench/shapley_error.py --rust target/release/examples/shapley_error --out docs/shapley_error.md

Four models of 10 to 16 features are written down as games: what each of the 2^M coalitions of a row's features is worth, averaged over
background rows. Everybody plays the same listed games, so that only the choice of coalitions and the estimate made of them differ. A
method gets a budget of coalitions, and never asks for more; what it leaves unused is its own affair.

An error is the sum of squares of (estimate − exact) over the features. For each row the errors of 30 seeds are averaged, ours divided by the
peer's; the table has the geometric mean of these ratios over rows, with the upper end of a 95 % interval from resampling rows and seeds.
Files: little-endian words of 8 bytes. Games: their number, then for each M, the number of budgets, the budgets, and 2^M worths
as f64, bit i of a place meaning that feature i is present. Values: for each game, budget and seed the evaluations, M values, M standard
errors.
"""

import argparse
import subprocess
import sys
import tempfile
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

FACTORS = (5, 10, 20, 40)
N_ROWS_A_MODEL = 5

PEERS = [
    "shapiq leverage paired",
    "shap Permutation",
    "shap Kernel",
    "shapiq KernelSHAP paired",
    "shapiq PermutationSV",
    "shap Sampling",
    "shapiq KernelSHAP",
    "shapiq SVARM",
    "shapiq UnbiasedKernelSHAP",
    "shapiq Stratified",
]

# Ours, and whom each is compared with.
PAIRS = {
    "kernel": [name for name in PEERS if "ermutation" not in name and "Sampling" not in name],
    "kernel-classic": ["shap Kernel", "shapiq KernelSHAP", "shapiq KernelSHAP paired"],
    "kernel-leverage": ["shapiq leverage paired"],
    "permutation": ["shap Permutation", "shapiq PermutationSV"],
    "sampling": ["shap Sampling", "shapiq Stratified"],
}


def models():
    """Name, function of rows, rows to explain, background."""
    from sklearn import datasets
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.neural_network import MLPClassifier, MLPRegressor
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(0)

    def parts(x, n_background):
        order = rng.permutation(len(x))
        return x[order[:N_ROWS_A_MODEL]], x[order[N_ROWS_A_MODEL:][:n_background]]

    x, y = datasets.load_diabetes(return_X_y=True)
    boosted = GradientBoostingRegressor(n_estimators=100, max_depth=4, random_state=0).fit(x, y)
    yield "diabetes, 10 features, boosted trees", boosted.predict, *parts(x, 10)
    x, y = datasets.make_friedman1(1000, n_features=12, random_state=0)
    x = StandardScaler().fit_transform(x)
    boosted = GradientBoostingRegressor(n_estimators=50, max_depth=5, random_state=0).fit(x, y)
    yield "Friedman 1, 12 features, boosted trees", boosted.predict, *parts(x, 10)
    x, y = datasets.load_wine(return_X_y=True)
    x = StandardScaler().fit_transform(x)
    network = MLPClassifier((32, 32), random_state=0, max_iter=500).fit(x, y)
    yield "wine, 13 features, network's probability", lambda rows: network.predict_proba(rows)[:, 0], *parts(x, 10)
    x = rng.normal(size=(2000, 16))
    y = np.sin(x[:, :4].sum(1)) + x[:, 4] * x[:, 5] * x[:, 6] + np.abs(x[:, 7:]).sum(1) + 0.1 * rng.normal(size=2000)
    network = MLPRegressor(hidden_layer_sizes=(32, 32), random_state=0, max_iter=300).fit(x, y)
    yield "synthetic, 16 features, network", network.predict, *parts(x, 10)


def listed(predict, row, background):
    """The worth of each coalition."""
    n = len(row)
    places = np.arange(2**n)
    worth = np.zeros(2**n)
    for block in np.array_split(places, max(1, 2**n // 4096)):
        present = (block[:, None] >> np.arange(n) & 1).astype(bool)
        rows = np.where(present[:, None, :], row, background)
        worth[block] = predict(rows.reshape(-1, n)).reshape(len(block), -1).mean(1)
    return worth


def exact(worth):
    """Shapley values by their definition."""
    n = int(np.log2(len(worth)))
    places = np.arange(2**n)
    sizes = np.bitwise_count(places).astype(int)
    factorial = np.cumprod([1.0, *range(1, n + 1)])
    values = []
    for player in range(n):
        without = places[places >> player & 1 == 0]
        weight = factorial[sizes[without]] * factorial[n - 1 - sizes[without]] / factorial[n]
        values.append(weight @ (worth[without | 1 << player] - worth[without]))
    return np.array(values)


class Counted:
    """A listed game as a function of presence, which counts."""

    def __init__(self, worth):
        self.worth, self.calls = worth, 0
        self.bits = 1 << np.arange(int(np.log2(len(worth))))

    def __call__(self, present):
        present = np.atleast_2d(np.asarray(present)) > 0.5
        self.calls += len(present)
        return self.worth[present @ self.bits]


def peer_values(name, worth, budget, seed):
    """Values and calls of a peer."""
    import shap
    import shapiq

    game = Counted(worth)
    n = len(game.bits)
    nobody, all_present = np.zeros((1, n)), np.ones((1, n))
    np.random.seed(seed)
    if name == "shap Kernel":
        explainer = shap.KernelExplainer(game, nobody)
        game.calls = 1  # the worth of nobody; what follows is that of all, and the samples
        values = explainer.shap_values(all_present, nsamples=budget - 2, l1_reg=False, silent=True)[0]
    elif name == "shap Sampling":
        explainer = shap.SamplingExplainer(game, nobody)
        game.calls = 0
        # A sample of it is two calls.
        values = explainer.shap_values(all_present, nsamples=(budget - 2) // 2, silent=True)[0]
    elif name == "shap Permutation":
        explainer = shap.PermutationExplainer(game, shap.maskers.Independent(nobody), seed=seed)
        values = explainer(all_present, max_evals=budget, silent=True).values[0]
    else:
        approximators = {
            "shapiq KernelSHAP": lambda: shapiq.KernelSHAP(n, random_state=seed),
            "shapiq KernelSHAP paired": lambda: shapiq.KernelSHAP(n, pairing_trick=True, random_state=seed),
            "shapiq leverage paired": lambda: shapiq.KernelSHAP(n, pairing_trick=True, sampling_weights=np.ones(n + 1), random_state=seed),
            "shapiq UnbiasedKernelSHAP": lambda: shapiq.UnbiasedKernelSHAP(n, random_state=seed),
            "shapiq SVARM": lambda: shapiq.SVARM(n, random_state=seed),
            "shapiq PermutationSV": lambda: shapiq.PermutationSamplingSV(n, random_state=seed),
            "shapiq Stratified": lambda: shapiq.StratifiedSamplingSV(n, random_state=seed),
        }
        found = approximators[name]().approximate(budget, game)
        values = np.array([found[(player,)] for player in range(n)])
    return values, game.calls


def peer_errors(task):
    """[budgets, seeds] errors of a peer on one game, and calls as a share of the budget."""
    name, worth, n_seeds = task
    warnings.simplefilter("ignore")
    truth = exact(worth)
    errors, calls = np.zeros((len(FACTORS), n_seeds)), []
    for b, factor in enumerate(FACTORS):
        budget = factor * len(truth)
        for seed in range(n_seeds):
            values, used = peer_values(name, worth, budget, seed)
            errors[b, seed] = ((values - truth) ** 2).sum()
            calls.append(used / budget)
    return errors, max(calls)


def our_errors(rust, method, games, n_seeds):
    """The same of ours, and squared errors over squared standard errors. Sampling needs more than the least budget."""
    first = 1 if method == "sampling" else 0
    factors = FACTORS[first:]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / "games", Path(folder) / "values"]
        with paths[0].open("wb") as file:
            file.write(np.uint64(len(games)).tobytes())
            for worth in games:
                n = int(np.log2(len(worth)))
                file.write(np.array([n, len(factors), *(n * factor for factor in factors)], np.uint64).tobytes())
                file.write(worth.astype("<f8").tobytes())
        subprocess.run([rust, method, str(n_seeds), *paths], check=True)
        numbers = iter(np.fromfile(paths[1], "<f8"))
    errors, calls, squares = np.full((len(games), len(FACTORS), n_seeds), np.nan), [], [[] for _ in factors]
    for g, worth in enumerate(games):
        truth = exact(worth)
        n = len(truth)
        for b, factor in enumerate(factors):
            for seed in range(n_seeds):
                calls.append(next(numbers) / (factor * n))
                values, spread = np.array([next(numbers) for _ in range(2 * n)]).reshape(2, n)
                errors[g, first + b, seed] = ((values - truth) ** 2).sum()
                squares[b].append(((values - truth) ** 2).sum() / (spread**2).sum())
    return errors, max(calls), [np.mean(of_budget) for of_budget in squares]


def ratio(ours, peer, n_resamples=2000):
    """Geometric mean over rows of the ratio of mean errors [rows, seeds], and the upper end of its 95 % interval."""
    rng = np.random.default_rng(1)
    n_rows, n_seeds = ours.shape
    tiny = 1e-24

    def of(rows, seeds_of_ours, seeds_of_peer):
        a = np.take_along_axis(ours[rows], seeds_of_ours, 1).mean(1)
        b = np.take_along_axis(peer[rows], seeds_of_peer, 1).mean(1)
        return np.exp(np.mean(np.log((a + tiny) / (b + tiny))))

    whole = np.tile(np.arange(n_seeds), (n_rows, 1))
    draws = [of(rng.integers(n_rows, size=n_rows), *rng.integers(n_seeds, size=(2, n_rows, n_seeds))) for _ in range(n_resamples)]
    return of(np.arange(n_rows), whole, whole), np.quantile(draws, 0.975)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rust", required=True, help="the built example shapley_error")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--out", type=Path, help="a page whose table is replaced; else the table is printed")
    parser.add_argument("--cache", type=Path, help="a file that keeps games and the peers' errors")
    parser.add_argument("--peers", nargs="*", help="only these; a cache has the others")
    args = parser.parse_args()
    kept = dict(np.load(args.cache)) if args.cache and args.cache.exists() else {}
    if "game0" not in kept:
        all_games = [listed(predict, row, background) for _, predict, rows, background in models() for row in rows]
        kept |= {f"game{index}": worth for index, worth in enumerate(all_games)}
    games = [kept[f"game{index}"] for index in range(sum(name.startswith("game") for name in kept))]
    peers = [peer for peer in args.peers or PEERS if peer not in kept]
    with ProcessPoolExecutor(2) as pool:
        for peer in peers:
            found = list(pool.map(peer_errors, [(peer, worth, args.seeds) for worth in games]))
            print(f"{peer}: at most {max(calls for _, calls in found):.3f} of the budget", file=sys.stderr, flush=True)
            kept[peer] = np.array([errors for errors, _ in found])
            if args.cache:
                np.savez(args.cache, **kept)
    lines = ["| Pellucid | peer | " + " | ".join(f"{factor} M calls" for factor in FACTORS) + " |"]
    lines.append("|---|---|" + "---|" * len(FACTORS))
    for method, names in PAIRS.items():
        errors, calls, squares = our_errors(args.rust, method, games, args.seeds)
        spreads = ", ".join(f"{square:.2f}" for square in squares)
        print(f"{method}: at most {calls:.3f} of the budget; squared error / squared standard error {spreads}", file=sys.stderr)
        for peer in (name for name in names if name in kept):
            cells = [ratio(errors[:, b], kept[peer][:, b]) for b in range(len(FACTORS))]
            lines.append(f"| {method} | {peer} | " + " | ".join("–" if np.isnan(mean) else f"{mean:.2f} (≤ {upper:.2f})" for mean, upper in cells) + " |")
    table = "\n".join(lines)
    if not args.out:
        print(table)
        return
    before, _, rest = args.out.read_text().partition("<!-- table -->\n")
    after = rest.partition("<!-- end -->")[2]
    args.out.write_text(f"{before}<!-- table -->\n{table}\n<!-- end -->{after}")


if __name__ == "__main__":
    main()
