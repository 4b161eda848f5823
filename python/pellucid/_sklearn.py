"""scikit-learn's estimators: their arrays of trees, read directly.

Every estimator is recognized by its class's name and module, so that scikit-learn is not imported for others.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np

from . import _pellucid
from ._model import Model
from ._pellucid import CheckError, UnsupportedError
from ._progress import limits


class Trees(NamedTuple):
    """What `_pellucid.ModelCore.from_trees` takes."""

    trees: list[dict]
    description: dict


def load(estimator, wishes, names) -> Model:
    """A model of an estimator, or of a pipeline that ends in one."""
    if hasattr(estimator, "steps"):
        return _pipeline(estimator, wishes, names)
    names = names if names is not None else _feature_names(estimator)
    reader = _READERS.get(type(estimator).__name__)
    if reader is not None:
        core = _of_trees(estimator, reader(estimator), wishes, names)
        return Model(core, names, refuses_missing=not _allows_missing(estimator))
    if type(estimator).__name__ in _LINEAR:
        return Model(_linear(estimator, wishes), names, is_linear=True)
    return Model(_converted(estimator, wishes), names)


def _pipeline(pipeline, wishes, names) -> Model:
    """The last step, behind what the steps before it make of the rows."""
    before, last = pipeline[:-1], pipeline.steps[-1][1]
    if len(pipeline.steps) == 1:
        return load(last, wishes, names)
    own = None
    if names is None:
        try:
            own = [str(name) for name in before.get_feature_names_out()]
        except (AttributeError, ValueError):
            own = None
    model = load(last, wishes, names if names is not None else own)

    def prepare(X):
        made = before.transform(X)
        return (made.toarray() if hasattr(made, "toarray") else np.asarray(made)), model._names

    return Model(
        model._core,
        model._names,
        prepare,
        is_linear=model._is_linear,
        refuses_missing=model._refuses_missing,
    )


def _allows_missing(estimator) -> bool:
    from sklearn.utils import get_tags

    return bool(get_tags(estimator).input_tags.allow_nan)


def _of_trees(estimator, found: Trees, wishes, names) -> _pellucid.ModelCore:
    description = {
        "name": type(estimator).__name__,
        "version": _version(),
        "n_features": int(estimator.n_features_in_),
        "feature_names": names,
        "output_names": wishes["output_names"] or _class_names(estimator, len(found.description["base_scores"])),
        **found.description,
    }
    description["digest"] = _digest(found.trees, description)
    return _pellucid.ModelCore.from_trees(found.trees, description)


def _linear(estimator, wishes) -> _pellucid.ModelCore:
    """`X · coef_ᵀ + intercept_`, behind the link of the probabilities where there are any."""
    coefficients = np.ascontiguousarray(np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64)))
    intercepts = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64).ravel(), len(coefficients))
    ending = "plain"
    if _gives_probabilities(estimator):
        ending = "sigmoid" if len(coefficients) == 1 else "softmax"
    if wishes["output_names"] is None:
        wishes = {**wishes, "output_names": _class_names(estimator, len(coefficients))}
    return _pellucid.ModelCore.linear(
        type(estimator).__name__, coefficients, [float(x) for x in intercepts], ending, wishes
    )


def _gives_probabilities(estimator) -> bool:
    """Whether probabilities are the sigmoid of the one margin, or the softmax of all."""
    one_against_rest = getattr(estimator, "multi_class", None) == "ovr" or getattr(estimator, "solver", "") == "liblinear"
    is_logistic = type(estimator).__name__ in ("LogisticRegression", "LogisticRegressionCV")
    return is_logistic and not (one_against_rest and len(estimator.classes_) > 2)


def _converted(estimator, wishes) -> _pellucid.ModelCore:
    """Any other estimator, as the ONNX file that skl2onnx makes of it; its outputs are compared with the estimator's."""
    name = type(estimator).__name__
    try:
        import skl2onnx
    except ImportError:
        raise UnsupportedError(f"{name} is read by way of ONNX: pip install skl2onnx") from None
    example = np.random.default_rng(0).standard_normal((8, estimator.n_features_in_)).astype(np.float32)
    classifies = hasattr(estimator, "predict_proba")
    options = {id(estimator): {"zipmap": False}} if classifies else None
    try:
        proto = skl2onnx.to_onnx(estimator, example, options=options)
    except Exception as error:
        raise UnsupportedError(f"{name}: skl2onnx cannot convert it: {error}") from error
    output = wishes["output"] or ("probabilities" if classifies else None)
    output_names = wishes["output_names"] or ([str(c) for c in estimator.classes_] if classifies else None)
    wishes = {**wishes, "output": output, "output_names": output_names}
    core = _pellucid.ModelCore.from_bytes(name, proto.SerializeToString(), wishes)
    expected = estimator.predict_proba(example) if classifies else estimator.predict(example)
    found = core.outputs(example, True, limits())
    check_outputs(name, found, np.asarray(expected).reshape(found.shape))
    return core


