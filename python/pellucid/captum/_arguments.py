"""captum's arguments ⇄ Pellucid's."""

from __future__ import annotations

import numbers
import operator
import sys
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from .._model import Model
from .._pellucid import InputError, UnsupportedError

Tensors: TypeAlias = Any
"""An array of NumPy or a tensor of torch, or a tuple of one of them; torch need not be there."""

Target: TypeAlias = "int | tuple[int, ...] | list[int] | list[tuple[int, ...]] | Tensors | None"
"""An index, or one a row."""


class Inputs(NamedTuple):
    """Rows, and in what they came."""

    array: np.ndarray
    """``[rows, features…]``."""
    given: Any
    """What the rows came in: an array, or a tensor."""
    in_tuple: bool

    def example(self):
        """The rows as a tensor, for a module to be exported with."""
        import torch

        return torch.as_tensor(self.given)

    def returned(self, values: np.ndarray) -> Tensors:
        """Attributions as they are given back: in what the rows came, in their precision."""
        values = in_kind(values, self.given)
        return (values,) if self.in_tuple else values


def inputs(given: Tensors) -> Inputs:
    """The rows of captum's ``inputs``."""
    alone = of_one_input("inputs", given)
    return Inputs(as_array(alone), alone, isinstance(given, tuple))


def target(model: Model, given: Target) -> int | list[int]:
    """The output that captum's ``target`` picks, for all rows or one a row."""
    if given is None:
        if model.n_outputs != 1:
            raise InputError(f"target: the model has {model.n_outputs} outputs; give the index of one, or one a row")
        return 0
    if is_tensor(given) or isinstance(given, np.ndarray):
        array = as_array(given)
        # One element stands for all rows.
        given = array.item() if array.size == 1 else array.tolist()
    return [_index(one) for one in given] if isinstance(given, list) else _index(given)


def _index(given) -> int:
    if isinstance(given, tuple):
        if len(given) != 1:
            raise UnsupportedError(
                f"target: {given} picks from an output of {len(given) + 1} axes; "
                "only outputs of the shape [rows, outputs] can be picked from yet"
            )
        given = given[0]
    try:
        index = operator.index(given)
    except TypeError:
        raise InputError(f"target: {given!r} is no index of an output") from None
    if index < 0:
        raise InputError(f"target: {index} is negative; outputs are counted from 0")
    return index


def baseline(rows: np.ndarray, given) -> float | np.ndarray | None:
    """captum's ``baselines`` as a number, one row ``[features…]``, or one for each row ``[rows, features…]``."""
    given = of_one_input("baselines", given)
    if given is None:
        return None
    if isinstance(given, numbers.Real):
        return float(given)
    array = as_array(given)
    if array.ndim == 0:
        return array.item()
    if array.shape == (1, *rows.shape[1:]):
        return array[0]
    if array.shape in (rows.shape, rows.shape[1:]):
        return array
    raise InputError(
        f"baselines: their shape is {array.shape} and that of the inputs {rows.shape}; "
        "give a number, one row, or one for each row"
    )


def of_one_input(what: str, given):
    """What a tuple holds for a model's only input."""
    if not isinstance(given, tuple):
        return given
    if len(given) != 1:
        raise UnsupportedError(
            f"{what}: a tuple of {len(given)}; models of several inputs are not supported yet, "
            "bind all inputs but one into the model"
        )
    return given[0]


def refuse_forward_args(given) -> None:
    """Refuses further arguments of the model: a model file has none."""
    if given is not None:
        raise UnsupportedError(
            "additional_forward_args: models of several inputs are not supported yet, bind them into the model"
        )


def is_tensor(given) -> bool:
    """Whether it is a tensor of torch, which is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)


def as_array(given: Tensors) -> np.ndarray:
    """The numbers of an array or a tensor."""
    if not is_tensor(given):
        return np.asarray(given)
    tensor = given.detach().cpu()
    # Precisions that NumPy does not have.
    return (tensor.float() if tensor.is_floating_point() and tensor.element_size() < 4 else tensor).numpy()


def in_kind(values: np.ndarray, given: Tensors) -> Tensors:
    """A copy of ``values`` of the kind and, where it has fractions, of the precision of what was given."""
    if not is_tensor(given):
        dtype = getattr(given, "dtype", None)
        is_float = isinstance(dtype, np.dtype) and dtype.kind == "f"
        return np.array(values, dtype=dtype if is_float else np.float64)
    import torch

    dtype = given.dtype if given.is_floating_point() else torch.float32
    return torch.from_numpy(np.array(values)).to(device=given.device, dtype=dtype)
