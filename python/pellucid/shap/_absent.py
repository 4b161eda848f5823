"""Names of shap that are known here and whose work is not done yet."""

from __future__ import annotations

from .._pellucid import UnsupportedError


def refusal(name: str, instead: str) -> UnsupportedError:
    """What is told of such a name."""
    return UnsupportedError(f"shap.{name} is not supported yet; there is: {instead}")


def absent_class(name: str, instead: str) -> type:
    """A class that cannot be made, which says why and what there is."""

    def refuse(self, *arguments, **keywords):
        raise refusal(name, instead)

    doc = f"Not supported yet: raises :class:`pellucid.UnsupportedError`. There is: {instead}."
    return type(name.rpartition(".")[2], (), {"__init__": refuse, "__doc__": doc, "__module__": __name__})


def absent_function(name: str, instead: str):
    """A function that refuses, which says why and what there is."""

    def refuse(*arguments, **keywords):
        raise refusal(name, instead)

    refuse.__name__ = refuse.__qualname__ = name.rpartition(".")[2]
    refuse.__doc__ = f"Not supported yet: raises :class:`pellucid.UnsupportedError`. There is: {instead}."
    return refuse
