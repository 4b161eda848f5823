"""What a call says of an option → what the core takes, or an error that names the option."""

from __future__ import annotations

import numbers
import operator

import numpy as np

from ._pellucid import InputError


def refuse(given: dict, reason: str) -> None:
    """Refuses options by name where they would say nothing: those that are neither ``None`` nor ``False``."""
    for name, value in given.items():
        if value is not None and value is not False:
            raise InputError(f"{name}: {reason}")


def names(option: str, given) -> list[str]:
    """One name, or several."""
    if isinstance(given, str):
        return [given]
    try:
        return [str(name) for name in given]
    except TypeError:
        raise InputError(f"{option}: {given!r} is no name, and holds none; give names in a list") from None


def named(option: str, given) -> dict:
    """Something by the name of each column; nothing where there is nothing."""
    if given is None:
        return {}
    if not hasattr(given, "items"):
        raise InputError(f"{option}: {given!r} names no columns; give a dictionary, such as {{name: …}}")
    return dict(given.items())


def span(option: str, ends) -> str:
    """``(low, high)``, either of which may be ``None``, as the core reads it."""
    is_pair = isinstance(ends, (tuple, list, np.ndarray)) and len(ends) == 2
    if not is_pair or not all(end is None or isinstance(end, numbers.Real) for end in ends):
        raise InputError(f"{option}: {ends!r} is no pair (low, high) of numbers, either of which may be None")
    return "..".join("" if end is None else str(end) for end in ends)


def array(option: str, given, dtype) -> np.ndarray:
    """An array of numbers of one kind; whole numbers may come as fractions of 0 alone."""
    try:
        found = np.asarray(given)
        wanted = found.astype(dtype)
    except (TypeError, ValueError) as error:
        raise InputError(f"{option}: {error}; give an array of numbers") from None
    if wanted.dtype.kind == "i" and found.dtype.kind not in "biu" and not np.array_equal(wanted, found):
        raise InputError(f"{option}: holds fractions; give whole numbers")
    return wanted


def whole(option: str, given) -> int:
    """A whole number from 0 up."""
    try:
        number = operator.index(given)
    except TypeError:
        raise InputError(f"{option}: {given!r} is no whole number") from None
    if not 0 <= number < 2**64:
        raise InputError(f"{option}: {number} is not between 0 and 2^64")
    return number
