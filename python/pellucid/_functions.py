"""A function of rows → :class:`pellucid.Model`."""

from __future__ import annotations

import hashlib

import numpy as np

from . import _options, _pellucid, _tables
from ._model import Model
from ._pellucid import InputError

# Objects of these packages are models, though some of them can be called.
_LIBRARIES = {"catboost", "lightgbm", "onnx", "sklearn", "torch", "xgboost"}


def is_one(model) -> bool:
    """Whether it is a function, and no model of a library that is known."""
    return callable(model) and not isinstance(model, Model) and not libraries(model) & _LIBRARIES


def libraries(model) -> set[str]:
    """The packages that the object's class and its bases come from: nothing is imported to find out."""
    return {base.__module__.partition(".")[0] for base in type(model).__mro__}


def load(function, wishes, names, example) -> Model:
    """The model that a function is: it is called once, to see how many outputs there are."""
    of_files = {name: wishes[name] for name in ("output", "explain_probability", "start", "runtime", "threads")}
    _options.refuse(of_files | {"fixed": wishes["fixed"] or None}, "is of a model file; a function is called as it is")
    columns, row = _first(wishes["input_shape"], example)
    call = _Call(function, None if columns is None else type(example), columns)
    outputs = call(row[None])
    call.n_outputs = outputs.shape[1]
    labels = wishes["output_names"]
    if labels is not None and len(labels) != call.n_outputs:
        raise InputError(f"output_names: {len(labels)} names for {call.n_outputs} outputs")
    core = _pellucid.ModelCore.of_function(call, _description(function, outputs, row.shape, labels))
    names = names if names is not None else columns
    if names is None and row.ndim == 1:
        names = [f"Feature {index}" for index in range(len(row))]
    return Model(core, names, columns=columns)


def of_texts(function, names, example: str):
    """A function of a list of texts as the core calls it, and what is told of it; it is called once, as :func:`load` does."""
    call = _Call(function, None, None)
    outputs = call([example])
    call.n_outputs = outputs.shape[1]
    if names is not None and len(names) != call.n_outputs:
        raise InputError(f"output_names: {len(names)} names for {call.n_outputs} outputs")
    return call, _description(function, outputs, (), names)


def _description(function, outputs, row_shape, labels) -> dict:
    return {
        "name": getattr(function, "__qualname__", type(function).__name__),
        "module": getattr(function, "__module__", None) or "",
        "fingerprint": f"Python function; outputs of the example {hashlib.sha256(outputs.tobytes()).hexdigest()[:16]}",
        "row_shape": list(row_shape),
        "n_outputs": outputs.shape[1],
        "output_names": labels,
    }


def _first(shape, example) -> tuple[list[str] | None, np.ndarray]:
    """The columns where rows come as a data frame, and a row to ask about first."""
    if example is None:
        if shape is None:
            raise InputError(
                "example_inputs: a function does not say what it takes; give rows as example, or input_shape=, the shape "
                "of one row"
            )
        return None, np.zeros(shape)
    if hasattr(example, "columns") and hasattr(example, "dtypes"):
        columns, rows = [str(name) for name in example.columns], np.asarray(_tables.floats(example[:1]), dtype=np.float64)
        if rows.size == 0:
            raise InputError(f"example_inputs: a frame of {len(example)} rows and {len(columns)} columns; a function needs one of each")
        return columns, rows[0]
    rows = np.asarray(_tables.floats(example[:1] if hasattr(example, "toarray") else example), dtype=np.float64)
    if shape is None:
        if rows.ndim < 2 or len(rows) == 0:
            raise InputError(f"example_inputs: have shape {rows.shape}; give rows, [rows, features…]")
        return None, rows[0]
    if list(rows.shape) == shape:
        rows = rows[None]
    if list(rows.shape[1:]) != shape or len(rows) == 0:
        raise InputError(f"example_inputs: have shape {rows.shape}; a row is to have {tuple(shape)}")
    return None, rows[0]


class _Call:
    """Calls the function with rows of f64 in what it takes, and looks at what it gives."""

    __slots__ = ("_columns", "_frame", "_function", "n_outputs")

    def __init__(self, function, frame, columns):
        self._function = function
        self._frame = frame
        self._columns = columns
        self.n_outputs = None

    def __call__(self, rows: np.ndarray) -> np.ndarray:
        """``[rows, features…]`` → ``[rows, outputs]``."""
        given = self._function(rows if self._columns is None else self._of_frame(rows))
        try:
            outputs = np.asarray(given, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"the function gave no numbers: {error}") from error
        if outputs.ndim == 1:
            outputs = outputs[:, None]
        expected = "rows or [rows, outputs]" if self.n_outputs is None else f"[rows, {self.n_outputs}]"
        fits = outputs.ndim == 2 and len(outputs) == len(rows) and self.n_outputs in (None, outputs.shape[1])
        if not fits or outputs.shape[1] == 0:
            raise InputError(
                f"the function gave an array of shape {np.shape(given)} for {len(rows)} rows; it is to give {expected}"
            )
        return outputs

    def _of_frame(self, rows: np.ndarray):
        if self._frame.__module__.partition(".")[0] == "polars":
            return self._frame(rows, schema=self._columns)
        return self._frame(rows, columns=self._columns)
