"""Models whose exact values are known in closed form, or whose coalitions can be counted → exact Shapley values."""

from __future__ import annotations

from ..._pellucid import InputError, UnsupportedError
from .. import links, maskers
from ._explainer import Explainer, _class_for, _loaded, refuse_link
from ._predictions import Counted


class ExactExplainer(Explainer):
    """The Shapley values that counting all coalitions over all background rows gives. For tree models and linear models,
    given as such, they are not counted; of functions and networks they are, up to ``max_evals`` of them. Where ``maskers.Partition``
    says which features belong together, the values are Owen values: only coalitions that keep groups together are counted.

    >>> import numpy as np, pellucid.shap as shap
    >>> rows = np.random.default_rng(0).normal(size=(50, 5))
    >>> explainer = shap.ExactExplainer("fixtures/trees/lightgbm/binary.txt", rows)
    >>> explainer(rows[:3]).shape
    (3, 5)
    >>> shap.ExactExplainer(lambda rows: rows[:, 0] * rows[:, 1], np.zeros((1, 2)))(np.array([[2.0, 3.0]])).values.tolist()
    [[3.0, 3.0]]
    """

    def __init__(self, model, masker, link=links.identity, linearize_link: bool = True, feature_names=None):
        if masker is None:
            raise InputError(
                "masker: exact values are averages over background rows; give rows, such as the training set"
            )
        loaded = _loaded(model, feature_names, None, masker)
        # A linear model has no interactions, and its Owen values are its Shapley values.
        if loaded._is_linear or loaded.kind == "trees" and not maskers.has_groups(masker):
            refuse_link(link)
            self._of_kind = _class_for(loaded, "auto", masker)(model, masker, feature_names=feature_names)
        else:
            self._of_kind = Counted(model, masker, link, feature_names)
        self.model, self.output_names = model, self._of_kind.output_names

    def _name_outputs(self, names: list[str]) -> None:
        self.output_names = self._of_kind.output_names = names

    @property
    def expected_value(self):
        """The mean output over the background: a number, or ``[outputs]``."""
        return self._of_kind.expected_value

    def shap_values(self, X, **counting):
        """The values of every row of ``X``, ``[rows, features]`` or ``[rows, features, outputs]``."""
        return self._of_kind.shap_values(X, **self._counting(counting))

    def __call__(
        self,
        X,
        max_evals: int = 100_000,
        main_effects: bool = False,
        error_bounds: bool = False,
        batch_size: int | str = "auto",
        interactions: int = 1,
        silent: bool = False,
    ):
        """An explanation of every row of ``X``."""
        if main_effects or interactions not in (1, False):
            raise UnsupportedError("interactions are those of tree models: shap.TreeExplainer.shap_interaction_values")
        return self._of_kind(X, **self._counting({"max_evals": max_evals, "batch_size": batch_size, "silent": silent}))

    def _counting(self, options: dict) -> dict:
        """Closed forms have no such options."""
        return options if isinstance(self._of_kind, Counted) else {}
