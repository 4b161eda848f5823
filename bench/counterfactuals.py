"""Counterfactuals of Pellucid and of dice-ml, on the same models, rows and constraints → one table.

    python bench/counterfactuals.py             # dice-ml==0.12 and lightgbm==4.7.0 in the venv; builds the crate's example

Both sides get the demo's LightGBM models of Adult and German credit, and the same background (DiCE's training data). DiCE goes first with its
defaults; Pellucid is then asked, with its own defaults, for as many counterfactuals as DiCE found, row by row, and every number is
measured here, by the same code, on what came out. What a side returns and the model does not accept counts as not valid.

A distance counts numbers in median absolute deviations, or mean ones where the median is 0 (capital gains and losses), and changed
categories as 1. "In DiCE's units" has 1 in place of the mean one, so that a dollar of capital gains counts as much as 10 years of age.
"""

import argparse
import json
import subprocess
import tempfile
import time
import warnings
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
METHODS = ["random", "genetic", "kdtree"]
N_COUNTERFACTUALS = 4

PROTECTED = {
    "adult": ["age", "race", "sex", "native_country", "marital_status", "relationship"],
    "german": ["age", "purpose", "credit_history", "number_of_people_liable_for"],
}
RANGES = {"adult": {"hours_per_week": (20, 60)}, "german": {"duration": (6, 48)}}


class Data:
    """A model with its tables: words as in the file, codes as the model reads them."""

    def __init__(self, name, n_queries):
        self.name = name
        self.path = ROOT / "fixtures/trees/demo" / {"adult": "adult.txt", "german": "german_credit.txt"}[name]
        self.booster = lightgbm.Booster(model_file=self.path)
        self.names = self.booster.feature_name()
        read = dict(keep_default_na=False, na_values=["", "?"] if name == "adult" else [])
        if name == "adult":
            background = pd.read_csv(ROOT / "fixtures/data/adult_background.csv", **read)
            queries = pd.read_csv(ROOT / "fixtures/data/adult_test.csv", **read)
        else:
            people = pd.read_csv(ROOT / "fixtures/data/german_credit.csv", **read)
            background, queries = people[people.index % 4 != 3], people[people.index % 4 == 3]
        # DiCE takes no missing values.
        self.background = background[self.names].dropna().reset_index(drop=True)
        lists = iter(self.booster.pandas_categorical)
        self.categories = {
            name: next(lists) for name in self.names if not pd.api.types.is_numeric_dtype(self.background[name])
        }
        self.numbers = [name for name in self.names if name not in self.categories]
        # A row with a category that the background lacks is refused by DiCE.
        known = np.all([queries[name].isin(self.background[name]) for name in self.categories], axis=0)
        self.queries = queries[self.names][known].dropna().head(n_queries).reset_index(drop=True)
        deviation = self.background[self.numbers] - self.background[self.numbers].median()
        median, mean = deviation.abs().median(), deviation.abs().mean()
        self.scales = median.where(median > 0, mean)
        self.dice_scales = median.replace(0, 1.0)

    def codes(self, frame):
        columns = [
            pd.Categorical(frame[name].astype(str), self.categories[name]).codes
            if name in self.categories
            else pd.to_numeric(frame[name])
            for name in self.names
        ]
        return np.column_stack([np.asarray(column, dtype=float) for column in columns])

    def predict(self, codes):
        return self.booster.predict(codes, num_threads=1)


class Classifier:
    """What DiCE asks: words in, probabilities out."""

    def __init__(self, data):
        self.data = data

    def predict_proba(self, frame):
        probability = self.data.predict(self.data.codes(frame))
        return np.column_stack([1 - probability, probability])

    def predict(self, frame):
        return (self.predict_proba(frame)[:, 1] > 0.5).astype(int)


def of_dice(data, method, constrained):
    """For each row what DiCE returns, as codes, and the seconds of all."""
    import dice_ml

    table = data.background.copy()
    table[data.numbers] = table[data.numbers].astype(int)
    table["outcome"] = Classifier(data).predict(data.background)
    described = dice_ml.Data(dataframe=table, continuous_features=data.numbers, outcome_name="outcome")
    explainer = dice_ml.Dice(described, dice_ml.Model(model=Classifier(data), backend="sklearn"), method=method)
    settings = {"random_seed": 0} if method == "random" else {}
    if constrained:
        settings["features_to_vary"] = [name for name in data.names if name not in PROTECTED[data.name]]
        settings["permitted_range"] = {name: list(ends) for name, ends in RANGES[data.name].items()}
    np.random.seed(0)
    found, started = [], time.perf_counter()
    for index in range(len(data.queries)):
        try:
            result = explainer.generate_counterfactuals(
                data.queries[index : index + 1], total_CFs=N_COUNTERFACTUALS, desired_class="opposite", **settings
            )
            frame = result.cf_examples_list[0].final_cfs_df
            sparse = result.cf_examples_list[0].final_cfs_df_sparse
            frame = sparse if sparse is not None else frame
            found.append(np.empty((0, len(data.names))) if frame is None else data.codes(frame))
        except Exception as error:  # DiCE raises where it finds nothing, and in some of its own code.
            print(f"    {method} row {index}: {type(error).__name__}: {str(error)[:100]}")
            found.append(np.empty((0, len(data.names))))
    return found, time.perf_counter() - started


