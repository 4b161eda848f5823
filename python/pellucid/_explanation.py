"""An explanation: values, what they are of, and pictures of them."""

from __future__ import annotations

import html
import os

import numpy as np

from . import _pellucid
from ._pellucid import Drawing, InputError, UnsupportedError


class Explanation:
    """The explanation of some rows by one method; :func:`pellucid.explain` makes it.

    Arrays have one place a row, and where several targets are explained (``target="all"``, ``"top-3"``) one a target
    behind all other axes. They are read-only: what an explanation says stays as it is. Slicing takes rows.

    >>> import numpy as np, pellucid
    >>> e = pellucid.explain("fixtures/trees/lightgbm/binary.txt", np.zeros((4, 5)))
    >>> e.values.shape, e[1:].values.shape, len(e)
    ((4, 5), (3, 5), 4)
    """

    __slots__ = ("_core",)

    def __init__(self, core: _pellucid.ExplanationCore):
        self._core = core

    # What was found.

    @property
    def values(self) -> np.ndarray:
        """One signed number a feature, ``[rows, features…]``, or ``[rows, features…, targets]``."""
        return self._core.values

    @property
    def base_values(self) -> np.ndarray | None:
        """The explained output where no feature is known: at the baseline or over the background, ``[rows]``."""
        return self._core.base_values

    @property
    def outputs(self) -> np.ndarray:
        """The explained output at each row, ``[rows]``, in :attr:`output_space`."""
        return self._core.outputs

    @property
    def data(self) -> np.ndarray:
        """The rows as the model takes them, ``[rows, features…]``; NaN is missing."""
        return self._core.data

    @property
    def convergence_delta(self) -> np.ndarray | None:
        """``values.sum() - (output - base_value)``, ``[rows]``, for methods that promise completeness."""
        return self._core.convergence_delta

    @property
    def standard_error(self) -> np.ndarray | None:
        """The standard error of each value, of the shape of :attr:`values`, for sampled methods."""
        return self._core.standard_error

    @property
    def raw_map(self) -> np.ndarray | None:
        """The map before it was enlarged to the input's size, ``[rows, height, width]``, for CAM methods."""
        return self._core.raw_map

    @property
    def baselines(self) -> np.ndarray | None:
        """The baseline of each row, of the shape of :attr:`data`, where it is more than one number."""
        return self._core.baselines

    @property
    def evaluations(self) -> np.ndarray:
        """Model evaluations that each row took, ``[rows]``."""
        return self._core.evaluations

    # What it is of and how it was made.

    @property
    def feature_names(self) -> list[str] | None:
        """The names of the features of a table."""
        return self._core.feature_names

    @property
    def feature_categories(self) -> list[list[str]] | None:
        """What the numbers of a feature count from 0; empty for features without categories."""
        return self._core.feature_categories

    @property
    def feature_sets(self) -> list[list[int]] | None:
        """The features of each value, by index, for methods that give values to sets of features."""
        return self._core.feature_sets

    @property
    def output_names(self) -> list[str] | None:
        """The names of the model's outputs."""
        return self._core.output_names

    @property
    def output_space(self) -> str:
        """The unit of values and outputs: ``"margin"``, ``"probability"``, ``"log_probability"``, ``"value"`` or ``"log_loss"``."""
        return self._core.output_space

    @property
    def target(self) -> str:
        """Which outputs are explained, as asked for."""
        return self._core.target

    @property
    def target_indices(self) -> list[list[int]] | None:
        """For each row the explained outputs, where each target is one output."""
        return self._core.target_indices

    @property
    def method(self) -> str:
        """The method's name."""
        return self._core.method

    @property
    def parameters(self) -> dict:
        """The method's options, defaults written out."""
        return self._core.parameters

    @property
    def seed(self) -> int:
        """What random draws were made from, together with each row's digest."""
        return self._core.seed

    @property
    def model(self) -> dict[str, str]:
        """The model's ``name``, ``format``, ``digest`` (SHA-256) and ``producer``."""
        return dict(zip(("name", "format", "digest", "producer"), self._core.model))

    @property
    def runtime(self) -> str:
        """What ran the model: within one such fingerprint results are equal to the bit."""
        return self._core.runtime

    @property
    def warnings(self) -> list[str]:
        """What a reader must know."""
        return self._core.warnings

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of :attr:`values`."""
        return self.values.shape

    # Rows.

    def __len__(self) -> int:
        return self._core.n_rows

    def __getitem__(self, rows) -> Explanation:
        """The explanation of some rows: an index, a slice, a list of indices or a mask."""
        if isinstance(rows, tuple):
            raise InputError("an explanation is sliced by row; take features and targets from its arrays")
        picked = np.arange(len(self))[rows]
        return Explanation(self._core.select_rows(np.atleast_1d(picked).tolist()))

    def __iter__(self):
        return (self[row] for row in range(len(self)))

    # Files.

    def to_json(self) -> str:
        """The explanation as a JSON document, as ``pellucid explain --json`` prints it."""
        return self._core.to_json()

    @staticmethod
    def from_json(text: str) -> Explanation:
        """The explanation in a JSON document."""
        return Explanation(_pellucid.ExplanationCore.from_json(text))

    def save(self, path: str | os.PathLike) -> None:
        """Writes the explanation into a file that ends in ``.json`` or ``.npz``; either holds everything."""
        self._core.save(os.fspath(path))

    @staticmethod
    def load(path: str | os.PathLike) -> Explanation:
        """Reads what :meth:`save` or ``pellucid explain --out`` wrote."""
        return Explanation(_pellucid.ExplanationCore.read(os.fspath(path)))

    # Pickles hold the JSON document.
    def __reduce__(self):
        return Explanation.from_json, (self.to_json(),)

    # Other packages' objects.

    def to_shap(self):
        """A ``shap.Explanation`` of the same values; needs the package shap."""
        try:
            import shap
        except ImportError:
            raise UnsupportedError("to_shap needs the package shap: pip install shap") from None
        return shap.Explanation(
            values=np.array(self.values),
            base_values=None if self.base_values is None else np.array(self.base_values),
            data=np.array(self.data),
            feature_names=self.feature_names,
            output_names=self.output_names,
        )

    def to_captum(self):
        """What captum's ``attribute`` gives: a tensor of the values, of one target; needs the package torch."""
        try:
            import torch
        except ImportError:
            raise UnsupportedError("to_captum needs the package torch: pip install torch") from None
        return torch.from_numpy(np.array(self.values, dtype=np.float32))

    def to_arrow(self):
        """The attributions of a table for whoever takes Arrow tables: ``pyarrow.table(e.to_arrow())``, ``polars.DataFrame(…)``.

        One line a row, or, where several targets are explained, one a row and target; columns ``target`` (then only),
        ``output``, ``base_value`` (where there is one), and one for each feature or set of features, as in the file
        that ``pellucid explain --out`` writes.
        """
        names, values = self._value_names(), self.values
        several = self.outputs.ndim == 2
        if names is None or values.ndim != (3 if several else 2):
            raise InputError("to_arrow is for one value a feature of a table; take `values` as they are")
        n_targets = self.outputs.shape[1] if several else 1
        columns: dict[str, np.ndarray | list[str]] = {}
        if several:
            labels = self._core.target_label
            columns["target"] = [labels(row, target) for row in range(len(self)) for target in range(n_targets)]
        columns["output"] = self.outputs.ravel()
        if self.base_values is not None:
            columns["base_value"] = self.base_values.ravel()
        of_lines = np.moveaxis(values, 1, -1).reshape(-1, len(names))
        arrays = [*columns.values(), *np.ascontiguousarray(of_lines.T)]
        return _pellucid.ArrowTable([*columns, *names], arrays)

    def _value_names(self) -> list[str] | None:
        names = self.feature_names
        if names is None or self.feature_sets is None:
            return names
        return [" × ".join(names[feature] for feature in features) for features in self.feature_sets]

    # Pictures.

    @property
    def plot(self) -> Plots:
        """Charts of a table's explanation, heatmaps of an image's."""
        return Plots(self)

    def __repr__(self) -> str:
        return f"<pellucid.Explanation {self.method} of {self._core.model[0]}: values {self.shape}>"

    def _repr_html_(self) -> str:
        parts = [f"<p><b>{html.escape(self.method)}</b> of {html.escape(self._core.model[0])}: {len(self)} rows</p>"]
        drawing = self.plot._best()
        if drawing is not None:
            parts.append(drawing.svg())
        parts.extend(f"<p>⚠ {html.escape(warning)}</p>" for warning in self.warnings)
        return "".join(parts)


