"""Methods that compare with baselines op by op, or with many of them."""

from __future__ import annotations

import numpy as np

from .._pellucid import InputError, UnsupportedError
from . import _arguments
from ._arguments import Inputs, Target, Tensors
from ._attribution import FromBaseline


class _Comparison(FromBaseline):
    """What adds up to the difference of outputs at inputs and baselines."""

    def _check(self, additional_forward_args, custom_attribution_func, with_delta: bool) -> None:
        _arguments.refuse_forward_args(additional_forward_args)
        if custom_attribution_func is not None:
            raise UnsupportedError("custom_attribution_func is not supported; attributions are multiplier · difference")
        self._check_delta(with_delta)


class DeepLift(_Comparison):
    """DeepLIFT by the Rescale rule: adds up to the difference of outputs at inputs and baselines, through every op.

    ``eps`` is taken and not needed: multipliers of equal activations are slopes.

    >>> import numpy as np
    >>> from pellucid.captum import DeepLift
    >>> rows = np.linspace(-1, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 1, 28, 28)
    >>> attributions, delta = DeepLift("fixtures/models/mnist_cnn.onnx").attribute(
    ...     rows, rows[::-1], target=3, return_convergence_delta=True
    ... )
    >>> attributions.shape, bool(abs(delta).max() < 1e-3)
    ((2, 1, 28, 28), True)
    """

    _method = "deep_lift"

    def __init__(self, model, multiply_by_inputs: bool = True, eps: float = 1e-10):
        super().__init__(model, multiply_by_inputs)

    def attribute(
        self,
        inputs: Tensors,
        baselines: float | Tensors | None = None,
        target: Target = None,
        additional_forward_args=None,
        return_convergence_delta: bool = False,
        custom_attribution_func=None,
    ) -> Tensors | tuple[Tensors, Tensors]:
        """Attributions ``[rows, features…]``, and with ``return_convergence_delta`` their convergence delta ``[rows]``.

        ``baselines`` is zero unless given.
        """
        self._check(additional_forward_args, custom_attribution_func, return_convergence_delta)
        rows = _arguments.inputs(inputs)
        baseline = _arguments.baseline(rows.array, baselines)
        return self._returned(rows, self._explained(rows, target, baseline=baseline), return_convergence_delta)


class DeepLiftShap(_Comparison):
    """The mean of DeepLIFT over all rows of a distribution of baselines.

    >>> import numpy as np
    >>> from pellucid.captum import DeepLiftShap
    >>> rows = np.linspace(-1, 1, 4 * 28 * 28, dtype=np.float32).reshape(4, 1, 28, 28)
    >>> DeepLiftShap("fixtures/models/mnist_cnn.onnx").attribute(rows[:1], rows[1:], target=3).shape
    (1, 1, 28, 28)
    """

    _method = "deep_shap"

    def attribute(
        self,
        inputs: Tensors,
        baselines: Tensors,
        target: Target = None,
        additional_forward_args=None,
        return_convergence_delta: bool = False,
        custom_attribution_func=None,
    ) -> Tensors | tuple[Tensors, Tensors]:
        """Attributions ``[rows, features…]``, and with ``return_convergence_delta`` their convergence delta ``[rows]``.

        ``baselines`` are rows ``[baselines, features…]``, or a function of the inputs that gives them.
        """
        self._check(additional_forward_args, custom_attribution_func, return_convergence_delta)
        rows = _arguments.inputs(inputs)
        background = _distribution(rows, inputs, baselines)
        return self._returned(rows, self._explained(rows, target, background=background), return_convergence_delta)


class GradientShap(_Comparison):
    """Expected gradients: random rows of a distribution of baselines, at random points between them and the input.

    >>> import numpy as np
    >>> from pellucid.captum import GradientShap
    >>> rows = np.linspace(-1, 1, 4 * 28 * 28, dtype=np.float32).reshape(4, 1, 28, 28)
    >>> shap = GradientShap("fixtures/models/mnist_cnn.onnx")
    >>> shap.attribute(rows[:1], rows[1:], n_samples=20, target=3, seed=1).shape
    (1, 1, 28, 28)
    """

    _method = "gradient_shap"

    def attribute(
        self,
        inputs: Tensors,
        baselines: Tensors,
        n_samples: int = 5,
        stdevs: float | tuple[float, ...] = 0.0,
        target: Target = None,
        additional_forward_args=None,
        return_convergence_delta: bool = False,
        *,
        seed: int = 0,
    ) -> Tensors | tuple[Tensors, Tensors]:
        """Attributions ``[rows, features…]``, and with ``return_convergence_delta`` their convergence delta ``[rows]``.

        ``baselines`` are rows ``[baselines, features…]``, or a function of the inputs that gives them. ``stdevs`` is the
        standard deviation of noise on the inputs. Draws are made from ``seed`` and the row.
        """
        self._check(additional_forward_args, None, return_convergence_delta)
        if self._noise is not None:
            raise UnsupportedError("a noise tunnel around GradientShap is not supported; it has noise of its own: stdevs")
        rows = _arguments.inputs(inputs)
        background = _distribution(rows, inputs, baselines)
        noise = f"abs:{float(_arguments.of_one_input('stdevs', stdevs))}"
        options = {"background": background, "n_samples": n_samples, "noise": noise, "seed": seed}
        return self._returned(rows, self._explained(rows, target, **options), return_convergence_delta)


def _distribution(rows: Inputs, inputs: Tensors, baselines) -> np.ndarray:
    """Rows of baselines ``[baselines, features…]``."""
    given = baselines(inputs) if callable(baselines) else baselines
    array = _arguments.as_array(_arguments.of_one_input("baselines", given))
    if array.ndim != rows.array.ndim or array.shape[1:] != rows.array.shape[1:]:
        raise InputError(
            f"baselines: their shape is {array.shape} and that of the inputs {rows.array.shape}; "
            "give rows, a distribution to average over"
        )
    return array
