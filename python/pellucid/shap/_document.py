"""An explanation of shap's form → the core's, by its JSON document, for charts."""

from __future__ import annotations

import json

import numpy as np

from .._pellucid import ExplanationCore, InputError, __version__
from ._axes import FEATURES, OUTPUTS, ROWS

COHORT = "cohort"


def core(e, cohorts: list[str] | None = None) -> ExplanationCore:
    """The core's explanation of the same values of one output; ``cohorts`` names a group for each row."""
    if OUTPUTS in e._axes:
        raise InputError(f"these are values of {e.shape[-1]} outputs, and a chart is of one; take it: e[..., 1]")
    values, data = _with_rows(e)
    base_values = np.broadcast_to(0.0 if e.base_values is None else np.asarray(e.base_values), len(values))
    outputs = base_values + values.reshape(len(values), -1).sum(axis=1)
    if not np.isfinite(values).all():
        raise InputError("values that are not finite cannot be drawn")
    arrays = {"values": values, "base_values": base_values, "outputs": outputs}
    document = _about(e, len(values), values.shape[1]) | {name: array.tolist() for name, array in arrays.items()}
    document["data"] = np.where(np.isnan(data), None, data.astype(object)).tolist()
    if cohorts is not None:
        document["other_columns"] = {COHORT: cohorts}
    return ExplanationCore.from_json(json.dumps(document))


def _with_rows(e) -> tuple[np.ndarray, np.ndarray]:
    """Values ``[rows, features]``, or with pairs one axis more, and data ``[rows, features]``."""
    values = np.asarray(e.values, dtype=np.float64)
    data = np.full(values.shape[:2], np.nan) if e.data is None else _numbers(np.asarray(e.data))
    if ROWS not in e._axes:
        values, data = (
            values[None],
            data.reshape(-1)[None] if e.data is not None else np.full((1, values.shape[0]), np.nan),
        )
    if FEATURES not in e._axes:
        values, data = (
            values[:, None],
            data.reshape(-1)[:, None] if e.data is not None else np.full((len(values), 1), np.nan),
        )
    return values, np.broadcast_to(data, values.shape[:2])


def _numbers(data: np.ndarray) -> np.ndarray:
    """Cells as numbers; what is none is drawn as missing."""
    if data.dtype.kind in "biuf":
        return data.astype(np.float64)

    def number(cell) -> float:
        try:
            return float(cell)
        except (TypeError, ValueError):
            return np.nan

    return np.array([number(cell) for cell in data.reshape(-1)]).reshape(data.shape)


def names_of(e, n_features: int) -> list[str]:
    """The names of the features, or numbers in their place."""
    if isinstance(e.feature_names, str):
        return [e.feature_names]
    return list(e.feature_names) if e.feature_names is not None else [f"Feature {index}" for index in range(n_features)]


def _about(e, n_rows: int, n_features: int) -> dict:
    """What the document tells beside the arrays."""
    categories = e.categories
    if categories is not None and FEATURES not in e._axes:
        categories = [categories]
    return {
        "schema": "pellucid.explanation",
        "schema_version": 1,
        "pellucid_version": __version__,
        "method": "tree_shap",
        "parameters": {},
        "seed": 0,
        "target": {"asked": e.output_names if isinstance(e.output_names, str) else "", "indices": None},
        "output_space": e.output_space or "value",
        "signed": True,
        "channel_axis": None,
        "output_name": "",
        "output_names": None,
        "model": {"name": "", "format": "", "digest": "", "producer": ""},
        "runtime": {"fingerprint": "", "batch_size": None, "max_memory_bytes": 0},
        "warnings": [],
        "data_type": "float64",
        "predictions": [[] for _ in range(n_rows)],
        "inputs": [{"file": "", "row_index": row, "digest": "", "crop_box": None} for row in range(n_rows)],
        "preprocessing": None,
        "feature_names": names_of(e, n_features),
        "feature_categories": categories,
        "evaluations": [0] * n_rows,
        "convergence_delta": None,
        "standard_error": None,
        "raw_map": None,
        "baselines": None,
    }