def of_pellucid(data, numbers, constrained, options, thresholds):
    """For each row as many counterfactuals as `numbers` says."""
    columns = []
    for name in data.names:
        column = {"name": name, "labels": data.categories.get(name, []), "thresholds": thresholds}
        if constrained:
            column["immutable"] = name in PROTECTED[data.name]
            column["range"] = RANGES[data.name].get(name, [])
        columns.append(column)
    asked = [place for place, number in enumerate(numbers) if number]
    rows = data.codes(data.queries)
    job = {
        "model": str(data.path),
        "columns": columns,
        "outcome_names": ["bad", "good"] if data.name == "german" else ["at most $50,000", "above $50,000"],
        "background": data.codes(data.background).tolist(),
        "queries": [{"row": rows[place].tolist(), "n": numbers[place]} for place in asked],
        "options": options,
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(job, file)
        file.flush()
        command = [ROOT / "target/release/examples/counterfactuals", file.name]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    results = json.loads(done.stdout)
    found = [np.empty((0, len(data.names)))] * len(numbers)
    for place, result in zip(asked, results):
        rows = [one["row"] for one in result["counterfactuals"]]
        found[place] = np.array(rows, dtype=float).reshape(len(rows), len(data.names))
    return found, sum(result["seconds"] for result in results), results


def measures(data, found, constrained):
    """Means over all counterfactuals of all rows; diversity over rows."""
    rows = data.codes(data.queries)
    wanted = 1 - (data.predict(rows) > 0.5)
    is_number = np.array([name in data.numbers for name in data.names])
    scales, dice_scales = (np.array([of.get(name, 1.0) for name in data.names]) for of in (data.scales, data.dice_scales))
    each, diversity = [], []
    for row, class_wanted, members in zip(rows, wanted, found):
        if not len(members):
            continue
        steps = np.abs(members - row) / scales
        steps[:, ~is_number] = members[:, ~is_number] != row[~is_number]
        distances = steps.sum(axis=1)
        in_dice_units = (steps * scales / dice_scales).sum(axis=1)
        n_changes = (members != row).sum(axis=1)
        valid = (data.predict(members) > 0.5) == class_wanted
        broken = np.zeros(len(members), dtype=bool)
        if constrained:
            fixed = [data.names.index(name) for name in PROTECTED[data.name]]
            broken |= (members[:, fixed] != row[fixed]).any(axis=1)
            for name, (low, high) in RANGES[data.name].items():
                value = members[:, data.names.index(name)]
                broken |= (value < low) | (value > high)
        each.append(np.column_stack([valid, broken, distances, in_dice_units, n_changes]))
        if len(members) > 1:
            between = np.abs(members[:, None] - members[None]) / scales
            between[:, :, ~is_number] = members[:, None, ~is_number] != members[None][:, :, ~is_number]
            diversity.append(np.linalg.det(1 / (1 + between.sum(axis=2))))
    each = np.concatenate(each)
    return {
        "n": len(each),
        "valid": each[:, 0].mean(),
        "broken": int(each[:, 1].sum()),
        "distance": each[:, 2].mean(),
        "median": np.median(each[:, 2]),
        "in_dice_units": each[:, 3].mean(),
        "changes": each[:, 4].mean(),
        "diversity": np.mean(diversity),
    }


def line(job, side, measured, seconds, n_rows):
    cells = [
        job,
        side,
        f"{measured['n']}",
        f"{measured['valid']:.0%}",
        f"{measured['broken']}",
        f"{measured['distance']:.4g}",
        f"{measured['median']:.3g}",
        f"{measured['in_dice_units']:.4g}",
        f"{measured['changes']:.2f}",
        f"{measured['diversity']:.2f}",
        f"{seconds / n_rows * 1e3:,.0f} ms",
    ]
    return f"| {' | '.join(cells)} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=20)
    parser.add_argument("--methods", default=",".join(METHODS))
    parser.add_argument("--data", default="adult,german")
    parser.add_argument("--options", default="{}", help="JSON: Pellucid's options")
    parser.add_argument("--keep", type=Path, help="a folder for what DiCE found, used again if it is there")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore")
    build = ["cargo", "build", "--release", "--locked", "-p", "pellucid-trees", "--example", "counterfactuals"]
    subprocess.run(build, check=True, cwd=ROOT)
    print("| job | side | counterfactuals | valid | constraints broken | distance | median | in DiCE's units | changes | diversity | a row |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for name in arguments.data.split(","):
        data = Data(name, arguments.queries)
        for constrained in [False, True]:
            for method in arguments.methods.split(","):
                job = f"{name}, {'constrained' if constrained else 'free'}"
                kept = arguments.keep and arguments.keep / f"{name}-{constrained}-{method}-{arguments.queries}.npz"
                if kept and kept.exists():
                    stored = np.load(kept)
                    found, seconds = [stored[str(i)] for i in range(len(data.queries))], float(stored["seconds"])
                else:
                    found, seconds = of_dice(data, method, constrained)
                    if kept:
                        kept.parent.mkdir(parents=True, exist_ok=True)
                        np.savez(kept, seconds=seconds, **{str(i): rows for i, rows in enumerate(found)})
                numbers = [len(members) for members in found]
                if not any(numbers):
                    print(f"| {job} | dice-ml {method} | 0 |")
                    continue
                print(line(job, f"dice-ml {method}", measures(data, found, constrained), seconds, len(numbers)))
                for side, thresholds in [("Pellucid", True), ("Pellucid, without thresholds", False)]:
                    options = json.loads(arguments.options)
                    own, own_seconds, _ = of_pellucid(data, numbers, constrained, options, thresholds)
                    assert [len(members) for members in own] == numbers, "as many as DiCE"
                    print(line(job, side, measures(data, own, constrained), own_seconds, len(numbers)), flush=True)


if __name__ == "__main__":
    main()
