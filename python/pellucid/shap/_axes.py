"""The axes of an explanation's arrays, and how an index of each picks from all of them."""

from __future__ import annotations

import numpy as np

from .._pellucid import InputError

ROWS, FEATURES, PARTNERS, OUTPUTS = "rows", "features", "partners", "outputs"


def of_values(shape: tuple[int, ...], base_values, data, feature_names, output_names) -> tuple[str, ...]:
    """What the axes of values are: ``[rows, features]``, with outputs or partners behind, or the same of one row."""
    n_dims = len(shape)
    base_dims = np.ndim(base_values) if base_values is not None else 0
    named = output_names is not None and not isinstance(output_names, str) and len(output_names) == shape[-1]
    if n_dims == 0:
        return ()
    if n_dims == 1:
        of_one_feature = isinstance(feature_names, str) or base_dims == 1 and len(base_values) == shape[0]
        return (ROWS,) if of_one_feature else (FEATURES,)
    if n_dims == 2:
        of_one_row = base_dims == 1 and np.ndim(data) == 1 and len(base_values) == shape[1]
        return (FEATURES, OUTPUTS) if of_one_row else (ROWS, FEATURES)
    if n_dims == 3:
        several = base_dims == 2 or named or shape[1] != shape[2]
        return (ROWS, FEATURES, OUTPUTS) if several else (ROWS, FEATURES, PARTNERS)
    if n_dims == 4:
        return (ROWS, FEATURES, PARTNERS, OUTPUTS)
    raise InputError(
        f"values of {n_dims} axes; explanations of tables have up to 4: [rows, features, features, outputs]"
    )


def spread(base_values, shape: tuple[int, ...], axes: tuple[str, ...]):
    """Base values, one for each row and output; a single one stays one."""
    if base_values is None or np.ndim(base_values) == 0:
        return base_values
    base_values = np.asarray(base_values)
    wanted = tuple(n for n, axis in zip(shape, axes) if axis in (ROWS, OUTPUTS))
    if base_values.size == 1:
        return base_values.reshape(()) if not wanted else np.broadcast_to(base_values.reshape(-1)[0], wanted)
    try:
        return np.broadcast_to(base_values, wanted)
    except ValueError:
        raise InputError(f"base_values of shape {base_values.shape} for values of shape {shape}") from None


def expanded(item, n_axes: int) -> tuple:
    """An index with one part for each axis."""
    item = item if isinstance(item, tuple) else (item,)
    dots = [place for place, part in enumerate(item) if part is Ellipsis]
    if len(dots) > 1 or len(item) - len(dots) > n_axes:
        raise IndexError(f"an index of {len(item)} parts for values of {n_axes} axes")
    place = dots[0] if dots else len(item)
    missing = n_axes - (len(item) - len(dots))
    return item[:place] + (slice(None),) * missing + item[place + len(dots) :]


def resolved(part, names, axis: str):
    """One part of an index as numbers: names are looked up."""
    part = getattr(part, "values", part)
    if isinstance(part, str):
        return _place(part, names, axis)
    if isinstance(part, slice):
        return part
    if np.ndim(part) == 0:
        return int(part)
    parts = list(part)
    if parts and isinstance(parts[0], str):
        return [_place(name, names, axis) for name in parts]
    array = np.asarray(part)
    return array if array.dtype == bool else array.astype(np.int64)


def _place(name: str, names, axis: str) -> int:
    if names is None or isinstance(names, str):
        raise InputError(f"the {axis} of this explanation have no names, so there is no `{name}`; give an index")
    names = [str(known) for known in names]
    if name not in names:
        raise InputError(f"no `{name}` among the {axis}; there are: {', '.join(names)}")
    return names.index(name)


def picked(array, axes: tuple[str, ...], parts: dict):
    """An array with some of the axes cut, each by its own part of an index."""
    if array is None or isinstance(array, (str, int, float)):
        return array
    array = np.asarray(array)
    place = 0
    for axis in axes[: array.ndim]:
        part = parts.get(axis, slice(None))
        array = array[(slice(None),) * place + (part,)]
        place += not isinstance(part, int)
    return array
