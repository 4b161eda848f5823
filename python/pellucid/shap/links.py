"""shap's links: from an output to the space where effects add."""

from __future__ import annotations

import numpy as np


def identity(x):
    """``x`` itself."""
    return x


def logit(x):
    """The log-odds of a probability.

    >>> from pellucid.shap import links
    >>> links.logit(0.5), links.logit.inverse(0.0)
    (0.0, 0.5)
    """
    return _plain(np.log(x / (1 - np.asarray(x, dtype=np.float64))))


def _expit(x):
    return _plain(1 / (1 + np.exp(-np.asarray(x, dtype=np.float64))))


def _plain(x):
    """A number where there is only one."""
    return float(x) if np.ndim(x) == 0 else x


identity.inverse = identity
logit.inverse = _expit