class Plots:
    """Drawings of an explanation, as :class:`pellucid.Drawing`: shown by notebooks, written by ``.save(path)``.

    >>> import numpy as np, pellucid
    >>> e = pellucid.explain("fixtures/trees/lightgbm/binary.txt", np.zeros((4, 5)))
    >>> e.plot.waterfall(0).svg().startswith("<svg")
    True
    """

    __slots__ = ("_explanation",)

    def __init__(self, explanation: Explanation):
        self._explanation = explanation

    def waterfall(self, row: int = 0, *, target: int = 0, max_features: int | None = None, title: str = "") -> Drawing:
        """From the base value to the output of one row, step by step."""
        return self._chart("waterfall", row=row, target=target, max_features=max_features, title=title)

    def force(self, row: int = 0, *, target: int = 0, max_features: int | None = None, title: str = "") -> Drawing:
        """The same on one line."""
        return self._chart("force", row=row, target=target, max_features=max_features, title=title)

    def bar(self, *, target: int = 0, max_features: int | None = None, title: str = "") -> Drawing:
        """The mean size of the values of each feature."""
        return self._chart("bar", target=target, max_features=max_features, title=title)

    def beeswarm(self, *, target: int = 0, max_features: int | None = None, title: str = "") -> Drawing:
        """All values of each feature."""
        return self._chart("beeswarm", target=target, max_features=max_features, title=title)

    def dependence(
        self, feature: str | None = None, *, color: str | None = None, target: int = 0, title: str = ""
    ) -> Drawing:
        """The value of one feature over what the rows hold for it; without a name of the one that matters most.

        Points are colored by the feature ``color``, or by the one that goes with it most.
        """
        return self._chart("dependence", feature=feature, color=color, target=target, title=title)

    def decision(self, *, target: int = 0, max_features: int | None = None, title: str = "") -> Drawing:
        """The ways of many rows from base value to output."""
        return self._chart("decision", target=target, max_features=max_features, title=title)

    def interactions(self, *, target: int = 0, max_features: int | None = None, title: str = "") -> Drawing:
        """The mean size of the interaction of each pair."""
        return self._chart("interactions", target=target, max_features=max_features, title=title)

    def cohorts(self, column: str, *, target: int = 0, max_features: int | None = None, title: str = "") -> Drawing:
        """The mean sizes in groups of rows, by what they hold for a feature, side by side."""
        return self._chart("cohorts", cohort=column, target=target, max_features=max_features, title=title)

    def heatmap(
        self, row: int = 0, *, target: int = 0, max_features: int | None = None, title: str = ""
    ) -> Drawing:
        """Of images, the values of one row over what the model saw; of tables, all values as a field of colors."""
        panel = self._explanation._core.panel(row, target)
        if panel is not None:
            return panel
        return self._chart("heatmap", target=target, max_features=max_features, title=title)

    def series(self, row: int = 0, *, target: int = 0) -> Drawing:
        """Of time series, the series of one row as lines over what their steps add, a panel a channel."""
        drawn = self._explanation._core.series(row, target)
        if drawn is None:
            raise InputError("rows are no series [time, channel], or nothing tells which axis is time (time_axis=0)")
        return drawn

    def _chart(
        self, kind, *, row=0, target=0, feature=None, cohort=None, title="", max_features=None, color=None
    ) -> Drawing:
        return self._explanation._core.chart(kind, row, target, feature, cohort, title, max_features, color)

    def _best(self) -> Drawing | None:
        """What a notebook shows without being asked."""
        try:
            if self._explanation._core.panel(0, 0) is not None:
                return self.heatmap()
            drawn = self._explanation._core.series(0, 0)
            if drawn is not None:
                return drawn
            return self.waterfall() if len(self._explanation) == 1 else self.beeswarm()
        except _pellucid.Error:
            return None
