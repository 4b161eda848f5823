"""What lime's explainers share: the choice of labels, the call of the core, and what comes back."""

from __future__ import annotations

import numpy as np

from .. import _functions
from .._load import load
from .._model import Model
from .._pellucid import InputError, UnsupportedError


class Settings:
    """What lime's constructors take and all explainers have."""

    def __init__(self, kernel_width, kernel, feature_selection: str, random_state):
        if kernel is not None:
            raise UnsupportedError("kernel is not supported: there is sqrt(exp(-d²/width²)), with kernel_width")
        if feature_selection == "lasso_path":
            raise UnsupportedError(
                'feature_selection="lasso_path" is not supported; there are auto, forward_selection, highest_weights, none'
            )
        self._kernel_width = None if kernel_width is None else float(kernel_width)
        self._selection = feature_selection
        self._seed = seed_of(random_state)

    def _wishes(self, num_features: int, num_samples: int, **more) -> dict:
        return {
            "n_features": int(num_features),
            "selection": self._selection,
            "n_samples": int(num_samples),
            "kernel_width": self._kernel_width,
            "around_row": False,
            "by_removal_count": False,
            "seed": self._seed,
            **more,
        }


def seed_of(random_state) -> int:
    """A seed of a number, nothing, or a random state of NumPy."""
    if random_state is None:
        return 0
    return int(random_state.randint(2**31)) if hasattr(random_state, "randint") else int(random_state)


def model_of(predict_fn, row: np.ndarray) -> Model:
    """The model to ask: a function, or whatever else can be loaded."""
    return load(predict_fn, example_inputs=row[None]) if _functions.is_one(predict_fn) else load(predict_fn)


def refuse(distance_metric: str, known: str, model_regressor) -> None:
    """Refuses what the core has no other of."""
    if distance_metric != known:
        raise UnsupportedError(f"distance_metric={distance_metric!r} is not supported; there is {known!r}")
    if model_regressor is not None:
        raise UnsupportedError("model_regressor is not supported: the surrogate is a ridge regression with alpha 1")


def labels_of(outputs: np.ndarray, labels, top_labels: int | None) -> tuple[list[int], list[int] | None]:
    """Which outputs are explained, and the highest ones, highest first, where those were asked for."""
    if top_labels:
        top = np.argsort(outputs)[::-1][: int(top_labels)].tolist()
        return top, top
    chosen = [int(label) for label in labels]
    wrong = [label for label in chosen if not 0 <= label < len(outputs)]
    if wrong:
        raise InputError(f"labels: the model has {len(outputs)} outputs, counted from 0; there is no {wrong[0]}")
    return chosen, None


class Explanation:
    """lime's explanation of one row: for each label the surrogate's weights."""

    def __init__(self, names: list[str], mode: str, class_names=None):
        self._names = names
        self.mode = mode
        self.class_names = class_names
        self.local_exp: dict[int, list[tuple[int, float]]] = {}
        """For each label features and weights, the largest first."""
        self.intercept: dict[int, float] = {}
        self.score: dict[int, float] = {}
        """For each label the share of the weighted variance of the outputs that the surrogate tells (R²)."""
        self.local_pred: dict[int, np.ndarray] = {}
        """For each label what the surrogate says of the row."""
        self.top_labels: list[int] | None = None
        self.predict_proba: np.ndarray | None = None
        self.predicted_value: float | None = None
        self.warnings: list[str] = []
        """What a reader must know."""

    def _take(self, labels: list[int], found: dict) -> None:
        """What the core found, for each label."""
        for place, label in enumerate(labels):
            weights = found["values"][:, place]
            chosen = found["selected"][place]
            self.local_exp[label] = [(feature, float(weights[feature])) for feature in chosen]
            self.intercept[label] = float(found["intercept"][place])
            self.score[label] = float(found["score"][place])
            self.local_pred[label] = found["local_prediction"][place : place + 1]
        self.warnings = found["warnings"]

    def _as_regression(self) -> None:
        """lime has a regression's weights under 1, and their opposites under 0."""
        for part in (self.intercept, self.score, self.local_pred):
            part[1] = part[0]
        self.local_exp[1] = self.local_exp[0]
        self.local_exp[0] = [(feature, -weight) for feature, weight in self.local_exp[1]]

    def available_labels(self) -> list[int]:
        """The labels that are explained."""
        if self.mode == "regression":
            raise InputError("available_labels: a regression has no labels")
        return list(self.local_exp) if self.top_labels is None else list(self.top_labels)

    def as_map(self) -> dict[int, list[tuple[int, float]]]:
        """For each label pairs of a feature's index and its weight."""
        return self.local_exp

    def as_list(self, label: int = 1) -> list[tuple[str, float]]:
        """Pairs of a feature's description and its weight, the largest first."""
        label = 1 if self.mode == "regression" else label
        if label not in self.local_exp:
            raise InputError(f"label: {label} is not explained; there are {list(self.local_exp)}")
        return [(self._names[feature], weight) for feature, weight in self.local_exp[label]]

    def _no_picture(self, *_arguments, **_keywords):
        raise UnsupportedError(
            "lime's pictures are not supported; there is pellucid.explain(model, rows, 'lime', background=train).plot.bar()"
        )

    as_html = as_pyplot_figure = save_to_file = show_in_notebook = _no_picture
