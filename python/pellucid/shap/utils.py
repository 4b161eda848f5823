"""shap's helpers, as far as they are needed here."""

from __future__ import annotations

import numpy as np

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


def kmeans(X, k: int, round_values: bool = True):
    """Refused: a background of weighted means is no set of rows that exist, and all rows can be the background.

    Raises :class:`pellucid.UnsupportedError`.
    """
    raise UnsupportedError(
        "shap.kmeans is not supported: give the rows themselves; a background may have any number of them"
    )
