"""Methods that need predictions alone: of networks, tree models, functions and served models."""

from __future__ import annotations

import numpy as np

from .. import _functions
from .._explanation import Explanation
from .._load import load
from .._model import Model
from .._pellucid import InputError, UnsupportedError
from . import _arguments
from ._arguments import Inputs, Target, Tensors
from ._attribution import Attribution, is_module


class Perturbation(Attribution):
    """A method that asks a model about changed inputs.

    ``forward_func`` is a function of the inputs, tensors where the inputs are tensors, or whatever :func:`pellucid.load`
    takes, a module of torch too.
    """

    def __init__(self, forward_func):
        self.forward_func = forward_func
        later = is_module(forward_func) or _functions.is_one(forward_func)
        self._model = None if later else load(forward_func)

    def _loaded(self, inputs: Inputs) -> Model:
        if self._model is not None:
            return self._model
        if is_module(self.forward_func):
            return load(self.forward_func, example_inputs=inputs.example())
        return load(_of_tensors(self.forward_func, inputs.given), example_inputs=inputs.array)

    def _attributed(
        self, inputs: Tensors, baselines, target: Target, additional_forward_args, feature_mask, batch_size, **options
    ) -> Tensors:
        """Attributions in what the inputs came in; features of one group have its value."""
        _arguments.refuse_forward_args(additional_forward_args)
        rows = _arguments.inputs(inputs)
        baseline = _arguments.baseline(rows.array, baselines)
        groups = _groups(rows.array, feature_mask)
        options["baseline"] = 0.0 if baseline is None else baseline
        if groups is not None:
            options["feature_groups"] = groups
        # captum's number of changed inputs that go through at once, each of all rows.
        explanation = self._explained(rows, target, max(int(batch_size), 1) * max(len(rows.array), 1), **options)
        return rows.returned(_spread(explanation, groups))


class _Counted(Perturbation):
    """A method that asks about a known set of changed inputs."""

    def attribute(
        self,
        inputs: Tensors,
        baselines: float | Tensors | None = None,
        target: Target = None,
        additional_forward_args=None,
        feature_mask: Tensors | None = None,
        perturbations_per_eval: int = 1,
        show_progress: bool = False,
    ) -> Tensors:
        """Attributions ``[rows, features…]``; ``feature_mask`` numbers the group of each feature."""
        return self._attributed(
            inputs, baselines, target, additional_forward_args, feature_mask, perturbations_per_eval
        )


class FeatureAblation(_Counted):
    """What the output loses where a feature, or a group of them, is at the baseline.

    >>> import numpy as np
    >>> from pellucid.captum import FeatureAblation
    >>> FeatureAblation(lambda rows: rows[:, 0] - 2 * rows[:, 1]).attribute(np.ones((1, 3))).tolist()
    [[1.0, -2.0, 0.0]]
    """

    _method = "feature_ablation"


class Occlusion(Perturbation):
    """What the output loses where a window of the input is at the baseline: the mean over the windows at each place.

    >>> import numpy as np
    >>> from pellucid.captum import Occlusion
    >>> rows = np.ones((2, 1, 28, 28), np.float32)
    >>> Occlusion("fixtures/models/mnist_cnn.onnx").attribute(rows, (1, 14, 14), strides=(1, 7, 7), target=3).shape
    (2, 1, 28, 28)
    """

    _method = "occlusion"

    def attribute(
        self,
        inputs: Tensors,
        sliding_window_shapes: tuple,
        strides: int | tuple | None = None,
        baselines: float | Tensors | None = None,
        target: Target = None,
        additional_forward_args=None,
        perturbations_per_eval: int = 1,
        show_progress: bool = False,
    ) -> Tensors:
        """Attributions ``[rows, features…]``; windows and strides have a length for each axis of a row. Strides are 1 unless
        given."""
        window = sliding_window_shapes
        if isinstance(window, tuple) and window and isinstance(window[0], tuple):
            window = _arguments.of_one_input("sliding_window_shapes", window)
        row_shape = _arguments.inputs(inputs).array.shape[1:]
        window = _lengths("sliding_window_shapes", window, len(row_shape))
        if isinstance(strides, tuple) and len(strides) == 1 and isinstance(strides[0], tuple):
            strides = strides[0]
        steps = _lengths("strides", 1 if strides is None else strides, len(row_shape))
        # A window as long as the row does not move, however long its step.
        steps = [min(step, length) if length == whole else step for step, length, whole in zip(steps, window, row_shape)]
        return self._attributed(
            inputs, baselines, target, additional_forward_args, None, perturbations_per_eval, window=window, strides=steps
        )


