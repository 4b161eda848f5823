"""Tree models → exact Shapley values."""

from __future__ import annotations

import time

import numpy as np

from ..._explain import explain
from ..._explanation import Explanation as Core
from ..._model import Model
from ..._pellucid import InputError, UnsupportedError
from .._explanation import Explanation
from . import _source
from ._explainer import Explainer, plain, refuse_link, table

_SPACES = {
    "raw": None,
    "margin": None,
    "probability": "probability",
    "predict_proba": "probability",
    "log_loss": "log_loss",
}
_REMOVALS = {"tree_path_dependent": "path_dependent", "interventional": "interventional"}


class TreeExplainer(Explainer):
    """The exact Shapley values of a tree model: any that :func:`pellucid.load` takes, or a file's path.

    Without ``data`` absent features are averaged by the covers of the trees (``"tree_path_dependent"``), with it over
    all its rows (``"interventional"``): all of them, 100 or a million. ``model_output`` is ``"raw"``, what the trees add
    up to, ``"probability"``, or ``"log_loss"``, for which calls take ``y``, the class of each row; the latter two are
    averages over ``data``.

    Values have the shape ``[rows, features]`` for one output, ``[rows, features, outputs]`` for several.

    >>> import numpy as np, pellucid.shap as shap
    >>> explainer = shap.TreeExplainer("fixtures/trees/lightgbm/binary.txt")
    >>> explainer.shap_values(np.zeros((4, 5))).shape, round(explainer.expected_value, 3)
    ((4, 5), ...)
    """

    def __init__(
        self,
        model,
        data=None,
        model_output: str = "raw",
        feature_perturbation: str = "auto",
        feature_names=None,
        approximate: bool = False,
        link=None,
        linearize_link=None,
    ):
        refuse_link(link)
        self._open(model, feature_names, data)
        if self._model.kind != "trees":
            raise InputError(f"{self._model.name} is no tree model; shap.Explainer finds the explainer for a model")
        if model_output not in _SPACES:
            known = "raw, probability, log_loss"
            raise UnsupportedError(f"model_output `{model_output}` is not supported yet; there are: {known}")
        if feature_perturbation not in ("auto", *_REMOVALS):
            raise InputError(f"feature_perturbation `{feature_perturbation}`: there are auto, {', '.join(_REMOVALS)}")
        if feature_perturbation == "interventional" and self.data is None:
            raise InputError("feature_perturbation: interventional values are averages over rows; give data=rows")
        self.model_output = model_output
        self.feature_perturbation = feature_perturbation
        if feature_perturbation == "auto":
            self.feature_perturbation = "tree_path_dependent" if self.data is None else "interventional"
        self._approximate = approximate

    def shap_values(
        self,
        X,
        y=None,
        tree_limit: int | None = None,
        approximate: bool = False,
        check_additivity: bool = True,
    ) -> np.ndarray:
        """The values of every row of ``X``, ``[rows, features]`` or ``[rows, features, outputs]``, columns as in ``X``;
        of a vector ``[features]``.

        That they add up is always checked. ``check_additivity`` also asks the model's own library what it predicts, where
        the model is an object of it.

        >>> import numpy as np, pellucid.shap as shap
        >>> shap.TreeExplainer("fixtures/trees/lightgbm/multiclass.txt").shap_values(np.zeros((4, 5))).shape
        (4, 5, 3)
        """
        rows, is_single = table(X)
        core = self._core(rows, y, tree_limit, approximate, check_additivity)
        values = _permuted(core.values, _places(rows, self._model), 1)
        return values[0] if is_single else values

    def shap_interaction_values(self, X, y=None, tree_limit: int | None = None) -> np.ndarray:
        """What pairs of features add beyond each, ``[rows, features, features]``, with several outputs one more axis.

        The diagonal holds main effects, the sum over a feature's row its Shapley value; a pair is shared in halves.

        >>> import numpy as np, pellucid.shap as shap
        >>> explainer = shap.TreeExplainer("fixtures/trees/lightgbm/binary.txt")
        >>> pairs = explainer.shap_interaction_values(np.zeros((2, 5)))
        >>> bool(np.allclose(pairs.sum(axis=2), explainer.shap_values(np.zeros((2, 5)))))
        True
        """
        rows, is_single = table(X)
        core = self._core(rows, y, tree_limit, False, True, interactions=True)
        values = _permuted(core.values, _places(rows, self._model), 2)
        return values[0] if is_single else values

    def __call__(
        self, X, y=None, interactions: bool = False, check_additivity: bool = True, approximate: bool = False
    ) -> Explanation:
        """An explanation of every row of ``X``, to be sliced and drawn.

        >>> import numpy as np, pellucid.shap as shap
        >>> e = shap.TreeExplainer("fixtures/trees/lightgbm/multiclass.txt")(np.zeros((4, 5)))
        >>> e.shape, e[..., 1].shape, e[0].base_values.shape
        ((4, 5, 3), (4, 5), (3,))
        """
        started = time.time()
        rows, _ = table(X)
        core = self._core(rows, y, None, approximate, check_additivity, interactions=interactions)
        places, n_axes = _places(rows, self._model), 2 if interactions else 1
        values, error = _permuted(core.values, places, n_axes), _permuted(core.standard_error, places, n_axes)
        made = self._explanation(values, core.base_values, core.data[:, places], rows, started, error_std=error)
        categories = self._model._core.feature_categories
        made.categories = None if categories is None else [categories[place] for place in places]
        made.output_space = _SPACES[self.model_output] or self._model.output_space
        return made

    def _core(self, X, y, tree_limit, approximate, check_additivity, **options) -> Core:
        """What the core makes of the rows."""
        if tree_limit not in (None, -1):
            raise UnsupportedError(
                "tree_limit is not supported; slice or retrain the model: all its trees are explained"
            )
        options |= self._labels(y)
        if check_additivity:
            _source.check(self._source, self._model, X)
        if approximate or self._approximate:
            core = explain(self._model, X, "saabas", target="all")
        else:
            core = explain(self._model, X, "tree_shap", target="all", **self._options(), **options)
        if core.base_values is not None and self.model_output != "log_loss":
            self._expected = plain(core.base_values[0])
        return core

    def _labels(self, y) -> dict:
        """The classes of the rows, by index, where the loss is explained."""
        if self.model_output != "log_loss":
            if y is not None:
                raise InputError('y: the classes of the rows are for model_output="log_loss"; leave y out')
            return {}
        if y is None:
            raise InputError("y: the log-loss of a row depends on its class; give y, one class a row")
        names, classes = self._model.output_names or [], []
        for label in np.ravel(y).tolist():
            if str(label) in names and len(names) > 1:
                classes.append(names.index(str(label)))
            elif label in range(max(self._model.n_outputs, 2)):
                classes.append(int(label))
            else:
                raise InputError(f"y: {label!r} is no class of the model; there are: {', '.join(names) or '0 and 1'}")
        return {"labels": classes}

    def _options(self) -> dict:
        options = {}
        space = _SPACES[self.model_output]
        if space is not None and space != self._model.output_space:
            options["output_space"] = space
        if self.data is not None:
            options |= {"background": self.data, "removal": _REMOVALS[self.feature_perturbation]}
        return options

    def _base_values(self):
        """Of any row: they do not depend on it."""
        if self.model_output == "log_loss":
            raise InputError("expected_value: of the log-loss it depends on a row's class; take base_values of a call")
        rows = np.zeros((1, *self._model.input_shape))
        # A pipeline's steps do not see this row.
        model = Model(self._model._core, self._model._names)
        options = self._options()
        if "background" in options:
            options["background"] = _prepared(self._model, self.data)
        return plain(explain(model, rows, "tree_shap", target="all", **options).base_values[0])


def _permuted(values: np.ndarray | None, places: list[int], n_axes: int) -> np.ndarray | None:
    if values is None or places == list(range(len(places))):
        return values
    values = values[:, places]
    return values[:, :, places] if n_axes == 2 else values


def _places(X, model: Model) -> list[int]:
    """For each column of ``X`` the feature that it is."""
    names = model.feature_names
    order = list(range(model.input_shape[0]))
    if names is None or model._prepare is not None or not hasattr(X, "columns"):
        return order
    columns = [str(name) for name in X.columns]
    if columns == names or len(columns) == len(names) and set(columns) != set(names):
        return order
    others = [name for name in columns if name not in names]
    if others:
        raise InputError(
            f"X: {', '.join(others)} are no features of the model, and values have a place for each column; drop them"
        )
    return [names.index(name) for name in columns]


def _prepared(model: Model, X):
    return X if model._prepare is None else model._prepare(X)[0]
