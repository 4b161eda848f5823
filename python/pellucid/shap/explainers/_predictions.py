"""Models of which only predictions are asked → Shapley values by sampling or counting coalitions."""

from __future__ import annotations

import time
import warnings

import numpy as np

from ..._explain import explain
from ..._pellucid import InputError, UnsupportedError
from .. import links, maskers
from .._explanation import Explanation
from ._explainer import Explainer, plain, table

_WHOLE = (None, 0, False, "auto", "num_features(10)")
"""Of shap's ``l1_reg`` its defaults, and what leaves no feature out."""

_MAX_EVALS = 500
"""shap's default of :class:`PermutationExplainer`, which is too few for many features."""

_OF_GROUPS = "take PartitionExplainer, ExactExplainer or PermutationExplainer, or rows as masker"


class OfPredictions(Explainer):
    """What needs a function alone, or whatever else :func:`pellucid.load` takes, and rows to average absent features over."""

    _method: str
    """The method's name in :func:`pellucid.explain`."""

    _takes_groups = True
    """Whether a masker may say which features belong together: Owen values then, in place of the method's."""

    def _start(self, model, masker, link, feature_names, seed=None, *, takes_frames: bool = True) -> None:
        if masker is None:
            raise InputError("masker: absent features are averaged over rows; give rows, such as the training set")
        if maskers.has_groups(masker):
            if not self._takes_groups:
                name, groups = type(self).__name__, type(masker).__name__
                raise UnsupportedError(f"{name} has no groups of features, and maskers.{groups} says which belong together; {_OF_GROUPS}")
            self._method = "owen"
        self.link = link
        self._link = _name_of(link)
        self._seed = seed or 0
        rows = maskers.rows_of(masker)
        if feature_names is None and hasattr(rows, "columns"):
            feature_names = rows.columns
        if not takes_frames and hasattr(rows, "to_numpy"):
            rows = rows.to_numpy()
        self._open(model, feature_names, rows)
        self.masker = masker
        self._weights = getattr(masker, "weights", None)
        self._options = {"hierarchy": maskers.hierarchy_of(masker)} if self._method == "owen" else {}

    def _explained(self, rows, max_evaluations=None, batch_size="auto", silent: bool = True):
        found = explain(
            self._model,
            rows,
            self._method,
            "all",
            background=self.data,
            background_weights=self._weights,
            max_evaluations=None if max_evaluations == "auto" else max_evaluations,
            link=self._link,
            seed=self._seed,
            batch_size=None if batch_size == "auto" else batch_size,
            progress=not silent,
            **self._options,
        )
        # Owen values that are not exact have no standard error; exact ones have 0.
        if self._method == "owen" and found.standard_error is None:
            self._share_evenly(found.warnings)
        return found

    def _share_evenly(self, told: list[str]) -> None:
        """Says that some groups share evenly."""
        warnings.warn("; ".join(told), stacklevel=5)

    def _called(self, X, *asked) -> Explanation:
        started = time.time()
        rows, _ = table(X)
        found = self._explained(rows, *asked)
        made = self._explanation(
            found.values, found.base_values, found.data, rows, started, error_std=found.standard_error
        )
        made.output_space = found.output_space
        return made

    def _valued(self, X, *asked) -> np.ndarray:
        """``[rows, features…]``, with several outputs one more axis; of a vector without the axis of rows."""
        rows, is_single = table(X)
        values = self._explained(rows, *asked).values
        return values[0] if is_single else values

    def _base_values(self):
        means = np.average(self._model.outputs(self.data), axis=0, weights=self._weights)
        return plain(links.logit(means) if self._link == "logit" else means)


