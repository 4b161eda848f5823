"""Methods that need the gradient at the input."""

from __future__ import annotations

from .._pellucid import InputError
from . import _arguments
from ._arguments import Target, Tensors
from ._attribution import Attribution, Complete, FromBaseline

# captum's names of the rules by which the integral is approximated → Pellucid's.
_RULES = {
    "gausslegendre": "gauss_legendre",
    "riemann_left": "riemann_left",
    "riemann_right": "riemann_right",
    "riemann_middle": "riemann_middle",
    "riemann_trapezoid": "trapezoid",
}

_EPSILON = 1e-9
"""captum's stabilizer of the ε-rule."""


class IntegratedGradients(FromBaseline):
    """``(x − x′) ∫₀¹ ∂f/∂x (x′ + α (x − x′)) dα``: adds up to the difference of outputs at inputs ``x`` and baselines ``x′``.

    >>> import numpy as np
    >>> from pellucid.captum import IntegratedGradients
    >>> rows = np.linspace(-1, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 1, 28, 28)
    >>> ig = IntegratedGradients("fixtures/models/mnist_cnn.onnx")
    >>> ig.attribute(rows, baselines=rows[::-1], target=[3, 5]).shape
    (2, 1, 28, 28)
    """

    _method = "integrated_gradients"

    def __init__(self, forward_func, multiply_by_inputs: bool = True):
        super().__init__(forward_func, multiply_by_inputs)

    def attribute(
        self,
        inputs: Tensors,
        baselines: float | Tensors | None = None,
        target: Target = None,
        additional_forward_args=None,
        n_steps: int = 50,
        method: str = "gausslegendre",
        internal_batch_size: int | None = None,
        return_convergence_delta: bool = False,
    ) -> Tensors | tuple[Tensors, Tensors]:
        """Attributions ``[rows, features…]``, and with ``return_convergence_delta`` their convergence delta ``[rows]``.

        ``baselines`` is zero unless given. ``method`` is ``"gausslegendre"``, ``"riemann_left"``, ``"riemann_right"``,
        ``"riemann_middle"`` or ``"riemann_trapezoid"``. ``internal_batch_size`` bounds the points that go through the
        model at once. The delta is ``attributions.sum() - (output at inputs - output at baselines)``.
        """
        _arguments.refuse_forward_args(additional_forward_args)
        if method not in _RULES:
            raise InputError(f"method: there is no {method!r}; there are: {', '.join(_RULES)}")
        self._check_delta(return_convergence_delta)
        rows = _arguments.inputs(inputs)
        baseline = _arguments.baseline(rows.array, baselines)
        options = {"baseline": baseline, "n_steps": n_steps, "rule": _RULES[method]}
        explanation = self._explained(rows, target, internal_batch_size, **options)
        return self._returned(rows, explanation, return_convergence_delta)


class Saliency(Attribution):
    """``|∂f/∂x|``, or with ``abs=False`` the gradient itself.

    >>> import numpy as np
    >>> from pellucid.captum import Saliency
    >>> rows = np.ones((2, 1, 28, 28), np.float32)
    >>> bool((Saliency("fixtures/models/mnist_cnn.onnx").attribute(rows, target=3) >= 0).all())
    True
    """

    _method = "saliency"

    def attribute(
        self, inputs: Tensors, target: Target = None, abs: bool = True, additional_forward_args=None
    ) -> Tensors:
        """Attributions ``[rows, features…]``."""
        _arguments.refuse_forward_args(additional_forward_args)
        rows = _arguments.inputs(inputs)
        return rows.returned(self._explained(rows, target, absolute=bool(abs)).values)


class InputXGradient(Attribution):
    """``x · ∂f/∂x``.

    >>> import numpy as np
    >>> from pellucid.captum import InputXGradient
    >>> rows = np.ones((2, 1, 28, 28), np.float32)
    >>> InputXGradient("fixtures/models/mnist_cnn.onnx").attribute(rows, target=3).shape
    (2, 1, 28, 28)
    """

    _method = "input_x_gradient"

    @property
    def multiplies_by_inputs(self) -> bool:
        """Whether gradients are multiplied by the inputs."""
        return True

    def attribute(self, inputs: Tensors, target: Target = None, additional_forward_args=None) -> Tensors:
        """Attributions ``[rows, features…]``."""
        _arguments.refuse_forward_args(additional_forward_args)
        rows = _arguments.inputs(inputs)
        return rows.returned(self._explained(rows, target).values)


class LRP(Complete):
    """Layer-wise relevance propagation: ε on every layer with weights (captum's default), for all of captum's layers and more.

    For other rules there is ``pellucid.explain(model, rows, "lrp", composite="epsilon_plus")``.

    >>> import numpy as np
    >>> from pellucid.captum import LRP
    >>> rows = np.linspace(-1, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 1, 28, 28)
    >>> LRP("fixtures/models/mnist_cnn.onnx").attribute(rows, target=3).shape
    (2, 1, 28, 28)
    """

    _method = "lrp"

    def attribute(
        self,
        inputs: Tensors,
        target: Target = None,
        additional_forward_args=None,
        return_convergence_delta: bool = False,
        verbose: bool = False,
    ) -> Tensors | tuple[Tensors, Tensors]:
        """Relevance ``[rows, features…]``.

        The delta ``[rows]`` is Σ relevance − (output − what biases absorbed); captum's is output − Σ relevance.
        ``verbose`` is ignored.
        """
        _arguments.refuse_forward_args(additional_forward_args)
        rows = _arguments.inputs(inputs)
        self._check_delta(return_convergence_delta)
        explanation = self._explained(rows, target, composite="epsilon", epsilon=_EPSILON)
        return self._returned(rows, explanation, return_convergence_delta)


class GuidedBackprop(Attribution):
    """The gradient with only positive signals passed on at ReLUs.

    It hardly depends on what the model learned (it fails the model randomization check): it shows edges of the input.

    >>> import numpy as np
    >>> from pellucid.captum import GuidedBackprop
    >>> rows = np.ones((2, 1, 28, 28), np.float32)
    >>> GuidedBackprop("fixtures/models/mnist_cnn.onnx").attribute(rows, target=3).shape
    (2, 1, 28, 28)
    """

    _method = "guided_backprop"

    def attribute(self, inputs: Tensors, target: Target = None, additional_forward_args=None) -> Tensors:
        """Attributions ``[rows, features…]``."""
        _arguments.refuse_forward_args(additional_forward_args)
        rows = _arguments.inputs(inputs)
        return rows.returned(self._explained(rows, target).values)
