"""Explains trained models: what made the model say this?"""

from ._explain import explain
from ._explanation import Explanation
from ._load import load
from ._model import Model
from ._pellucid import (
    CheckError,
    Drawing,
    Error,
    InputError,
    ModelError,
    UnsupportedError,
    __version__,
)
from ._stream import ExplanationStream, explain_stream
from ._texts import TextExplanation, TextModel
from ._tools import Evaluation, compile, conservation, doctor, evaluate, importance, inspect

__all__ = [
    "CheckError",
    "Drawing",
    "Error",
    "Evaluation",
    "Explanation",
    "ExplanationStream",
    "InputError",
    "Model",
    "ModelError",
    "TextExplanation",
    "TextModel",
    "UnsupportedError",
    "__version__",
    "compile",
    "conservation",
    "doctor",
    "evaluate",
    "explain",
    "explain_stream",
    "importance",
    "inspect",
    "load",
]
