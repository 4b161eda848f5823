"""What captum's classes share: a model, and the call of :func:`pellucid.explain`."""

from __future__ import annotations

import numpy as np

from .. import _functions
from .._explain import explain
from .._explanation import Explanation
from .._load import load
from .._model import Model
from .._pellucid import InputError, UnsupportedError
from . import _arguments
from ._arguments import Inputs, Target, Tensors


class Attribution:
    """A method and the model that it explains."""

    _method: str
    """The method's name in :func:`pellucid.explain`."""
    _noise: dict | None = None
    """The options of a noise tunnel around this method."""

    def __init__(self, forward_func):
        self.forward_func = forward_func
        if _functions.is_one(forward_func):
            raise UnsupportedError(
                f"functions have no gradient that {type(self).__name__} could follow: give the module, or an ONNX file. "
                "Occlusion, FeatureAblation, ShapleyValueSampling, KernelShap and Lime take functions"
            )
        self._model = None if is_module(forward_func) else _network(load(forward_func))

    def has_convergence_delta(self) -> bool:
        """Whether the method promises that attributions add up to a difference of outputs."""
        return False

    def compute_convergence_delta(
        self,
        attributions: Tensors,
        start_point: float | Tensors,
        end_point: Tensors,
        target: Target = None,
        additional_forward_args=None,
    ) -> Tensors:
        """``attributions.sum() - (output at end_point - output at start_point)``, ``[rows]``.

        ``start_point`` is a baseline, or one for each row; ``end_point`` are the inputs.

        >>> import numpy as np
        >>> from pellucid.captum import IntegratedGradients
        >>> rows = np.ones((2, 1, 28, 28), np.float32)
        >>> ig = IntegratedGradients("fixtures/models/mnist_cnn.onnx")
        >>> ig.compute_convergence_delta(ig.attribute(rows, target=3), 0, rows, target=3).shape
        (2,)
        """
        _arguments.refuse_forward_args(additional_forward_args)
        ends = _arguments.inputs(end_point)
        baseline = _arguments.baseline(ends.array, start_point)
        starts = np.zeros_like(ends.array) if baseline is None else np.broadcast_to(baseline, ends.array.shape)
        model = self._loaded(ends)
        columns = _arguments.target(model, target)
        rows = np.arange(len(ends.array))
        differences = (model.outputs(ends.array) - model.outputs(starts))[rows, columns]
        sums = _arguments.inputs(attributions).array.reshape(len(rows), -1).sum(axis=1, dtype=np.float64)
        return _arguments.in_kind(sums - differences, ends.given)

    def _explained(self, inputs: Inputs, target: Target, batch_size: int | None = None, **options) -> Explanation:
        """The explanation of rows, with the options of the method."""
        model = self._loaded(inputs)
        if inputs.array.ndim != len(model.input_shape) + 1:
            raise InputError(
                f"inputs: their shape is {inputs.array.shape}; the model takes [rows, features…], "
                f"a row of the shape {model.input_shape}"
            )
        method = self._method
        if self._noise is not None:
            options = {**options, **self._noise, "base_method": method}
            method = options.pop("method")
        target = _arguments.target(model, target)
        return explain(model, inputs.array, method, target, batch_size=batch_size, progress=False, **options)

    def _loaded(self, inputs: Inputs) -> Model:
        """The model; a torch module as it is now, since its weights may have changed."""
        if self._model is not None:
            return self._model
        return _network(load(self.forward_func, example_inputs=inputs.example()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.forward_func!r})"


class Complete(Attribution):
    """A method whose attributions add up to a difference of outputs."""

    @property
    def multiplies_by_inputs(self) -> bool:
        """Whether attributions are in units of the output."""
        return True

    def has_convergence_delta(self) -> bool:
        """Yes."""
        return True

    def _check_delta(self, with_delta: bool) -> None:
        if with_delta and self._noise is not None:
            raise UnsupportedError("return_convergence_delta: means over noisy inputs do not add up to anything")

    def _returned(self, rows: Inputs, explanation: Explanation, with_delta: bool):
        attributions = rows.returned(explanation.values)
        if with_delta:
            return attributions, _arguments.in_kind(explanation.convergence_delta, rows.given)
        return attributions


class FromBaseline(Complete):
    """A method that multiplies by the difference of inputs and baselines."""

    def __init__(self, model, multiply_by_inputs: bool = True):
        if not multiply_by_inputs:
            raise UnsupportedError(
                "multiply_by_inputs=False is not supported yet; divide attributions by (inputs - baselines), "
                "where that is not 0"
            )
        super().__init__(model)


def is_module(model) -> bool:
    """Whether it is a module of torch, by the packages that its class and its bases come from."""
    return any(base.__module__.partition(".")[0] == "torch" for base in type(model).__mro__)


def _network(model: Model) -> Model:
    if model.kind == "trees":
        raise UnsupportedError(
            f"{model.name} is a tree model and has no gradient; use pellucid.explain(model, rows, method='tree_shap')"
        )
    if model.kind != "network":
        raise UnsupportedError(
            f"of {model.name} only predictions are known; there are Occlusion, FeatureAblation, KernelShap and the others "
            "that perturb the input"
        )
    return model
