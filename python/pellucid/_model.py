"""A loaded model."""

from __future__ import annotations

import numpy as np

from . import _pellucid, _tables
from ._progress import limits


class Model:
    """A model ready to be explained; :func:`pellucid.load` makes it.

    >>> import pellucid
    >>> model = pellucid.load("fixtures/trees/lightgbm/binary.txt")
    >>> model.kind, model.n_outputs
    ('trees', 1)
    """

    __slots__ = ("_columns", "_core", "_is_linear", "_names", "_prepare", "_refuses_missing")

    def __init__(
        self,
        core: _pellucid.ModelCore,
        names=None,
        prepare=None,
        *,
        columns=None,
        is_linear=False,
        refuses_missing=False,
    ):
        self._core = core
        self._names = names
        # Called with the rows before anything else; gives rows and the names of their columns.
        self._prepare = prepare
        # Of a function that takes data frames, their columns.
        self._columns = columns
        self._is_linear = is_linear
        self._refuses_missing = refuses_missing

    @property
    def kind(self) -> str:
        """``"network"``, ``"trees"``, ``"function"`` or ``"endpoint"`` (a served model)."""
        return self._core.kind

    @property
    def name(self) -> str:
        """The file's name without folder and ending, or the class of the object that was loaded."""
        return self._core.name

    @property
    def format(self) -> str:
        """``"onnx"``, ``"xgboost-ubj"``, ``"lightgbm"``, ``"scikit-learn"``, ``"function"``, ``"open-inference-v2"`` …"""
        return self._core.format

    @property
    def digest(self) -> str:
        """SHA-256 of the file or the bytes, in hexadecimal; empty for what has none, a function or a served model."""
        return self._core.digest

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one row, ``(features…)``."""
        return tuple(self._core.input_shape)

    @property
    def n_outputs(self) -> int:
        """The number of outputs of a row."""
        return self._core.n_outputs

    @property
    def feature_names(self) -> list[str] | None:
        """The names of the features, if the model has them."""
        return self._names if self._names is not None else self._core.feature_names

    @property
    def output_names(self) -> list[str] | None:
        """The names of the outputs, if the model has them."""
        return self._core.output_names

    @property
    def output_space(self) -> str:
        """The unit of what is explained: ``"margin"``, ``"probability"``, ``"log_probability"`` or ``"value"``."""
        return self._core.output_space

    @property
    def warnings(self) -> list[str]:
        """What a reader of this model's explanations must know."""
        return self._core.warnings

    def outputs(self, X) -> np.ndarray:
        """The outputs that explanations are of, ``[rows, outputs]``, in :attr:`output_space`."""
        return self._core.outputs(_tables.rows(self, X).array, False, limits())

    def predict(self, X) -> np.ndarray:
        """What the model itself predicts, ``[rows, outputs]``."""
        return self._core.outputs(_tables.rows(self, X).array, True, limits())

    def __repr__(self) -> str:
        return f"<pellucid.Model {self.name}: {self.format}, {self.input_shape} → {self.n_outputs}>"
