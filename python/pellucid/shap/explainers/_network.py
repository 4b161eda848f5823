"""Networks → DeepSHAP and expected gradients."""

from __future__ import annotations

import time

import numpy as np

from ..._explain import explain
from ..._pellucid import InputError, UnsupportedError
from .. import maskers
from .._explanation import Explanation
from ._explainer import Explainer, table

_RANKS = {"max": np.negative, "min": np.asarray, "max_abs": lambda outputs: -np.abs(outputs)}
"""What comes first by each order has the lowest of these."""


class _NetworkExplainer(Explainer):
    """What compares a network's rows with a background, of which all rows count."""

    _method: str
    """The method's name in :func:`pellucid.explain`."""

    def __init__(self, model, data, feature_names=None):
        if data is None:
            raise InputError("data: a network's values are differences from a mean output; give rows to compare with")
        self._open(model, feature_names, data)
        if self._model.kind != "network" or self._model._is_linear:
            raise InputError(f"{self._model.name} is no network; shap.Explainer finds the explainer for a model")
        self.data = np.asarray(maskers.rows_of(data), dtype=np.float32)

    def __call__(self, X) -> Explanation:
        """An explanation of every row of ``X``, to be sliced and drawn: values ``[rows, features…, outputs]``."""
        started = time.time()
        rows, _ = table(X)
        each = self._explained(rows)
        base_values = np.stack([one.base_values for one in each], axis=-1)
        return self._explanation(_stacked(each), base_values, each[0].data, rows, started)

    def _explained(self, rows, outputs=None, **options) -> list:
        """One explanation an output, or one for each of ``outputs``: an index, or one index a row."""
        outputs = range(self._model.n_outputs) if outputs is None else outputs
        return [
            explain(self._model, rows, self._method, index, background=self.data, progress=False, **options)
            for index in outputs
        ]

    def _ranked(self, rows, ranked_outputs: int, order: str) -> np.ndarray:
        """The outputs of each row that come first, ``[rows, ranked_outputs]``."""
        if order not in _RANKS:
            raise InputError(f"output_rank_order: there is no {order!r}; there are: {', '.join(_RANKS)}")
        if not 1 <= ranked_outputs <= self._model.n_outputs:
            raise InputError(f"ranked_outputs: {ranked_outputs} of {self._model.n_outputs} outputs")
        return np.argsort(_RANKS[order](self._model.outputs(rows)), axis=1, kind="stable")[:, :ranked_outputs]

    def _base_values(self):
        return self._model.outputs(self.data).mean(axis=0)


class DeepExplainer(_NetworkExplainer):
    """DeepSHAP: the mean of DeepLIFT over the rows of ``data``, through every op of the network.

    ``model`` is what :func:`pellucid.load` takes for a network.

    >>> import numpy as np, pellucid.shap as shap
    >>> rows = np.linspace(-1, 1, 4 * 28 * 28, dtype=np.float32).reshape(4, 1, 28, 28)
    >>> explainer = shap.DeepExplainer("fixtures/models/mnist_cnn.onnx", rows[1:])
    >>> explainer.shap_values(rows[:1]).shape, explainer.expected_value.shape
    ((1, 1, 28, 28, 10), (10,))
    """

    _method = "deep_shap"

    def __init__(self, model, data, session=None, learning_phase_flags=None, *, feature_names=None):
        _refuse("session", session)
        _refuse("learning_phase_flags", learning_phase_flags)
        super().__init__(model, data, feature_names)

    def shap_values(
        self, X, ranked_outputs: int | None = None, output_rank_order: str = "max", check_additivity: bool = True
    ):
        """Values ``[rows, features…, outputs]``. Sums are always checked, node by node.

        With ``ranked_outputs`` values of so many outputs of each row, and which they are, ``[rows, ranked_outputs]``: the
        highest first, or by ``output_rank_order`` the lowest (``"min"``) or those of the largest size (``"max_abs"``).
        """
        rows, _ = table(X)
        if ranked_outputs is None:
            return _stacked(self._explained(rows))
        ranks = self._ranked(rows, ranked_outputs, output_rank_order)
        return _stacked(self._explained(rows, ranks.T.tolist())), ranks


class GradientExplainer(_NetworkExplainer):
    """Expected gradients: gradients at random points between the rows of ``data`` and the input, averaged.

    ``local_smoothing`` is the standard deviation of noise on the input; ``batch_size`` rows go through at once.

    >>> import numpy as np, pellucid.shap as shap
    >>> rows = np.linspace(-1, 1, 4 * 28 * 28, dtype=np.float32).reshape(4, 1, 28, 28)
    >>> explainer = shap.GradientExplainer("fixtures/models/mnist_cnn.onnx", rows[1:])
    >>> explainer.shap_values(rows[:1], nsamples=20, rseed=1).shape
    (1, 1, 28, 28, 10)
    """

    _method = "gradient_shap"

    def __init__(self, model, data, session=None, batch_size: int = 50, local_smoothing: float = 0, *, feature_names=None):
        _refuse("session", session)
        super().__init__(model, data, feature_names)
        self._options = {"batch_size": batch_size, "noise": f"abs:{float(local_smoothing)}"}

    def shap_values(
        self,
        X,
        nsamples: int = 200,
        ranked_outputs: int | None = None,
        output_rank_order: str = "max",
        rseed: int | None = None,
        return_variances: bool = False,
    ):
        """Values ``[rows, features…, outputs]``; with ``ranked_outputs`` also which outputs they are of, as
        :meth:`DeepExplainer.shap_values` gives them; with ``return_variances`` also the squares of their standard errors.

        Draws are made from ``rseed`` (0 unless given) and the row.
        """
        rows, _ = table(X)
        ranks = None if ranked_outputs is None else self._ranked(rows, ranked_outputs, output_rank_order)
        outputs = None if ranks is None else ranks.T.tolist()
        each = self._explained(rows, outputs, n_samples=nsamples, seed=rseed or 0)
        found = [_stacked(each)]
        if ranks is not None:
            found.append(ranks)
        if return_variances:
            found.append(np.stack([one.standard_error**2 for one in each], axis=-1))
        return found[0] if len(found) == 1 else tuple(found)

    def _explained(self, rows, outputs=None, **options) -> list:
        return super()._explained(rows, outputs, **self._options, **options)


def _stacked(each: list) -> np.ndarray:
    return np.stack([one.values for one in each], axis=-1)


def _refuse(name: str, given) -> None:
    if given is not None:
        raise UnsupportedError(f"{name} is TensorFlow's; give the network as an ONNX file or a module of torch")