class ShapleyValueSampling(Perturbation):
    """Shapley values by random orders in which features join, each taken forwards and backwards.

    >>> import numpy as np
    >>> from pellucid.captum import ShapleyValueSampling
    >>> ShapleyValueSampling(lambda rows: rows[:, 0] * rows[:, 1]).attribute(np.array([[2.0, 3.0]])).tolist()
    [[3.0, 3.0]]
    """

    _method = "permutation_shap"

    def attribute(
        self,
        inputs: Tensors,
        baselines: float | Tensors | None = None,
        target: Target = None,
        additional_forward_args=None,
        feature_mask: Tensors | None = None,
        n_samples: int = 25,
        perturbations_per_eval: int = 1,
        show_progress: bool = False,
        *,
        seed: int = 0,
    ) -> Tensors:
        """Attributions ``[rows, features…]`` of ``n_samples`` orders, of four at the least; ``feature_mask`` numbers the group of each
        feature."""
        array = _arguments.inputs(inputs).array
        groups = _groups(array, feature_mask)
        n_players = int(groups.max()) + 1 if groups is not None else array[0].size
        # An order asks for as many coalitions as there are features; two of them, forwards and backwards, are the least.
        budget = max(int(n_samples), 4) * n_players + 2
        return self._attributed(
            inputs,
            baselines,
            target,
            additional_forward_args,
            feature_mask,
            perturbations_per_eval,
            max_evaluations=budget,
            seed=seed,
        )


class ShapleyValues(_Counted):
    """Shapley values by counting all coalitions, 2 to the number of features or groups.

    >>> import numpy as np
    >>> from pellucid.captum import ShapleyValues
    >>> ShapleyValues(lambda rows: rows[:, 0] * rows[:, 1]).attribute(np.array([[2.0, 3.0]])).tolist()
    [[3.0, 3.0]]
    """

    _method = "exact_shap"


class _Sampled(Perturbation):
    """A method that asks about coalitions of features that are drawn."""

    _n_samples: str
    """The option that says how many."""

    def attribute(
        self,
        inputs: Tensors,
        baselines: float | Tensors | None = None,
        target: Target = None,
        additional_forward_args=None,
        feature_mask: Tensors | None = None,
        n_samples: int | None = None,
        perturbations_per_eval: int = 1,
        return_input_shape: bool = True,
        show_progress: bool = False,
        *,
        seed: int = 0,
    ) -> Tensors:
        """Attributions ``[rows, features…]`` of ``n_samples`` coalitions, the method's own number unless given: captum's 25 are
        noise. ``feature_mask`` numbers the group of each feature."""
        _refuse_groups_alone(return_input_shape)
        return self._attributed(
            inputs,
            baselines,
            target,
            additional_forward_args,
            feature_mask,
            perturbations_per_eval,
            seed=seed,
            **{self._n_samples: n_samples},
        )


class KernelShap(_Sampled):
    """Kernel SHAP: the additive function nearest to what coalitions are worth. All coalitions where they are few;
    2 · features + 2048 are drawn unless ``n_samples`` says otherwise.

    >>> import numpy as np
    >>> from pellucid.captum import KernelShap
    >>> KernelShap(lambda rows: rows[:, 0] - 2 * rows[:, 1]).attribute(np.ones((1, 2))).round(6).tolist()
    [[1.0, -2.0]]
    """

    _method = "kernel_shap"
    _n_samples = "max_evaluations"


class Lime(_Sampled):
    """The weights of a linear surrogate over the presence of features, by ridge regression near the row, as lime's;
    1000 coalitions are drawn unless ``n_samples`` says otherwise.

    >>> import numpy as np
    >>> from pellucid.captum import Lime
    >>> found = Lime(lambda rows: rows[:, 0] - 2 * rows[:, 1]).attribute(np.ones((1, 2)), n_samples=2000)
    >>> bool(found[0, 0] > 0 > found[0, 1])
    True
    """

    _method = "lime"
    _n_samples = "n_samples"

    def __init__(self, forward_func, interpretable_model=None, similarity_func=None, perturb_func=None):
        given = {"interpretable_model": interpretable_model, "similarity_func": similarity_func}
        for name, value in {**given, "perturb_func": perturb_func}.items():
            if value is not None:
                raise UnsupportedError(f"{name} is not supported: the surrogate is lime's, a ridge regression over coalitions")
        super().__init__(forward_func)


