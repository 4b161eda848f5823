"""Linear models → exact Shapley values."""

from __future__ import annotations

import time

import numpy as np

from ... import _pellucid
from ..._explain import explain
from ..._load import _wishes
from ..._model import Model
from ..._pellucid import InputError, UnsupportedError
from .. import links, maskers
from .._explanation import Explanation
from ._explainer import Explainer, plain, refuse_link, table


class LinearExplainer(Explainer):
    """The exact Shapley values of a linear model, ``coefficient · (x − mean)``, margins for a classifier.

    ``model`` is an estimator of scikit-learn or ``(coefficients, intercept)``; ``masker`` is rows, all of which are
    averaged over, or ``(mean, covariance)``.

    >>> import numpy as np, pellucid.shap as shap
    >>> explainer = shap.LinearExplainer((np.array([2.0, -1.0]), 0.5), np.array([[0.0, 0.0], [1.0, 1.0]]))
    >>> explainer.shap_values(np.array([[1.0, 0.0]])).tolist(), explainer.expected_value
    ([[1.0, 0.5]], 1.0)
    """

    def __init__(
        self,
        model,
        masker,
        link=links.identity,
        nsamples: int = 1000,
        feature_perturbation: str | None = None,
        feature_names=None,
    ):
        if feature_perturbation not in (None, "interventional"):
            raise UnsupportedError(
                f"feature_perturbation `{feature_perturbation}` is not supported; there is: interventional"
            )
        refuse_link(link)
        if masker is None:
            raise InputError(
                "masker: a linear model's values are differences from a mean; give rows, such as the training set"
            )
        source = _of_numbers(*model) if isinstance(model, tuple) else model
        self._open(source, feature_names, _mean_row(masker))
        self.model = model
        if not self._model._is_linear:
            raise InputError(f"{self._model.name} is no linear model; shap.Explainer finds the explainer for a model")

    def shap_values(self, X) -> np.ndarray:
        """The values of every row of ``X``, ``[rows, features]`` or ``[rows, features, outputs]``; of a vector
        ``[features]``."""
        rows, is_single = table(X)
        values = self._values(rows)[0]
        return values[0] if is_single else values

    def __call__(self, X) -> Explanation:
        """An explanation of every row of ``X``, to be sliced and drawn."""
        started = time.time()
        rows, _ = table(X)
        values, base_values, data = self._values(rows)
        return self._explanation(values, base_values, data, rows, started)

    def _values(self, X) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        each = [
            explain(self._model, X, "linear_shap", target=index, background=self.data)
            for index in range(self._model.n_outputs)
        ]
        if len(each) == 1:
            return each[0].values, each[0].base_values, each[0].data
        values = np.stack([one.values for one in each], axis=-1)
        return values, np.stack([one.base_values for one in each], axis=-1), each[0].data

    def _base_values(self):
        return plain(self._values(np.zeros((1, *self._model.input_shape)))[1][0])


def _of_numbers(coefficients, intercept) -> Model:
    coefficients = np.ascontiguousarray(np.atleast_2d(np.asarray(coefficients, dtype=np.float64)))
    intercepts = np.broadcast_to(np.ravel(np.asarray(intercept, dtype=np.float64)), len(coefficients))
    core = _pellucid.ModelCore.linear("linear model", coefficients, intercepts.tolist(), "plain", _wishes())
    return Model(core, is_linear=True)


def _mean_row(masker):
    """Rows as they are; of a mean and a covariance only the mean matters to a linear model."""
    if isinstance(masker, tuple):
        return np.atleast_2d(np.asarray(masker[0], dtype=np.float64))
    return maskers.rows_of(masker)
