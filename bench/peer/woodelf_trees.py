"""woodelf on the interventional jobs of tree ensembles; the models are those of `peer.trees`."""

import contextlib
import sys
from importlib.metadata import version

import pandas
import xgboost
from woodelf import WoodelfExplainer

from peer import trees
from peer.jobs import Variant


def versions():
    return {"woodelf-explainer": version("woodelf-explainer")} | {
        name: trees.versions()[name] for name in ("numpy", "xgboost")
    }


def set_threads(n):
    """woodelf itself computes in NumPy, on one thread."""
    trees.set_threads(n)


def interventional(job, call_name, call):
    """The explainer is made in the call: it does its work there. The background are the rows behind those explained."""
    rows, background = (pandas.DataFrame(part) for part in rows_and_background(job))
    model = xgboost.XGBRegressor()
    model.load_model(trees.xgboost_model(job["model"]).save_raw("json"))

    def explain():
        # It reports on standard output, which is the benchmark's own.
        with contextlib.redirect_stdout(sys.stderr):
            return call(WoodelfExplainer(model, background), rows)

    peer = f"woodelf {versions()['woodelf-explainer']}"
    return [Variant(peer, {"call": call_name, "background": len(background)}, explain, default=True)]


def rows_and_background(job):
    x, _ = trees.table()
    return x[: job["rows"]], x[trees.EXPORTED_ROWS : trees.EXPORTED_ROWS + job["background"]]


def tree_interventional(job):
    return interventional(job, "shap_values", lambda explainer, rows: explainer.shap_values(rows, verbose=False))


def tree_interventional_interactions(job):
    return interventional(
        job, "shap_interaction_values", lambda explainer, rows: explainer.shap_interaction_values(rows, verbose=False)
    )
