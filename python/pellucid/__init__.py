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
from ._tools import Evaluation, compile, conservation, doctor, evaluate, inspect
from ._whole_tables import Findings, counterfactuals, effects, importance, surrogate_tree

__all__ = [
    "CheckError",
    "Drawing",
    "Error",
    "Evaluation",
    "Explanation",
    "ExplanationStream",
    "Findings",
    "InputError",
    "Model",
    "ModelError",
    "TextExplanation",
    "TextModel",
    "UnsupportedError",
    "__version__",
    "compile",
    "conservation",
    "counterfactuals",
    "doctor",
    "effects",
    "evaluate",
    "explain",
    "explain_stream",
    "importance",
    "inspect",
    "load",
    "surrogate_tree",
]
