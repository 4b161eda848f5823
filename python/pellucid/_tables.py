"""Rows in memory, of whatever kind → an array of floats and the names of its columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from . import _pellucid
from ._pellucid import InputError


class Rows(NamedTuple):
    """Rows as the core takes them."""

    array: np.ndarray
    """float32 or float64, ``[rows, features…]``."""
    names: list[str] | None
    """The names of the columns."""
    warnings: list[str] = []
    """What a reader of an explanation must know of them."""


def rows(model, X) -> Rows:
    """The rows of an array, a sparse matrix, a data frame or an Arrow table, for a model."""
    names = model._names
    if model._prepare is not None:
        X, own = model._prepare(X)
        names = own if own is not None else names
    if type(X) is not np.ndarray:
        if hasattr(X, "columns") and hasattr(X, "dtypes"):
            return _checked(model, _of_frame(model, X))
        if hasattr(X, "__arrow_c_stream__"):
            return _checked(model, _of_arrow(model, X))
        if hasattr(X, "toarray"):
            X = _dense(X, model._core.absent)
    array = floats(X)
    shape = model._core.input_shape
    if list(array.shape) == shape:
        array = array[None]
    return _checked(model, Rows(array, names))


def _checked(model, found: Rows) -> Rows:
    """The columns as a function knows them; refuses missing values where the model does."""
    columns = model._columns
    if columns is not None and found.names is not None and found.names != columns:
        if sorted(found.names) != sorted(columns):
            raise InputError(f"rows: have the columns {found.names}; the function takes {columns}")
        places = [found.names.index(name) for name in columns]
        found = Rows(found.array[:, places], columns, found.warnings)
    if model._refuses_missing and np.isnan(found.array).any():
        row, column = np.argwhere(np.isnan(found.array))[0][:2]
        raise InputError(f"row {row}, column {column} is missing, and a {model.name} takes no missing values")
    return found


def floats(X) -> np.ndarray:
    """An array of float32 or float64."""
    array = np.asarray(X)
    if array.dtype in (np.float32, np.float64):
        return array
    if array.dtype.kind in "biuf":
        return array.astype(np.float32 if array.dtype.itemsize <= 2 else np.float64)
    try:
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"rows: {error}; give numbers, or a data frame whose categories the model names") from None


def _dense(X, absent: float) -> np.ndarray:
    """A sparse matrix with what it leaves out written as the model takes it."""
    if absent == 0:
        return X.toarray()
    X = X.tocoo()
    dense = np.full(X.shape, absent, dtype=np.float64)
    dense[X.row, X.col] = X.data
    return dense


def _of_frame(model, frame) -> Rows:
    """A data frame of pandas or polars: numbers as they are, categories and texts by the model's names for them."""
    names = [str(name) for name in frame.columns]
    dtypes = list(frame.dtypes)
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in dtypes):
        return Rows(floats(frame.to_numpy()), names)
    core = model._core
    places, warnings = _places(core, names)
    array = np.empty((len(frame), len(places)), dtype=np.float64)
    for feature, place in enumerate(places):
        column = _Column(frame, place, names[place])
        array[:, feature] = _numbers(core, feature, column, warnings)
    return Rows(array, [names[place] for place in places], warnings)


def _places(core, names: list[str]) -> tuple[list[int], list[str]]:
    """For each feature its column, and what must be known of the columns."""
    if not core.is_trees:
        return list(range(len(names))), []
    places, _, warnings = core.columns(names, len(names))
    return places, warnings


def _of_arrow(model, table) -> Rows:
    """Any table that gives its columns by Arrow's interface between packages."""
    batches = _pellucid.ArrowBatches(table.__arrow_c_stream__())
    return joined([_of_batch(model, batch) for batch in batches], batches.names)


