"""shap's helpers, as far as they are needed here."""

from __future__ import annotations

import numpy as np

from .. import _pellucid, _tables
from .._pellucid import UnsupportedError


def sample(X, nsamples: int = 100, random_state: int = 0):
    """Some of the rows, drawn at random without replacement; the same ones as shap draws. All rows where there are no more.

    No explainer here needs it: every row can be the background.

    >>> import numpy as np
    >>> from pellucid.shap import utils
    >>> utils.sample(np.arange(20).reshape(10, 2), 3).shape
    (3, 2)
    """
    n_rows = X.shape[0]
    if nsamples >= n_rows:
        return X
    order = np.arange(n_rows)
    np.random.RandomState(random_state).shuffle(order)
    chosen = order[:nsamples]
    return X.iloc[chosen] if hasattr(X, "iloc") else X[chosen]


class DenseData:
    """Rows with weights that stand for more rows; :func:`kmeans` makes it."""

    def __init__(self, data, group_names, weights):
        self.data = data
        self.group_names = group_names
        self.weights = weights


def kmeans(X, k: int, round_values: bool = True) -> DenseData:
    """At most ``k`` rows with weights in place of all of ``X``: centers of clusters, each number the nearest that occurs.

    A background may have any number of rows; this saves predictions, and what is explained is the summary. Columns are
    scaled by their spread before distances are taken, which shap does not.

    >>> import numpy as np
    >>> from pellucid.shap import utils
    >>> found = utils.kmeans(np.array([[0.0], [0.0], [0.0], [9.0]]), 2)
    >>> found.data.tolist(), found.weights.tolist()
    ([[0.0], [9.0]], [0.75, 0.25])
    """
    if not round_values:
        raise UnsupportedError("round_values=False is not supported: the rows hold values that occur")
    names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
    rows = np.ascontiguousarray(_tables.floats(X), dtype=np.float64)
    data, weights = _pellucid.k_means(rows, k, 0)
    return DenseData(data, names, weights)
