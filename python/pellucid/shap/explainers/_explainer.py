"""The explainer that picks the right one for a model."""

from __future__ import annotations

import time

import numpy as np

from ... import _functions
from ..._load import load
from ..._model import Model
from ..._pellucid import InputError, UnsupportedError
from .. import links, maskers
from .._explanation import Explanation

_ALGORITHMS = ("auto", "tree", "linear", "exact", "permutation", "partition")


class Explainer:
    """Explains a model with the explainer made for its kind: trees with :class:`TreeExplainer`, linear models with
    :class:`LinearExplainer`, functions with :class:`ExactExplainer` up to ten features and :class:`PermutationExplainer`
    beyond. ``masker`` is rows to average absent features over.

    >>> import numpy as np, pellucid.shap as shap
    >>> explainer = shap.Explainer("fixtures/trees/lightgbm/binary.txt")
    >>> type(explainer).__name__, explainer(np.zeros((4, 5))).shape
    ('TreeExplainer', (4, 5))
    >>> type(shap.Explainer(lambda rows: rows.sum(axis=1), np.zeros((1, 20)))).__name__
    'PermutationExplainer'
    """

    def __init__(
        self,
        model,
        masker=None,
        link=links.identity,
        algorithm: str = "auto",
        output_names=None,
        feature_names=None,
        linearize_link: bool = True,
        seed: int | None = None,
    ):
        if algorithm not in _ALGORITHMS:
            raise UnsupportedError(f"algorithm `{algorithm}` is not supported yet; there are: {', '.join(_ALGORITHMS)}")
        loaded = _loaded(model, feature_names, output_names, masker)
        self.__class__ = _class_for(loaded, algorithm, masker)
        options = {"feature_names": feature_names, "link": link}
        if self.__class__.__name__ == "PermutationExplainer":
            options["seed"] = seed
        self.__init__(model, masker, **options)
        if output_names is not None:
            self._name_outputs([str(name) for name in output_names])

    def _open(self, model, feature_names, masker=None) -> None:
        """Sets what all explainers have."""
        self._model = _loaded(model, feature_names, None, masker)
        self._source = model
        self._own_names = None if feature_names is None else [str(name) for name in feature_names]
        self.model = model
        self.masker = self.data = maskers.rows_of(masker)
        self.output_names = self._model.output_names
        self._expected = None

    def _name_outputs(self, names: list[str]) -> None:
        self.output_names = names

    @property
    def data_feature_names(self) -> list[str] | None:
        """The names of the features."""
        return self._own_names if self._own_names is not None else self._model.feature_names

    @property
    def expected_value(self):
        """The output where no feature is known: a number, or one for each of several outputs, ``[outputs]``."""
        if self._expected is None:
            self._expected = self._base_values()
        return self._expected

    def _explanation(self, values, base_values, data, X, started: float, **parts) -> Explanation:
        """What a call of an explainer gives."""
        names = list(self._own_names or _columns(X) or self.data_feature_names or []) or None
        several = np.ndim(base_values) == 2
        outputs = self.output_names
        if several and outputs is None:
            outputs = [f"Output {index}" for index in range(np.shape(base_values)[1])]
        return Explanation(
            values,
            base_values,
            data,
            display_data=_display(X, data),
            feature_names=names if names is None or len(names) == data.shape[1] else None,
            output_names=outputs if several else None,
            compute_time=time.time() - started,
            **parts,
        )


def _loaded(model, feature_names, output_names, masker=None) -> Model:
    if isinstance(model, Model):
        return model
    if not _functions.is_one(model):
        return load(model, output_names=output_names)
    if masker is None:
        raise InputError("masker: a function is explained by rows that absent features are averaged over; give rows")
    return load(model, output_names=output_names, feature_names=feature_names, example_inputs=maskers.rows_of(masker))


def _class_for(loaded: Model, algorithm: str, masker=None) -> type:
    from . import ExactExplainer, LinearExplainer, PartitionExplainer, PermutationExplainer, TreeExplainer

    kind = "linear" if loaded._is_linear else loaded.kind
    if algorithm == "exact":
        return ExactExplainer
    if algorithm in ("permutation", "partition"):
        return PermutationExplainer if algorithm == "permutation" else PartitionExplainer
    if kind == "network":
        raise UnsupportedError(
            f"{loaded.name} is a network; take shap.DeepExplainer or shap.GradientExplainer with rows to compare with, "
            'pellucid.explain(model, X, "integrated_gradients"), or algorithm="permutation"'
        )
    fitting = {"trees": ("tree", TreeExplainer), "linear": ("linear", LinearExplainer)}
    if kind in fitting:
        if algorithm not in ("auto", fitting[kind][0]):
            raise InputError(f"algorithm `{algorithm}` does not fit {loaded.name}; take `{fitting[kind][0]}`")
        return fitting[kind][1]
    if algorithm != "auto":
        raise InputError(f"algorithm `{algorithm}` does not fit {loaded.name}; take `permutation`, `partition` or `exact`")
    # As shap chooses.
    few = 32 if isinstance(masker, maskers.Partition) else 10
    return ExactExplainer if int(np.prod(loaded.input_shape)) <= few else PermutationExplainer


def refuse_link(link) -> None:
    """Refuses a link other than the identity."""
    if link not in (None, links.identity, "identity"):
        raise UnsupportedError(
            "links are not supported; margins need none, and TreeExplainer has output spaces: model_output"
        )


def plain(base_values: np.ndarray):
    """The base values of one row as shap has them: a number, or ``[outputs]``."""
    base_values = np.asarray(base_values)
    return float(base_values.reshape(-1)[0]) if base_values.size == 1 else base_values.reshape(-1)


def table(X):
    """``X`` with rows, and whether it was a single row: a vector, or a series of pandas."""
    if hasattr(X, "to_frame") and hasattr(X, "index"):
        return X.to_frame().T.infer_objects(), True
    if not hasattr(X, "columns") and not hasattr(X, "__arrow_c_stream__") and np.ndim(X) == 1:
        return np.asarray(X)[None], True
    return X, False


def _columns(X) -> list[str] | None:
    return [str(name) for name in X.columns] if hasattr(X, "columns") else None


def _display(X, data) -> np.ndarray | None:
    """What people read in the cells of a frame, where it is not numbers."""
    if not hasattr(X, "columns") or not hasattr(X, "dtypes"):
        return None
    numbers = all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in X.dtypes)
    cells = None if numbers else X.to_numpy()
    return cells if cells is not None and cells.shape == data.shape else None