class KernelExplainer(OfPredictions):
    """Kernel SHAP: the additive function nearest to what coalitions are worth, with standard errors.

    ``model`` is a function of rows, or what :func:`pellucid.load` takes; ``data`` is rows, or what :func:`shap.kmeans`
    gives. ``link`` is ``"identity"`` or ``"logit"``. Of shap's ``l1_reg`` there are the defaults, and no feature is left out.

    >>> import numpy as np, pellucid.shap as shap
    >>> explainer = shap.KernelExplainer(lambda rows: rows[:, 0] - 2 * rows[:, 1], np.zeros((1, 2)))
    >>> explainer.shap_values(np.array([[1.0, 1.0]])).round(6).tolist(), explainer.expected_value
    ([[1.0, -2.0]], 0.0)
    """

    _method = "kernel_shap"
    _takes_groups = False

    def __init__(self, model, data, feature_names=None, link="identity", *, keep_index: bool = False, seed=None):
        self._start(model, data, link, feature_names, seed, takes_frames=keep_index)

    def shap_values(
        self, X, *, nsamples="auto", l1_reg="num_features(10)", silent: bool = False, gc_collect: bool = False
    ) -> np.ndarray:
        """Values ``[rows, features]`` or ``[rows, features, outputs]``, of a vector ``[features]``; ``nsamples`` coalitions
        a row, 2 · features + 2048 by default."""
        _check_l1(l1_reg)
        return self._valued(X, nsamples, "auto", silent)

    def __call__(self, X, l1_reg="num_features(10)", silent: bool = False) -> Explanation:
        """An explanation of every row of ``X``."""
        _check_l1(l1_reg)
        return self._called(X, None, "auto", silent)


class SamplingExplainer(OfPredictions):
    """Each feature's gains over random coalitions of the others.

    >>> import numpy as np, pellucid.shap as shap
    >>> explainer = shap.SamplingExplainer(lambda rows: rows[:, 0] - 2 * rows[:, 1], np.zeros((1, 2)))
    >>> explainer.shap_values(np.array([[1.0, 1.0]]), nsamples=100).round(6).tolist()
    [[1.0, -2.0]]
    """

    _method = "sampling_shap"
    _takes_groups = False

    def __init__(self, model, data, feature_names=None, *, keep_index: bool = False, seed=None):
        self._start(model, data, None, feature_names, seed, takes_frames=keep_index)

    def shap_values(self, X, nsamples="auto", silent: bool = False) -> np.ndarray:
        """Values ``[rows, features]`` or ``[rows, features, outputs]``, of a vector ``[features]``; ``nsamples`` coalitions
        a row, 1000 · features by default."""
        return self._valued(X, nsamples, "auto", silent)

    def __call__(self, X, nsamples="auto", silent: bool = False) -> Explanation:
        """An explanation of every row of ``X``."""
        return self._called(X, nsamples, "auto", silent)


class PermutationExplainer(OfPredictions):
    """The gain of a feature that joins in random orders, each order taken forwards and backwards.

    Where ``maskers.Partition`` says which features belong together, the values are Owen values, as
    :class:`PartitionExplainer` has them.

    >>> import numpy as np, pellucid.shap as shap
    >>> explainer = shap.PermutationExplainer(lambda rows: rows[:, 0] * rows[:, 1], np.zeros((1, 2)))
    >>> explainer(np.array([[2.0, 3.0]])).values.tolist()
    [[3.0, 3.0]]
    """

    _method = "permutation_shap"

    def __init__(
        self, model, masker, link=links.identity, feature_names=None, linearize_link: bool = True, seed: int | None = None
    ):
        self._start(model, masker, link, feature_names, seed)

    def shap_values(
        self,
        X,
        npermutations: int = 10,
        main_effects: bool = False,
        error_bounds: bool = False,
        batch_evals: bool = True,
        silent: bool = False,
    ) -> np.ndarray:
        """Values ``[rows, features]`` or ``[rows, features, outputs]``, of a vector ``[features]``."""
        _refuse_main_effects(main_effects)
        return self._valued(X, self._enough(npermutations * (2 * self._n_features + 1)), "auto", silent)

    def __call__(
        self,
        X,
        max_evals: int | str = _MAX_EVALS,
        main_effects: bool = False,
        error_bounds: bool = False,
        batch_size: int | str = "auto",
        outputs=None,
        silent: bool = False,
    ) -> Explanation:
        """An explanation of every row of ``X``, standard errors in ``error_std``. Two orders are the least that has them: by default, and
        where ``max_evals`` has room for one, there are two.
        """
        _refuse_main_effects(main_effects, outputs)
        return self._called(X, self._enough(max_evals), batch_size, silent)

    @property
    def _n_features(self) -> int:
        return int(np.prod(self._model.input_shape))

    def _enough(self, max_evals: int | str) -> int | str:
        if max_evals == "auto" or max_evals < 2 * self._n_features + 1 and max_evals != _MAX_EVALS:
            return max_evals
        return max(max_evals, 4 * self._n_features)