class FeaturePermutation(Perturbation):
    """What the output loses where a feature, or a group of them, has the values of the other rows, in another order.

    ``perm_func`` takes rows and the group's mask, ``[features…]``, and gives rows: tensors where the inputs are tensors. A random
    order by ``seed`` otherwise.

    >>> import numpy as np
    >>> from pellucid.captum import FeaturePermutation
    >>> rows = np.array([[1.0, 5.0], [3.0, 5.0]])
    >>> turned = lambda rows, mask: np.where(mask, rows[::-1], rows)
    >>> FeaturePermutation(lambda rows: rows[:, 0] + rows[:, 1], turned).attribute(rows).tolist()
    [[-2.0, 0.0], [2.0, 0.0]]
    """

    def __init__(self, forward_func, perm_func=None, *, seed: int = 0):
        super().__init__(forward_func)
        self._perm_func, self._seed = perm_func, seed

    def attribute(
        self,
        inputs: Tensors,
        target: Target = None,
        additional_forward_args=None,
        feature_mask: Tensors | None = None,
        perturbations_per_eval: int = 1,
        show_progress: bool = False,
    ) -> Tensors:
        """Attributions ``[rows, features…]``; ``feature_mask`` numbers the group of each feature."""
        _arguments.refuse_forward_args(additional_forward_args)
        rows = _arguments.inputs(inputs)
        if len(rows.array) < 2:
            raise InputError("inputs: one row alone has nothing to be permuted with; give several")
        model = self._loaded(rows)
        columns = _arguments.target(model, target)
        groups = _groups(rows.array, feature_mask)
        if groups is None:
            groups = np.arange(rows.array[0].size).reshape(rows.array.shape[1:])
        permuted = _random_orders(self._seed) if self._perm_func is None else _of_tensors(self._perm_func, rows.given)
        places = np.arange(len(rows.array))
        whole = model.outputs(rows.array)[places, columns]
        values = np.zeros(rows.array.shape)
        for group in range(int(groups.max()) + 1):
            mask = groups == group
            changed = np.asarray(permuted(rows.array.copy(), mask), dtype=rows.array.dtype)
            if changed.shape != rows.array.shape:
                raise InputError(f"perm_func: gave shape {changed.shape} for rows of shape {rows.array.shape}")
            lost = whole - model.outputs(changed)[places, columns]
            values[:, mask] = lost[:, None]
        return rows.returned(values)


def _random_orders(seed: int):
    def permuted(rows: np.ndarray, mask: np.ndarray) -> np.ndarray:
        key = [seed, *np.flatnonzero(mask)[:1]]
        rows[:, mask] = rows[np.random.default_rng(key).permutation(len(rows))][:, mask]
        return rows

    return permuted


def _of_tensors(function, given):
    """The function of rows, and perhaps of a mask, as one of arrays: it gets what the inputs were, in their precision."""
    if not _arguments.is_tensor(given):
        dtype = np.asarray(given).dtype
        return lambda rows, *masks: function(rows.astype(dtype), *masks)

    def called(rows: np.ndarray, *masks: np.ndarray):
        import torch

        masks = [torch.from_numpy(mask).to(given.device) for mask in masks]
        with torch.no_grad():
            outputs = function(torch.from_numpy(rows).to(device=given.device, dtype=given.dtype), *masks)
        return _arguments.as_array(outputs)

    return called


def _groups(rows: np.ndarray, mask) -> np.ndarray | None:
    """captum's ``feature_mask`` as the group of each feature, numbered from 0 without a gap."""
    mask = _arguments.of_one_input("feature_mask", mask)
    if mask is None:
        return None
    mask = _arguments.as_array(mask)
    if mask.ndim == rows.ndim:
        if not (mask == mask[:1]).all():
            raise UnsupportedError("feature_mask: groups that differ from row to row are not supported; explain rows singly")
        mask = mask[0]
    try:
        mask = np.broadcast_to(mask, rows.shape[1:])
    except ValueError:
        raise InputError(f"feature_mask: has shape {mask.shape}, and a row {rows.shape[1:]}") from None
    return np.unique(mask, return_inverse=True)[1].reshape(rows.shape[1:]).astype(np.int64)


def _spread(explanation: Explanation, groups: np.ndarray | None) -> np.ndarray:
    """A value for each feature: its group's."""
    return explanation.values if explanation.feature_sets is None else explanation.values[:, groups]


def _lengths(name: str, given, n_axes: int) -> list[int]:
    lengths = [int(given)] * n_axes if isinstance(given, (int, np.integer)) else [int(length) for length in given]
    if len(lengths) != n_axes:
        raise InputError(f"{name}: {tuple(lengths)} has not a length for each of the {n_axes} axes of a row")
    return lengths


def _refuse_groups_alone(return_input_shape: bool) -> None:
    if not return_input_shape:
        raise UnsupportedError("return_input_shape=False is not supported; every feature has its group's value")
