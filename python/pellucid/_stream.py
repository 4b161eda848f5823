"""Tables that come one after the other → their attributions, one after the other."""

from __future__ import annotations

from collections.abc import Iterator

from . import _pellucid
from ._explain import explain
from ._load import load
from ._model import Model
from ._pellucid import InputError


class ExplanationStream:
    """The attributions of tables that come one after the other; :func:`pellucid.explain_stream` makes it.

    It is passed once, as an iterator of tables or as an Arrow stream: ``pyarrow.RecordBatchReader.from_stream(…)``,
    ``polars.DataFrame(…)``, or whatever else takes one. Each table is explained when it is asked for.
    """

    def __init__(self, tables: Iterator[_pellucid.ArrowTable], warnings: list[str]):
        self._tables = tables
        self.warnings = warnings
        """What a reader must know of the tables that have passed."""

    def __iter__(self) -> Iterator[_pellucid.ArrowTable]:
        return self._tables

    def __arrow_c_stream__(self, requested_schema=None):
        return _pellucid.arrow_stream(self._tables)


def explain_stream(
    model, tables, method: str | None = None, target="top-1", *, keep: str | list[str] = (), **options
) -> ExplanationStream:
    """Explains tables of any length in bounded memory: Arrow in, Arrow out.

    ``tables`` is an Arrow stream (anything with ``__arrow_c_stream__``) or an iterable of tables; the rows of each batch
    are explained together, as :func:`pellucid.explain` does with ``method``, ``target`` and ``options``. How a table is cut
    into batches changes no bit. The batches that come out are as :meth:`pellucid.Explanation.to_arrow` makes them, behind
    the columns of the table that ``keep`` names, such as a key.

    >>> import pellucid, polars
    >>> table = polars.DataFrame({f"Column_{i}": [0.0, 1.0] for i in range(5)} | {"key": ["a", "b"]})
    >>> stream = pellucid.explain_stream("fixtures/trees/lightgbm/binary.txt", table, keep="key")
    >>> polars.DataFrame(stream).columns[:4]
    ['key', 'output', 'base_value', 'Column_0']
    """
    if method is not None and method.replace("-", "_") == "feature_permutation":
        raise InputError("method: feature_permutation swaps parts of all rows, and a stream has some at a time; explain a table")
    if type(model) is not Model:
        model = load(model)
    keep = [keep] if isinstance(keep, str) else list(keep)
    warnings: list[str] = []
    return ExplanationStream(_explained(model, tables, keep, warnings, method, target, options), warnings)


def _explained(model, tables, keep, warnings, method, target, options) -> Iterator[_pellucid.ArrowTable]:
    for batch in _batches(tables):
        if batch.n_rows == 0:
            continue
        explanation = explain(model, batch, method, target, progress=False, **options)
        warnings.extend(warning for warning in explanation.warnings if warning not in warnings)
        attributions = explanation.to_arrow()
        if keep and attributions.n_rows != batch.n_rows:
            raise InputError("keep: several targets make several lines of a row; explain one target, or keep no columns")
        yield attributions.after(batch, keep)


def _batches(tables) -> Iterator[_pellucid.ArrowTable]:
    if hasattr(tables, "__arrow_c_stream__"):
        yield from _pellucid.ArrowBatches(tables.__arrow_c_stream__())
        return
    if not hasattr(tables, "__iter__"):
        raise InputError("tables: give an Arrow stream, or tables one after the other")
    for table in tables:
        if not hasattr(table, "__arrow_c_stream__"):
            raise InputError(f"tables: {type(table).__name__} is no Arrow table")
        yield from _pellucid.ArrowBatches(table.__arrow_c_stream__())
