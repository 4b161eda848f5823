"""Names that users of another package know and that are not there: what is there instead is said where they are used."""

from __future__ import annotations

from typing import NoReturn

from ._pellucid import UnsupportedError


class Absent:
    """Stands for a class, a function or a module; it can be imported and nothing else."""

    __slots__ = ("_message",)

    def __init__(self, name: str, instead: str):
        self._message = f"{name} is not supported yet; {instead}"

    def __call__(self, *_arguments, **_keywords) -> NoReturn:
        raise UnsupportedError(self._message)

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise UnsupportedError(self._message)

    def __repr__(self) -> str:
        return f"<{self._message}>"


def named(module: str, name: str, instead: dict[str, str]) -> Absent:
    """What a module's ``__getattr__`` gives: the name that is not there, if it is one of the table ``instead``."""
    if name in instead:
        return Absent(f"{module}.{name}", instead[name])
    raise AttributeError(f"module {module!r} has no attribute {name!r}")
