"""XGBoost, LightGBM and shap on the jobs of tree ensembles.

The models are trained on made-up rows when first needed: 40 features, some of them strong, on which the label depends
through steps, products and sines, so that trees fill up and split on a feature more than once.
"""

from functools import lru_cache
from importlib.metadata import version

import lightgbm
import numpy as np
import shap
import xgboost

from peer.jobs import Variant

N_FEATURES = 40
TRAINING_ROWS = 20_000
# Rows to explain, and behind them those of backgrounds.
EXPORTED_ROWS = 4000
BACKGROUND_ROWS = 1000
# Model name → rounds and depth.
MODELS = {"trees_300x6": (300, 6), "trees_100x10": (100, 10)}

threads = 2


def versions():
    return {name: version(name) for name in ("lightgbm", "numpy", "shap")} | {"xgboost": xgboost.__version__}


def set_threads(n):
    global threads
    threads = n


@lru_cache
def table():
    """`[rows, features]` in f32, and labels."""
    random = np.random.default_rng(7)
    x = random.standard_normal((TRAINING_ROWS, N_FEATURES)).astype(np.float32)
    weights = 1 / (1 + np.arange(N_FEATURES) / 8)
    y = (weights * np.sin(2 * x)).sum(1) + x[:, 0] * x[:, 1] + (x[:, 2] > 0.5) * x[:, 3] + np.abs(x[:, 4] * x[:, 5])
    return x, y + random.standard_normal(TRAINING_ROWS)


@lru_cache
def xgboost_model(name):
    rounds, depth = MODELS[name]
    x, y = table()
    parameters = {"max_depth": depth, "eta": 0.1, "tree_method": "hist", "nthread": threads, "seed": 1}
    return xgboost.train(parameters, xgboost.DMatrix(x, y), rounds)


@lru_cache
def lightgbm_model(name):
    rounds, depth = MODELS[name]
    x, y = table()
    parameters = {"max_depth": depth, "num_leaves": 2**depth, "learning_rate": 0.1, "min_data_in_leaf": 1}
    parameters |= {"objective": "regression", "num_threads": threads, "verbose": -1, "seed": 1}
    return lightgbm.train(parameters, lightgbm.Dataset(x, y), rounds)


def export_trees(out, names):
    """Models as XGBoost writes them, rows as little-endian f32."""
    for name in names:
        xgboost_model(name).save_model(out / f"{name}.json")
        table()[0][: EXPORTED_ROWS + BACKGROUND_ROWS].astype("<f4").tofile(out / f"{name}.f32")


def tree_shap(job):
    """Only the call is timed: the rows stand in XGBoost's own matrix before."""
    model, rows = xgboost_model(job["model"]), table()[0][: job["rows"]]
    model.set_param({"nthread": threads})
    matrix = xgboost.DMatrix(rows, nthread=threads)
    gbm, explainer = lightgbm_model(job["model"]), shap.TreeExplainer(model)
    # shap hands XGBoost's models to XGBoost; this is its own code on the same trees.
    own = shap.TreeExplainer(model)
    own.model.model_type = "internal"
    return [
        variant("xgboost", "pred_contribs", lambda: model.predict(matrix, pred_contribs=True), default=True),
        variant("lightgbm", "pred_contrib", lambda: gbm.predict(rows, pred_contrib=True, num_threads=threads)),
        variant("shap", "TreeExplainer, through XGBoost", lambda: explainer.shap_values(rows, check_additivity=False)),
        variant("shap", "TreeExplainer, its own code", lambda: own.shap_values(rows, check_additivity=False)),
    ]


def tree_interactions(job):
    """All pairs, for XGBoost's model."""
    model, rows = xgboost_model(job["model"]), table()[0][: job["rows"]]
    model.set_param({"nthread": threads})
    matrix = xgboost.DMatrix(rows, nthread=threads)
    return [variant("xgboost", "pred_interactions", lambda: model.predict(matrix, pred_interactions=True), default=True)]


def variant(peer, call, function, default=False):
    return Variant(f"{peer} {versions()[peer]}", {"call": call, "threads": threads}, function, default)