def check_outputs(name: str, found: np.ndarray, expected: np.ndarray) -> None:
    """Refuses a converted model that predicts something else."""
    gap = float(np.max(np.abs(found - expected), initial=0.0))
    scale = max(1.0, float(np.max(np.abs(expected), initial=0.0)))
    if not gap <= 1e-4 * scale:
        raise CheckError(f"{name}: the converted model's outputs differ from its own by {gap:.2e} (scale {scale:.2e})")


def _tree(estimator) -> Trees:
    return _mean([estimator], estimator)


def _forest(estimator) -> Trees:
    return _mean(estimator.estimators_, estimator)


def _mean(members, estimator) -> Trees:
    """Trees whose leaves are averaged: values, or the probabilities of classes."""
    classifies = hasattr(estimator, "classes_")
    if classifies and isinstance(estimator.n_classes_, (list, np.ndarray)) and np.size(estimator.n_classes_) > 1:
        raise UnsupportedError(f"{type(estimator).__name__} of several outputs: explain one output at a time")
    trees = [_arrays(member.tree_, _probabilities if classifies else _values) for member in members]
    description = {
        "base_scores": [0.0] * trees[0]["values"].shape[1],
        "scale": 1.0 / len(trees),
        "is_mean": True,
        "link": "probability" if classifies else "identity",
        "rounds_to_f32": True,
        "objective": str(getattr(estimator, "criterion", "")),
    }
    return Trees(trees, description)


def _gradient_boosting(estimator) -> Trees:
    if type(estimator.init_).__name__ not in ("DummyClassifier", "DummyRegressor", "str"):
        name = type(estimator.init_).__name__
        raise UnsupportedError(f"{type(estimator).__name__} that starts from a {name}; start from a constant")
    members = estimator.estimators_
    rate = float(estimator.learning_rate)
    trees = []
    for round_ in members:
        for output, member in enumerate(round_):
            trees.append({**_arrays(member.tree_, _values), "first_output": output})
    description = {
        "base_scores": _start(estimator, members, rate),
        "scale": rate,
        "is_mean": False,
        "link": _link_of_boosting(estimator),
        "rounds_to_f32": True,
        "objective": str(estimator.loss),
    }
    return Trees(trees, description)


def _start(estimator, members, rate) -> list[float]:
    """What the trees start from: what the model gives for a row, less what its trees add."""
    row = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
    given = estimator.decision_function(row) if hasattr(estimator, "classes_") else estimator.predict(row)
    added = np.array([[member.tree_.predict(row)[0, 0] for member in round_] for round_ in members])
    return list(np.ravel(given) - rate * added.sum(axis=0))


def _link_of_boosting(estimator) -> str:
    if not hasattr(estimator, "classes_"):
        return "identity"
    if estimator.loss == "exponential":
        return "sigmoid_of_twice"
    return "sigmoid" if len(estimator.classes_) == 2 else "softmax"


def _hist_gradient_boosting(estimator) -> Trees:
    if getattr(estimator, "is_categorical_", None) is not None and np.any(estimator.is_categorical_):
        name = type(estimator).__name__
        raise UnsupportedError(
            f"{name} with categorical features is not supported; encode the categories in a pipeline before it"
        )
    trees = []
    for round_ in estimator._predictors:
        for output, predictor in enumerate(round_):
            trees.append({**_hist_arrays(predictor.nodes), "first_output": output})
    description = {
        "base_scores": [float(score) for score in np.ravel(estimator._baseline_prediction)],
        "scale": 1.0,
        "is_mean": False,
        "link": _link_of_hist(estimator),
        "rounds_to_f32": False,
        "objective": str(estimator.loss),
    }
    return Trees(trees, description)


