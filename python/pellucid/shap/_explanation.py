"""shap's container of values: arrays that are sliced, averaged and added together."""

from __future__ import annotations

import copy
import html
import operator

import numpy as np

from .._pellucid import Error, InputError, UnsupportedError
from . import _axes
from ._axes import FEATURES, OUTPUTS, PARTNERS, ROWS
from ._cohorts import Cohorts, by_labels, by_tree

# Which axes each part has, besides `values`.
_PARTS = {
    "base_values": (ROWS, OUTPUTS),
    "data": (ROWS, FEATURES),
    "display_data": (ROWS, FEATURES),
    "instance_names": (ROWS,),
    "feature_names": (FEATURES,),
    "output_names": (OUTPUTS,),
    "output_indexes": (OUTPUTS,),
    "main_effects": (ROWS, FEATURES, OUTPUTS),
    "categories": (FEATURES,),
}
# What is of the shape of `values`.
_ALIKE = ("lower_bounds", "upper_bounds", "error_std")


class Explanation:
    """Values of features with what they are of: ``[rows, features]``, ``[rows, features, outputs]``, with interactions
    ``[rows, features, features]``, or of one row ``[features]``.

    Every index picks from all arrays at once, features and outputs by name too. What reduces rows or features gives an
    explanation again.

    >>> import numpy as np, pellucid.shap as shap
    >>> e = shap.Explanation(np.array([[1.0, -2.0], [3.0, 4.0]]), base_values=np.zeros(2), feature_names=["age", "hours"])
    >>> e[0].values, e[:, "hours"].values, e.abs.mean(0).values
    (array([ 1., -2.]), array([-2.,  4.]), array([2., 3.]))
    """

    def __init__(
        self,
        values,
        base_values=None,
        data=None,
        display_data=None,
        instance_names=None,
        feature_names=None,
        output_names=None,
        output_indexes=None,
        lower_bounds=None,
        upper_bounds=None,
        error_std=None,
        main_effects=None,
        hierarchical_values=None,
        clustering=None,
        compute_time=None,
    ):
        self.values = np.asarray(values)
        self._axes = _axes.of_values(self.values.shape, base_values, data, feature_names, output_names)
        self.base_values = _axes.spread(base_values, self.values.shape, self._axes)
        self.data = None if data is None else np.asarray(data)
        self.display_data = None if display_data is None else np.asarray(display_data)
        self.instance_names = instance_names
        self.feature_names = _names(feature_names)
        self.output_names = _names(output_names)
        self.output_indexes = output_indexes
        self.lower_bounds = lower_bounds
        self.upper_bounds = upper_bounds
        self.error_std = error_std
        self.main_effects = main_effects
        self.hierarchical_values = hierarchical_values
        self.clustering = clustering
        self.compute_time = compute_time
        # For each feature the names that its numbers count from 0.
        self.categories = None
        # The unit of values and base values, as in `pellucid.Explanation`.
        self.output_space = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of ``values``."""
        return self.values.shape

    def __len__(self) -> int:
        return len(self.values)

    def __iter__(self):
        return (self[place] for place in range(len(self)))

    # Slices.

    def __getitem__(self, item) -> Explanation:
        """What an index picks, ``e[row]``, ``e[:, "age"]``, ``e[..., 1]``, ``e[mask]``, from values, data and names alike."""
        parts = dict(zip(self._axes, _axes.expanded(item, len(self._axes))))
        names = {FEATURES: self.feature_names, PARTNERS: self.feature_names, OUTPUTS: self.output_names}
        names[ROWS] = self.instance_names
        parts = {axis: _axes.resolved(part, names[axis], axis) for axis, part in parts.items()}
        part = self._copy()
        for name in ("values", *_ALIKE):
            setattr(part, name, _axes.picked(getattr(self, name), self._axes, parts))
        for name, axes in _PARTS.items():
            axes = tuple(axis for axis in axes if axis in self._axes)
            setattr(part, name, _part(getattr(self, name), axes, parts))
        part.clustering = part.hierarchical_values = None
        part._axes = tuple(axis for axis in self._axes if not isinstance(parts[axis], int))
        return part

    @property
    def flip(self) -> Explanation:
        """Everything in the opposite order."""
        return self[(slice(None, None, -1),) * len(self._axes)]

    def sample(self, max_samples: int, replace: bool = False, random_state: int = 0) -> Explanation:
        """Some of the rows, drawn at random; the same ones as shap draws."""
        draw = np.random.RandomState(random_state)
        return self[draw.choice(len(self), size=min(max_samples, len(self)), replace=replace)]

    def cohorts(self, cohorts) -> Cohorts:
        """Groups of rows: by one label a row, or as many as a number says, found by a decision tree of scikit-learn.

        >>> import numpy as np, pellucid.shap as shap
        >>> e = shap.Explanation(np.array([[1.0], [2.0], [6.0]]))
        >>> groups = e.cohorts(["old", "young", "old"]).mean(0).cohorts
        >>> {name: group.values.tolist() for name, group in groups.items()}
        {'old': [3.5], 'young': [2.0]}
        """
        if self._axes != (ROWS, FEATURES):
            raise InputError(
                f"cohorts are made of [rows, features], not of {list(self._axes)}; take one output: e[..., 1]"
            )
        return by_tree(self, cohorts) if isinstance(cohorts, (int, np.integer)) else by_labels(self, cohorts)

    def hclust(self, metric: str = "sqeuclidean", axis: int = 0) -> np.ndarray:
        """The order of rows, or of features (``axis=1``), that puts like beside like; needs the package scipy."""
        try:
            from scipy.cluster import hierarchy
            from scipy.spatial import distance
        except ImportError:
            raise UnsupportedError("hclust needs the package scipy: pip install scipy") from None
        if self.values.ndim != 2:
            raise InputError(f"hclust orders values of 2 axes; these have shape {self.shape}")
        distances = distance.pdist(self.values.T if axis == 1 else self.values, metric)
        return hierarchy.leaves_list(hierarchy.optimal_leaf_ordering(hierarchy.complete(distances), distances))

    # Element by element.

    @property
    def abs(self) -> Explanation:
        """The sizes of the values; what the rows hold stays as it is."""
        return self._with(np.abs(self.values))

    @property
    def identity(self) -> Explanation:
        """The explanation itself."""
        return self

    @property
    def argsort(self) -> Explanation:
        """Places in the order of values, the smallest first, to index with: ``e[:, e.abs.mean(0).argsort.flip[:10]]``."""
        order = self._with(np.argsort(self.values, kind="stable"))
        # A place in an order is of no feature.
        order.feature_names = order.categories = order.data = order.display_data = None
        return order

    # Sums and means along an axis.

    def mean(self, axis: int | None = None) -> Explanation:
        """The mean along an axis; along rows and outputs also of the base values, along rows of data."""
        return self._reduced(np.mean, axis, linear=True)

    def sum(self, axis: int | None = None, grouping: dict | None = None) -> Explanation:
        """The sum along an axis; with ``grouping={feature: group}`` the sums within groups of features."""
        return self._reduced(np.sum, axis) if grouping is None else self._grouped(grouping)

    def max(self, axis: int | None = None) -> Explanation:
        """The largest value along an axis."""
        return self._reduced(np.max, axis)

    def min(self, axis: int | None = None) -> Explanation:
        """The smallest value along an axis."""
        return self._reduced(np.min, axis)

    def percentile(self, q: float, axis: int | None = None) -> Explanation:
        """The value below which ``q`` per cent lie, along an axis."""
        return self._reduced(lambda values, axis: np.percentile(values, q, axis), axis)

    def _reduced(self, function, axis, *, linear: bool = False) -> Explanation:
        along = tuple(range(len(self._axes))) if axis is None else tuple(int(place) for place in np.atleast_1d(axis))
        gone = {self._axes[place] for place in along}
        # Any place along the axes that go: what is said of that place alone is dropped below.
        rest = self[tuple(0 if name in gone else slice(None) for name in self._axes)]
        rest.values = function(self.values, axis=along)
        for name, axes in _PARTS.items():
            if gone.intersection(axes):
                setattr(rest, name, None)
        if linear:
            rest.base_values = self._mean_of("base_values", gone & {ROWS, OUTPUTS}, rest.base_values)
            rest.data = self._mean_of("data", gone & {ROWS}, rest.data) if FEATURES not in gone else None
        rest.error_std = rest.lower_bounds = rest.upper_bounds = None
        return rest

    def _mean_of(self, name: str, gone: set, otherwise):
        array = getattr(self, name)
        if not gone or array is None:
            return otherwise
        array = np.asarray(array)
        axes = [axis for axis in _PARTS[name] if axis in self._axes]
        if array.ndim != len(axes) or array.dtype.kind not in "biuf":
            return None
        return np.mean(array, axis=tuple(axes.index(axis) for axis in gone))

    def _grouped(self, grouping: dict) -> Explanation:
        if self.feature_names is None or self._axes not in ((ROWS, FEATURES), (FEATURES,)):
            raise InputError("grouping sums named features of [rows, features]")
        names = [grouping.get(name, name) for name in self.feature_names]
        groups = list(dict.fromkeys(names))
        sums = [
            self.values[..., [place for place, name in enumerate(names) if name == group]].sum(-1) for group in groups
        ]
        return Explanation(
            np.stack(sums, axis=-1), self.base_values, feature_names=groups, instance_names=self.instance_names
        )._as(self._axes)

    def hstack(self, other: Explanation) -> Explanation:
        """The features of two explanations of the same rows, side by side."""
        if self._axes != (ROWS, FEATURES) or other._axes != self._axes or len(self) != len(other):
            raise InputError(f"hstack joins [rows, features] of the same rows, not {self.shape} and {other.shape}")
        if not np.allclose(self.base_values, other.base_values):
            raise InputError("hstack joins explanations of the same base values")
        names = None if None in (self.feature_names, other.feature_names) else self.feature_names + other.feature_names
        data = None if self.data is None or other.data is None else np.hstack([self.data, other.data])
        values = np.hstack([self.values, other.values])
        return Explanation(values, self.base_values, data, feature_names=names, instance_names=self.instance_names)

    # Arithmetic.

    def __add__(self, other) -> Explanation:
        return self._combined(other, operator.add)

    def __radd__(self, other) -> Explanation:
        return self._combined(other, lambda own, other: other + own)

    def __sub__(self, other) -> Explanation:
        return self._combined(other, operator.sub)

    def __rsub__(self, other) -> Explanation:
        return self._combined(other, lambda own, other: other - own)

    def __mul__(self, other) -> Explanation:
        return self._combined(other, operator.mul, scales=True)

    def __rmul__(self, other) -> Explanation:
        return self._combined(other, operator.mul, scales=True)

    def __truediv__(self, other) -> Explanation:
        return self._combined(other, operator.truediv, scales=True)

    def __neg__(self) -> Explanation:
        return self * -1

    def _combined(self, other, operation, *, scales: bool = False) -> Explanation:
        """Values by values; base values as values where that keeps a sum a sum. What the rows hold is never computed with."""
        if isinstance(other, Explanation):
            if other.shape != self.shape:
                raise InputError(f"explanations of shapes {self.shape} and {other.shape} do not go together")
            made = self._with(operation(self.values, other.values))
            both = self.base_values is not None and other.base_values is not None and not scales
            made.base_values = operation(np.asarray(self.base_values), other.base_values) if both else None
            if not _same(self.data, other.data):
                made.data = made.display_data = None
            return made
        made = self._with(operation(self.values, other))
        if scales and np.ndim(other) == 0 and self.base_values is not None:
            made.base_values = operation(np.asarray(self.base_values), other)
        return made

    # Copies.

    def __copy__(self) -> Explanation:
        return self._copy()

    def _copy(self) -> Explanation:
        made = object.__new__(Explanation)
        made.__dict__.update(self.__dict__)
        return made

    def _with(self, values) -> Explanation:
        made = copy.copy(self)
        made.values = values
        made.error_std = made.lower_bounds = made.upper_bounds = None
        return made

    def _as(self, axes: tuple[str, ...]) -> Explanation:
        self._axes = axes
        return self

    # Sight.

    def __repr__(self) -> str:
        told = [f".values =\n{self.values!r}"]
        for name in ("base_values", "data"):
            if getattr(self, name) is not None:
                told.append(f".{name} =\n{getattr(self, name)!r}")
        return "\n\n".join(told)

    def _repr_html_(self) -> str:
        from . import plots

        try:
            drawing = plots.waterfall(self, show=False) if self.values.ndim == 1 else plots.beeswarm(self, show=False)
        except Error:
            return f"<pre>{html.escape(repr(self))}</pre>"
        return drawing.svg()


def _names(names):
    return names if names is None or isinstance(names, str) else [str(name) for name in names]


def _part(array, axes: tuple[str, ...], parts: dict):
    """What is picked from a part of an explanation; names stay lists."""
    if isinstance(array, list):
        place = parts.get(axes[0], slice(None)) if axes else slice(None)
        if isinstance(place, (slice, int)):
            return array[place]
        return [array[index] for index in np.arange(len(array))[place]]
    return _axes.picked(array, axes, parts)


def _same(first, second) -> bool:
    if first is None or second is None:
        return first is second
    return first.shape == second.shape and bool(np.all((first == second) | ((first != first) & (second != second))))
