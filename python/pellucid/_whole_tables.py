"""Models of any kind + a table → effects, importances, a surrogate tree, counterfactuals."""

from __future__ import annotations

import json

import numpy as np

from . import _functions, _options, _pellucid, _tables
from ._load import load
from ._model import Model
from ._pellucid import Drawing, InputError
from ._progress import limited


class Findings(dict):
    """What was found, by name, as in the JSON document of the command line; :func:`pellucid.effects` and
    :func:`pellucid.importance` make it."""

    __slots__ = ("_core",)

    def __init__(self, core: _pellucid.Found):
        super().__init__(json.loads(core.to_json()))
        self._core = core

    def plot(self, output: int = 0) -> Drawing:
        """The chart, of effects that of one output of the model."""
        return self._core.chart(output)

    def to_json(self) -> str:
        """The document itself."""
        return self._core.to_json()


def effects(
    model,
    X,
    features,
    kind: str = "partial_dependence",
    *,
    n_points: int | None = None,
    n_curves: int | None = None,
    centered: bool = False,
    confidence: float | None = None,
    categorical=(),
    output_space: str | None = None,
    batch_size: int | None = None,
    max_memory: int | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> Findings:
    """How the outputs of a model of any kind follow a feature, or two, over the rows of ``X``.

    ``features`` is the name of one, or two names. ``kind`` is ``"partial_dependence"`` (the mean output with a value put into
    all rows), ``"ice"`` (the curves of ``n_curves`` single rows too) or ``"ale"`` (accumulated local effects: the mean changes
    of rows near each value, added up). ``categorical`` names features whose numbers are codes without an order, where the
    model does not say so. ``confidence`` is that of the intervals, 0.95 if nothing is said; partial dependences of trees have one only where
    it is asked for. ``model`` and ``X`` are those of :func:`pellucid.explain`.

    The ``grid`` ``[points, features]``, the ``mean`` ``[points, outputs]`` and its ``standard_error`` are lists, :meth:`Findings.plot` draws them.

    >>> import numpy as np, pellucid
    >>> rows = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]])
    >>> found = pellucid.effects(lambda rows: rows[:, 0] * rows[:, 1], rows, "Feature 0")
    >>> found["grid"], found["mean"]
    ([[0.0], [1.0], [2.0]], [[0.0], [3.0], [6.0]])
    """
    wishes = {
        "kind": kind,
        "features": _options.names("features", features),
        "n_points": n_points,
        "n_curves": n_curves,
        "centered": centered,
        "confidence": confidence,
        "categorical": _options.names("categorical", categorical),
        "output_space": output_space,
    }
    model = _loaded(model, X)
    with limited(batch_size, max_memory, threads, progress) as limits:
        return Findings(_pellucid.global_effects(model._core, _given(model, X), wishes, limits))


def importance(
    model,
    X=None,
    labels=None,
    *,
    background=None,
    loss: str | None = None,
    n_repeats: int | None = None,
    feature_groups: str | None = None,
    confidence: float | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    max_memory: int | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> dict:
    """How much a model uses each feature.

    With ``labels``, what is true of each row (numbers, or classes by number or name): how much worse predictions of a model of any kind get
    as the values of each feature are shuffled ``n_repeats`` times, with intervals (permutation importance). ``loss`` is
    ``"log_loss"`` (the default of probabilities), ``"zero_one"``, ``"squared_error"`` or ``"absolute_error"``; ``feature_groups`` are shuffled together,
    ``"age+sex,4+5"``. A :class:`Findings` comes back.

    Without labels, of a tree model: by its splits, and with rows ``X`` by the mean |TreeSHAP value|.

    >>> import numpy as np, pellucid
    >>> found = pellucid.importance("fixtures/trees/lightgbm/binary.txt")
    >>> len(found["feature_names"]), found["mean_absolute_values"]
    (5, None)
    >>> rows = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]])
    >>> found = pellucid.importance(lambda rows: rows[:, 0], rows, rows[:, 0])
    >>> found["loss"], [group["increase"] > 0 for group in found["groups"]]
    ('squared_error', [True, False])
    """
    if labels is not None:
        if X is None:
            raise InputError("X: labels are of rows; give rows")
        if background is not None:
            raise InputError("background: goes without labels; rows are shuffled among themselves")
        wishes = {
            "loss": loss,
            "n_repeats": n_repeats,
            "feature_groups": feature_groups,
            "confidence": confidence,
            "seed": seed,
        }
        model = _loaded(model, X)
        with limited(batch_size, max_memory, threads, progress) as limits:
            given, truths = _given(model, X), _labels(labels)
            return Findings(_pellucid.importance_by_labels(model._core, given, truths, wishes, limits))
    asked = {"loss": loss, "n_repeats": n_repeats, "feature_groups": feature_groups, "confidence": confidence}
    for name, value in asked.items():
        if value is not None:
            raise InputError(f"{name}: goes with labels")
    model = load(model)
    rows = None if X is None else _tables.rows(model, X)
    background = None if background is None else _tables.in_order(model, background)
    with limited(batch_size, max_memory, threads, progress) as limits:
        array, names = (None, None) if rows is None else (rows.array, rows.names)
        return json.loads(_pellucid.importance(model._core, array, names, background, limits))


def surrogate_tree(
    model,
    X,
    target=None,
    *,
    threshold: float | None = None,
    max_depth: int | None = None,
    min_rows_in_leaf: int | None = None,
    held_out: float | None = None,
    confidence: float | None = None,
    categorical=(),
    output_space: str | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    max_memory: int | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> dict:
    """A small decision tree that imitates a model of any kind, with its ``fidelity`` on rows that it has not seen.

    ``target`` is ``"class"`` (the default of classifiers) or an output by index or name. ``rules`` are sentences, one a leaf; how far
    they describe the model, the fidelity says.

    >>> import numpy as np, pellucid
    >>> rows = np.stack([np.arange(200) % 40, np.arange(200) % 7], axis=1).astype(float)
    >>> found = pellucid.surrogate_tree(lambda rows: np.where(rows[:, 0] > 19, 5.0, 1.0), rows)
    >>> found["fidelity"]["value"], [rule.split(" (")[0] for rule in found["rules"]]
    (1.0, ['if Feature 0 ≤ 19.5: 1', 'if Feature 0 > 19.5: 5'])
    """
    wishes = {
        "target": None if target is None else str(target),
        "threshold": threshold,
        "max_depth": max_depth,
        "min_rows_in_leaf": min_rows_in_leaf,
        "held_out": held_out,
        "confidence": confidence,
        "categorical": _options.names("categorical", categorical),
        "output_space": output_space,
        "seed": seed,
    }
    model = _loaded(model, X)
    with limited(batch_size, max_memory, threads, progress) as limits:
        return json.loads(_pellucid.surrogate_tree(model._core, _given(model, X), wishes, limits))


def counterfactuals(
    model,
    X,
    background,
    outcome=None,
    *,
    n_counterfactuals: int = 4,
    threshold: float | None = None,
    immutable=(),
    only_up=(),
    only_down=(),
    ranges=None,
    allowed=None,
    max_changes: int | None = None,
    max_evaluations: int | None = None,
    output_space: str | None = None,
    seed: int = 0,
    batch_size: int | None = None,
    max_memory: int | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> dict:
    """Rows near each row of ``X`` of which a model of any kind says otherwise, each verified on it.

    ``background`` are real rows, which say what values there are and how they scatter. ``outcome`` is ``"opposite"`` (the default, of two
    classes), a class by name or number, or a pair ``(low, high)`` of the only output, either of which may be ``None``. Columns are constrained by
    name: ``immutable``, ``only_up``, ``only_down``, ``ranges={"hours": (20, 60)}``, ``allowed={"workclass": ["Private"]}``, and ``max_changes`` at once.
    Each of ``rows`` has its ``counterfactuals`` with their ``sentence``, ``changes`` and ``distance``; where there is none, the ``nearest_miss``.

    >>> import numpy as np, pellucid
    >>> background = np.array([[0.0, 0.0], [3.0, 5.0], [9.0, 1.0], [4.0, 4.0]])
    >>> found = pellucid.counterfactuals(lambda rows: rows @ [1.0, 2.0], [[1.0, 2.0]], background, (8, None), immutable=["Feature 0"])
    >>> best = found["rows"][0]["counterfactuals"][0]
    >>> best["row"][0], best["outputs"][0] >= 8
    (1.0, True)
    """
    wishes = {
        "n_counterfactuals": n_counterfactuals,
        "outcome": _outcome(outcome),
        "threshold": threshold,
        "max_changes": max_changes,
        "max_evaluations": max_evaluations,
        "immutable": _options.names("immutable", immutable),
        "only_up": _options.names("only_up", only_up),
        "only_down": _options.names("only_down", only_down),
        "column_ranges": [f"{name}:{_options.span('ranges', ends)}" for name, ends in _options.named("ranges", ranges).items()],
        "allowed": [
            f"{name}:{','.join(_options.names('allowed', values))}" for name, values in _options.named("allowed", allowed).items()
        ],
        "output_space": output_space,
        "seed": seed,
    }
    model = _loaded(model, background)
    with limited(batch_size, max_memory, threads, progress) as limits:
        given, seen = _given(model, X), _given(model, background)
        return json.loads(_pellucid.find_counterfactuals(model._core, given, seen, wishes, limits))


def _outcome(outcome) -> str | None:
    if isinstance(outcome, (tuple, list, np.ndarray)):
        return _options.span("outcome", outcome)
    return None if outcome is None else str(outcome)


def _loaded(model, example) -> Model:
    return load(model, example_inputs=example if _functions.is_one(model) else None)


def _given(model: Model, X):
    rows = _tables.rows(model, X)
    return rows.array, rows.names, rows.warnings


def _labels(labels) -> list:
    """Numbers, or texts."""
    try:
        labels = np.asarray(labels)
    except ValueError as error:
        raise InputError(f"labels: {error}; give one a row") from None
    if labels.ndim != 1:
        raise InputError(f"labels: have shape {labels.shape}; give one a row")
    return labels.astype(np.float64).tolist() if labels.dtype.kind in "biuf" else [str(label) for label in labels.tolist()]
