"""Whether the core predicts what the model's own library predicts."""

from __future__ import annotations

import numpy as np

from ..._model import Model
from ..._pellucid import CheckError

# float32 sums of hundreds of trees are this far off, as a share of the largest output.
_TOLERANCE = 1e-4


def check(source, model: Model, X) -> None:
    """Compares predictions for ``X``, where ``source`` is an object that predicts and takes such rows.

    Raises :class:`pellucid.CheckError`.
    """
    if isinstance(source, Model) or not hasattr(source, "predict"):
        return
    if not isinstance(X, np.ndarray) and not hasattr(X, "iloc"):
        return
    expected, is_margin = _predicted(source, X)
    found = model.outputs(X) if is_margin else model.predict(X)
    expected = np.asarray(expected, dtype=np.float64)
    if expected.ndim == 2 and expected.shape[1] == 2 and found.shape[1] == 1:
        expected = expected[:, 1]
    expected = expected.reshape(found.shape)
    gaps = np.abs(found - expected).max(axis=1, initial=0.0)
    scale = max(1.0, float(np.abs(expected).max(initial=0.0)))
    if not np.all(gaps <= _TOLERANCE * scale):
        row = int(np.argmax(np.where(np.isnan(gaps), np.inf, gaps)))
        raise CheckError(
            f"row {row}: the model's own library predicts {expected[row]}, what was read from it {found[row]}; "
            "were rows of another type or version of the library trained on?"
        )


def _predicted(source, X):
    """What the library says of the rows, and whether that is the margin."""
    library = {base.__module__.partition(".")[0] for base in type(source).__mro__}
    if "xgboost" in library:
        return _of_xgboost(source, X), True
    if "lightgbm" in library:
        booster = getattr(source, "booster_", source)
        is_mean = "\naverage_output\n" in booster.model_to_string(num_iteration=1)
        # The raw score of a random forest is a sum, its prediction the mean.
        return source.predict(X, raw_score=not is_mean), not is_mean
    if "catboost" in library:
        return source.predict(X, prediction_type="RawFormulaVal"), True
    if hasattr(source, "predict_proba"):
        return source.predict_proba(X), False
    return source.predict(X), False


def _of_xgboost(source, X):
    if hasattr(source, "get_booster"):
        return source.predict(X, output_margin=True)
    import xgboost

    is_frame = hasattr(X, "iloc")
    types = source.feature_types if not is_frame else None
    names = source.feature_names if not is_frame else None
    rows = xgboost.DMatrix(X, feature_names=names, feature_types=types, enable_categorical=True)
    best = getattr(source, "best_iteration", None) if source.attr("best_iteration") is not None else None
    return source.predict(rows, output_margin=True, iteration_range=(0, 0 if best is None else best + 1))
