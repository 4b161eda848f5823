"""shap's maskers: the rows that absent features are averaged over."""

from __future__ import annotations

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


_INSTEAD = "maskers.Independent(rows), or the rows themselves"

Composite = absent_class("maskers.Composite", _INSTEAD)
FixedComposite = absent_class("maskers.FixedComposite", _INSTEAD)
Fixed = absent_class("maskers.Fixed", _INSTEAD)
Image = absent_class("maskers.Image", _INSTEAD)
Impute = absent_class("maskers.Impute", _INSTEAD)
OutputComposite = absent_class("maskers.OutputComposite", _INSTEAD)
Partition = absent_class("maskers.Partition", _INSTEAD)
Text = absent_class("maskers.Text", _INSTEAD)


def rows_of(masker):
    """The background rows that a masker, or rows in its place, stands for; ``None`` where there is none."""
    return masker.data if isinstance(masker, Independent) else masker
