"""shap's maskers: the rows that absent features are averaged over."""

from __future__ import annotations

import numpy as np

from .._pellucid import InputError, UnsupportedError
from . import utils
from ._absent import absent_class


class Independent:
    """Rows to average absent features over: all of ``data``, or ``max_samples`` of them drawn at random.

    >>> import numpy as np
    >>> from pellucid.shap import maskers
    >>> maskers.Independent(np.zeros((500, 3))).data.shape
    (500, 3)
    """

    def __init__(self, data, max_samples: int | None = None):
        self.data = data if max_samples is None else utils.sample(data, max_samples)

    @property
    def shape(self) -> tuple[int, ...]:
        """``(rows, features)``."""
        return tuple(self.data.shape)


class Partition(Independent):
    """Such rows, and which features belong together: by their correlation in the rows (``"correlation"``), or a linkage
    matrix of SciPy, ``[features - 1, 4]``.
    """

    def __init__(self, data, max_samples: int | None = None, clustering="correlation"):
        super().__init__(data, max_samples)
        if isinstance(clustering, str) and clustering != "correlation":
            raise UnsupportedError(f'clustering {clustering!r} is not supported; there are "correlation" and linkage matrices')
        self.clustering = clustering


_INSTEAD = "maskers.Independent(rows), or the rows themselves"

Composite = absent_class("maskers.Composite", _INSTEAD)
FixedComposite = absent_class("maskers.FixedComposite", _INSTEAD)
Fixed = absent_class("maskers.Fixed", _INSTEAD)
Image = absent_class("maskers.Image", _INSTEAD)
Impute = absent_class("maskers.Impute", _INSTEAD)
OutputComposite = absent_class("maskers.OutputComposite", _INSTEAD)
Text = absent_class("maskers.Text", _INSTEAD)


def rows_of(masker):
    """The background rows that a masker, or rows in its place, stands for; ``None`` where there is none."""
    return masker.data if isinstance(masker, (Independent, utils.DenseData)) else masker


def has_groups(masker) -> bool:
    """Whether a masker says which features belong together."""
    return getattr(masker, "clustering", None) is not None


def hierarchy_of(masker) -> list[tuple[int, int]] | None:
    """The clusters that a linkage matrix merges two by two."""
    clustering = getattr(masker, "clustering", None)
    if clustering is None or isinstance(clustering, str):
        return None
    linkage = np.asarray(clustering)
    if linkage.ndim != 2 or linkage.shape[1] < 2:
        raise InputError(f"clustering: has shape {linkage.shape}; a linkage matrix has [features - 1, 4]")
    return [(int(first), int(second)) for first, second in linkage[:, :2]]
