"""lime for tables."""

from __future__ import annotations

import numpy as np

from .. import _pellucid, _tables
from .._pellucid import InputError, UnsupportedError
from .._progress import limits
from ._surrogates import Explanation, Settings, labels_of, model_of, refuse

__all__ = ["LimeTabularExplainer"]


class LimeTabularExplainer(Settings):
    """Explains single rows of a table by linear surrogates around them.

    ``discretizer`` is ``"quartile"``, ``"decile"`` or ``"entropy"`` (with ``training_labels``). ``random_state`` is a seed.

    >>> import numpy as np
    >>> from pellucid.lime import LimeTabularExplainer
    >>> train = np.random.default_rng(0).normal(size=(200, 2))
    >>> explainer = LimeTabularExplainer(train, class_names=["no", "yes"])
    >>> predict = lambda rows: np.stack([rows[:, 0] < 0, rows[:, 0] >= 0], axis=1)
    >>> explanation = explainer.explain_instance(np.array([2.0, 0.0]), predict, num_features=1, num_samples=500)
    >>> explanation.available_labels(), explanation.as_list()[0][0].startswith("0 > ")
    ([1], True)
    """

    def __init__(
        self,
        training_data,
        mode: str = "classification",
        training_labels=None,
        feature_names=None,
        categorical_features=None,
        categorical_names=None,
        kernel_width=None,
        kernel=None,
        verbose: bool = False,
        class_names=None,
        feature_selection: str = "auto",
        discretize_continuous: bool = True,
        discretizer: str = "quartile",
        sample_around_instance: bool = False,
        random_state=None,
        training_data_stats=None,
    ):
        super().__init__(kernel_width, kernel, feature_selection, random_state)
        if mode not in ("classification", "regression"):
            raise InputError(f"mode: there is no {mode!r}; there are classification and regression")
        if training_data_stats is not None:
            raise UnsupportedError("training_data_stats is not supported; give the rows")
        if not isinstance(discretizer, str):
            raise UnsupportedError('discretizer: objects are not supported; there are "quartile", "decile", "entropy"')
        rows = np.ascontiguousarray(_tables.floats(training_data), dtype=np.float64)
        if rows.ndim != 2:
            raise InputError(f"training_data: has shape {rows.shape}; give a table, [rows, features]")
        if feature_names is None and hasattr(training_data, "columns"):
            feature_names = training_data.columns
        n_features = rows.shape[1]
        self.mode = mode
        self.class_names = None if class_names is None else [str(name) for name in class_names]
        self.feature_names = [str(name) for name in (range(n_features) if feature_names is None else feature_names)]
        self.categorical_names = dict(categorical_names or {})
        self._categorical = {int(feature) for feature in (() if categorical_features is None else categorical_features)}
        if len(self.feature_names) != n_features:
            raise InputError(f"feature_names: {len(self.feature_names)} names for {n_features} features")
        labels = None
        if training_labels is not None and discretizer == "entropy":
            labels = np.unique(np.asarray(training_labels), return_inverse=True)[1].tolist()
        kind = discretizer if discretize_continuous else "none"
        is_category = [feature in self._categorical for feature in range(n_features)]
        self._table = _pellucid.LimeTable(rows, is_category, kind, labels)
        self._around_row = bool(sample_around_instance)

    def explain_instance(
        self,
        data_row,
        predict_fn,
        labels=(1,),
        top_labels: int | None = None,
        num_features: int = 10,
        num_samples: int = 5000,
        distance_metric: str = "euclidean",
        model_regressor=None,
    ) -> Explanation:
        """The surrogates around one row: of ``labels``, or of the ``top_labels`` highest outputs.

        ``predict_fn`` takes ``[rows, features]`` and gives ``[rows, classes]``, or for a regression ``[rows]``; it may also be
        what :func:`pellucid.load` takes.
        """
        refuse(distance_metric, "euclidean", model_regressor)
        row = np.asarray(_tables.floats(data_row), dtype=np.float64).reshape(-1)
        model = model_of(predict_fn, row)
        outputs = model.predict(row[None])[0]
        if self.mode == "regression":
            if len(outputs) != 1:
                raise InputError(f"predict_fn: gives {len(outputs)} outputs, and a regression has one")
            chosen, top = [0], None
        elif len(outputs) == 1:
            raise InputError('predict_fn: gives one output; give probabilities of all classes, or mode="regression"')
        else:
            chosen, top = labels_of(outputs, labels, top_labels)
        wishes = self._wishes(num_features, num_samples, around_row=self._around_row)
        found = _pellucid.surrogate_of_table(model._core, row, self._table, chosen, wishes, limits())
        explanation = Explanation(self._names_at(row), self.mode, self._classes(len(outputs)))
        explanation._take(chosen, found)
        explanation.top_labels = top
        if self.mode == "regression":
            explanation.predicted_value = float(outputs[0])
            explanation._as_regression()
        else:
            explanation.predict_proba = outputs
        return explanation

    def _classes(self, n_outputs: int) -> list[str] | None:
        if self.mode == "regression":
            return None
        return self.class_names if self.class_names is not None else [str(index) for index in range(n_outputs)]

    def _names_at(self, row: np.ndarray) -> list[str]:
        """What each feature is said to be at a row: within which edges, of which category."""
        intervals = self._table.intervals(row.tolist())
        return [self._name_at(feature, row[feature], interval) for feature, interval in enumerate(intervals)]

    def _name_at(self, feature: int, value: float, interval) -> str:
        name = self.feature_names[feature]
        if feature in self._categorical:
            names = self.categorical_names.get(feature)
            return f"{name}={names[int(value)] if names is not None and 0 <= value < len(names) else value}"
        low, high = interval or (None, None)
        if low is None:
            return name if high is None else f"{name} <= {high:.2f}"
        return f"{name} > {low:.2f}" if high is None else f"{low:.2f} < {name} <= {high:.2f}"
