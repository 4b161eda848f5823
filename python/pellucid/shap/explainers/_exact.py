"""Models whose exact values are known in closed form → exact Shapley values."""

from __future__ import annotations

from ..._pellucid import InputError
from .. import links
from ._explainer import Explainer, _class_for, _loaded, refuse_link


class ExactExplainer(Explainer):
    """The Shapley values that counting all coalitions over all background rows gives, without counting them: of tree
    models and linear models, given as such and not as a function.

    >>> import numpy as np, pellucid.shap as shap
    >>> rows = np.random.default_rng(0).normal(size=(50, 5))
    >>> explainer = shap.ExactExplainer("fixtures/trees/lightgbm/binary.txt", rows)
    >>> explainer(rows[:3]).shape
    (3, 5)
    """

    def __init__(self, model, masker, link=links.identity, linearize_link: bool = True, feature_names=None):
        if masker is None:
            raise InputError(
                "masker: exact values are averages over background rows; give rows, such as the training set"
            )
        refuse_link(link)
        kind = _class_for(_loaded(model, feature_names, None), "auto")
        self._of_kind = kind(model, masker, feature_names=feature_names)
        self.model, self.output_names = model, self._of_kind.output_names

    @property
    def expected_value(self):
        """The mean output over the background: a number, or ``[outputs]``."""
        return self._of_kind.expected_value

    def shap_values(self, X):
        """The values of every row of ``X``, ``[rows, features]`` or ``[rows, features, outputs]``."""
        return self._of_kind.shap_values(X)

    def __call__(self, X):
        """An explanation of every row of ``X``."""
        return self._of_kind(X)