def _link_of_hist(estimator) -> str:
    if hasattr(estimator, "classes_"):
        return "sigmoid" if len(estimator.classes_) == 2 else "softmax"
    return "exp" if estimator.loss in ("poisson", "gamma") else "identity"


def _hist_arrays(nodes) -> dict:
    is_leaf = nodes["is_leaf"].astype(bool)
    return {
        "left": np.where(is_leaf, -1, nodes["left"].astype(np.int64)),
        "right": np.where(is_leaf, -1, nodes["right"].astype(np.int64)),
        "feature": np.where(is_leaf, 0, nodes["feature_idx"].astype(np.int64)),
        "threshold": np.ascontiguousarray(nodes["num_threshold"], dtype=np.float64),
        "missing_left": np.ascontiguousarray(nodes["missing_go_to_left"]).astype(bool),
        "cover": nodes["count"].astype(np.float64),
        "values": np.ascontiguousarray(nodes["value"], dtype=np.float64)[:, None],
        "first_output": 0,
    }


def _arrays(tree, values) -> dict:
    missing = getattr(tree, "missing_go_to_left", None)
    n_nodes = tree.node_count
    return {
        "left": np.ascontiguousarray(tree.children_left, dtype=np.int64),
        "right": np.ascontiguousarray(tree.children_right, dtype=np.int64),
        "feature": np.ascontiguousarray(tree.feature, dtype=np.int64),
        "threshold": np.ascontiguousarray(tree.threshold, dtype=np.float64),
        "missing_left": np.zeros(n_nodes, bool) if missing is None else np.ascontiguousarray(missing).astype(bool),
        "cover": np.ascontiguousarray(tree.weighted_n_node_samples, dtype=np.float64),
        "values": values(tree.value),
        "first_output": 0,
    }


def _values(value) -> np.ndarray:
    """`[nodes, outputs]` of `[nodes, outputs, 1]`."""
    return np.ascontiguousarray(value[:, :, 0], dtype=np.float64)


def _probabilities(value) -> np.ndarray:
    """`[nodes, classes]` of `[nodes, 1, classes]`; older versions keep counts."""
    counts = np.ascontiguousarray(value[:, 0, :], dtype=np.float64)
    return counts / counts.sum(axis=1, keepdims=True)


def _feature_names(estimator) -> list[str] | None:
    names = getattr(estimator, "feature_names_in_", None)
    return None if names is None else [str(name) for name in names]


def _class_names(estimator, n_outputs: int) -> list[str] | None:
    """The classes, where each has an output of its own."""
    classes = getattr(estimator, "classes_", None)
    if classes is None or len(classes) != n_outputs:
        return None
    return [str(name) for name in classes]


def _digest(trees, description) -> str:
    """SHA-256 of everything that the model's predictions depend on."""
    hash_ = hashlib.sha256(repr(sorted((key, str(value)) for key, value in description.items())).encode())
    for tree in trees:
        for name in sorted(tree):
            hash_.update(np.ascontiguousarray(tree[name]).tobytes())
    return hash_.hexdigest()


def _version() -> str:
    import sklearn

    return sklearn.__version__


_READERS = {
    "DecisionTreeClassifier": _tree,
    "DecisionTreeRegressor": _tree,
    "ExtraTreeClassifier": _tree,
    "ExtraTreeRegressor": _tree,
    "RandomForestClassifier": _forest,
    "RandomForestRegressor": _forest,
    "ExtraTreesClassifier": _forest,
    "ExtraTreesRegressor": _forest,
    "GradientBoostingClassifier": _gradient_boosting,
    "GradientBoostingRegressor": _gradient_boosting,
    "HistGradientBoostingClassifier": _hist_gradient_boosting,
    "HistGradientBoostingRegressor": _hist_gradient_boosting,
}

_LINEAR = {
    "ARDRegression",
    "BayesianRidge",
    "ElasticNet",
    "ElasticNetCV",
    "HuberRegressor",
    "Lars",
    "LarsCV",
    "Lasso",
    "LassoCV",
    "LassoLars",
    "LassoLarsCV",
    "LinearRegression",
    "LinearSVC",
    "LinearSVR",
    "LogisticRegression",
    "LogisticRegressionCV",
    "OrthogonalMatchingPursuit",
    "Perceptron",
    "QuantileRegressor",
    "Ridge",
    "RidgeCV",
    "RidgeClassifier",
    "SGDClassifier",
    "SGDRegressor",
    "TheilSenRegressor",
}