def _of_batch(model, batch: _pellucid.ArrowTable) -> Rows:
    """The rows of one batch of an Arrow stream."""
    core, names, columns = model._core, batch.names, batch.columns()
    places, warnings = _places(core, names)
    array = np.empty((batch.n_rows, len(places)), dtype=np.float64)
    for feature, place in enumerate(places):
        cells = columns[place]
        if isinstance(cells, list):
            cells = _numbers(core, feature, _Texts(names[place], cells), warnings)
        array[:, feature] = cells
    return Rows(array, [names[place] for place in places], warnings)


def joined(parts: list[Rows], names: list[str]) -> Rows:
    """Parts of a table, one below the other."""
    if not parts:
        return Rows(np.empty((0, len(names))), names)
    warnings = [warning for part in parts for warning in part.warnings]
    return Rows(np.concatenate([part.array for part in parts]), parts[0].names, list(dict.fromkeys(warnings)))


class _Texts:
    """A column of texts, of which `None` is missing."""

    is_text = True

    def __init__(self, name: str, cells: list):
        self.name = name
        self.cells = cells

    def pandas_codes(self) -> None:
        return None

    def numbers(self) -> np.ndarray:
        raise InputError(f"column `{self.name}` holds texts; give numbers")

    def texts(self) -> tuple[list[str], np.ndarray]:
        return _counted(self.cells)


def _counted(cells) -> tuple[list[str], np.ndarray]:
    """The different texts, and for each cell which of them it holds; -1 is missing."""
    places: dict[str, int] = {}
    which = [-1 if cell is None else places.setdefault(cell, len(places)) for cell in cells]
    return list(places), np.array(which, dtype=np.int64)


class _Column:
    """One column of a frame."""

    def __init__(self, frame, place: int, name: str):
        self.name = name
        self.is_polars = type(frame).__module__.partition(".")[0] == "polars"
        self.series = frame.to_series(place) if self.is_polars else frame.iloc[:, place]

    @property
    def is_text(self) -> bool:
        kind = str(self.series.dtype).lower()
        return kind.startswith(("categorical", "category", "enum", "str", "object", "large_string"))

    def numbers(self) -> np.ndarray:
        """The cells as floats; NaN is missing."""
        try:
            if self.is_polars:
                return self.series.cast(_polars().Float64).fill_null(float("nan")).to_numpy()
            return self.series.to_numpy(dtype=np.float64, na_value=np.nan)
        except Exception as error:
            raise InputError(f"column `{self.name}`: {error}") from None

    def texts(self) -> tuple[list[str], np.ndarray]:
        """The different cells, and for each row which of them it holds; -1 is missing."""
        if self.is_polars:
            cells = self.series.cast(_polars().String).to_list()
        else:
            missing = self.series.isna().to_numpy()
            cells = [None if gone else str(cell) for cell, gone in zip(self.series.tolist(), missing)]
        return _counted(cells)

    def pandas_codes(self) -> np.ndarray | None:
        """What pandas counts a categorical column's cells by; libraries that keep no names trained on that."""
        if self.is_polars or not hasattr(self.series, "cat"):
            return None
        codes = self.series.cat.codes.to_numpy().astype(np.float64)
        return np.where(codes < 0, np.nan, codes)


def _numbers(core, feature: int, column: _Column, warnings: list[str]) -> np.ndarray:
    if not column.is_text:
        return column.numbers()
    categories = core.feature_categories
    named = bool(categories and categories[feature])
    codes = None if named else column.pandas_codes()
    if codes is not None and core.is_trees:
        return codes
    if not core.is_trees:
        return column.numbers()
    texts, which = column.texts()
    of_texts, told = core.codes(feature, texts)
    warnings.extend(told)
    return np.append(of_texts, np.nan)[which]


def _polars():
    import polars

    return polars


def in_order(model, X) -> np.ndarray:
    """The rows of a table with the columns in the order of the model's features."""
    found = rows(model, X)
    array = found.array
    if found.names is None or not model._core.is_trees:
        return array
    places = model._core.columns(found.names, array.shape[-1])[0]
    return array if places == list(range(array.shape[-1])) else array[:, places]