class PartitionExplainer(OfPredictions):
    """Owen values: features that belong together share what their group gains.

    The groups are those of ``maskers.Partition``: by correlation in the rows (``"correlation"``), or a linkage matrix.

    >>> import numpy as np, pellucid.shap as shap
    >>> masker = shap.maskers.Partition(np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 1.0]]))
    >>> shap.PartitionExplainer(lambda rows: rows.sum(axis=1), masker)(np.ones((1, 3))).values.tolist()
    [[0.5, 1.0, 0.5]]
    """

    _method = "owen"

    def __init__(
        self, model, masker, *, output_names=None, link=links.identity, linearize_link: bool = True, feature_names=None
    ):
        self._start(model, masker, link, feature_names)
        if output_names is not None:
            self.output_names = [str(name) for name in output_names]

    def shap_values(self, X, max_evals: int | str = 500, silent: bool = False) -> np.ndarray:
        """Values ``[rows, features]`` or ``[rows, features, outputs]``, of a vector ``[features]``."""
        return self._valued(X, max_evals, "auto", silent)

    def __call__(
        self,
        X,
        max_evals: int | str = 500,
        fixed_context=None,
        main_effects: bool = False,
        error_bounds: bool = False,
        batch_size: int | str = "auto",
        outputs=None,
        silent: bool = False,
    ) -> Explanation:
        """An explanation of every row of ``X``."""
        _refuse_main_effects(main_effects, outputs)
        if fixed_context is not None:
            raise UnsupportedError("fixed_context is not supported; groups are weighed in both contexts")
        return self._called(X, max_evals, batch_size, silent)


class Counted(OfPredictions):
    """What counting all coalitions gives, for :class:`ExactExplainer`; of groups, all that keep them together."""

    _method = "exact_shap"

    def __init__(self, model, masker, link=links.identity, feature_names=None):
        self._start(model, masker, link, feature_names)

    def shap_values(self, X, max_evals: int = 100_000, batch_size: int | str = "auto", silent: bool = False):
        """Values of every row."""
        return self._valued(X, max_evals, batch_size, silent)

    def __call__(self, X, max_evals: int = 100_000, batch_size: int | str = "auto", silent: bool = False):
        """An explanation of every row."""
        return self._called(X, max_evals, batch_size, silent)

    def _share_evenly(self, told: list[str]) -> None:
        raise InputError(
            f"max_evals: too few for exact values of these groups ({'; '.join(told)}); give more, or take PartitionExplainer, which opens "
            "the groups that matter most"
        )


def _name_of(link) -> str | None:
    """A link as the core has it."""
    if link in (None, "identity", links.identity):
        return None
    if link in ("logit", links.logit):
        return "logit"
    raise UnsupportedError(f"link {link!r} is not supported; there are identity and logit")


def _check_l1(l1_reg) -> None:
    if l1_reg not in _WHOLE:
        raise UnsupportedError(f"l1_reg={l1_reg!r} is not supported: no feature is left out; l1_reg=0 says so")


def _refuse_main_effects(main_effects: bool, outputs=None) -> None:
    if main_effects:
        raise UnsupportedError("main_effects are not supported; TreeExplainer.shap_interaction_values has those of trees")
    if outputs is not None:
        raise UnsupportedError("outputs is not supported; all are explained at once: take e[..., index]")
