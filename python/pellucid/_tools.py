"""What is done with models beside explaining."""

from __future__ import annotations

import csv
import io
import json
import os

import numpy as np

from . import _options, _pellucid, _tables
from ._explain import _of_linear, _prepare_options, _prepared_target
from ._explanation import Explanation
from ._load import _wishes, load
from ._model import Model
from ._progress import limited, limits


class Evaluation:
    """An explanation with its scores; :func:`pellucid.evaluate` makes it."""

    __slots__ = ("_scores", "explanation")

    def __init__(self, explanation: Explanation, scores: dict):
        self.explanation = explanation
        self._scores = scores

    @property
    def scores(self) -> list[dict]:
        """One for each row and target: ``completeness_gap``, ``deletion``, ``insertion``."""
        return self._scores["scores"]

    @property
    def randomization(self) -> list[dict]:
        """How alike the attribution still is with one more layer redrawn, from the output down."""
        return self._scores["randomization"]

    @property
    def checks(self) -> list[dict]:
        """What was asked to hold: ``claim`` and ``holds``."""
        return self._scores["checks"]

    @property
    def passes(self) -> bool:
        """Whether every check holds."""
        return self._scores["passes"]

    def to_json(self) -> str:
        """The scores as a JSON document."""
        return json.dumps(self._scores)


def evaluate(
    model,
    X,
    method: str | None = None,
    target="top-1",
    *,
    metrics=("completeness", "deletion", "insertion"),
    curve_steps: int = 50,
    n_random: int = 10,
    patch: int | None = None,
    deletion_baseline: str | None = None,
    insertion_baseline: str | None = None,
    n_layers: int = 8,
    max_gap: float | None = None,
    beat_random: bool = False,
    seed: int = 0,
    threads: int | None = None,
    progress: bool = True,
    **options,
) -> Evaluation:
    """Explains every row of ``X`` by a network and scores how far the explanation is to be trusted.

    ``metrics`` are ``"completeness"``, ``"deletion"``, ``"insertion"`` and ``"randomization"``; with ``max_gap`` and
    ``beat_random`` the evaluation has checks that hold or do not. Other arguments are those of :func:`pellucid.explain`.

    >>> import numpy as np, pellucid
    >>> found = pellucid.evaluate("fixtures/models/mnist_cnn.onnx", np.zeros((1, 1, 28, 28), np.float32),
    ...     metrics=["completeness"], max_gap=0.05)
    >>> len(found.scores), found.explanation.method
    (1, 'integrated_gradients')
    """
    model = load(model)
    rows = _tables.rows(model, X)
    _prepare_options(model, options)
    if model._is_linear:
        method = _of_linear(method, options)
    scoring = {
        "metrics": _options.names("metrics", metrics),
        "curve_steps": curve_steps,
        "n_random": n_random,
        "patch": patch,
        "deletion_baseline": deletion_baseline,
        "insertion_baseline": insertion_baseline,
        "n_layers": n_layers,
        "max_gap": max_gap,
        "beat_random": beat_random,
    }
    seed = _options.whole("seed", seed)
    with limited(threads=threads, progress=progress) as bounds:
        core, scores = _pellucid.evaluate(
            model._core, rows.array, rows.names, method, _prepared_target(target), options, scoring, seed, bounds
        )
    return Evaluation(Explanation(core), json.loads(scores))


def compile(model, path=None, method: str | None = None, target="top-1", *, seed: int = 0, **options) -> bytes:
    """The bytes of an ONNX file that gives prediction and attribution together, on any ONNX runtime.

    Its outputs are ``output`` ``[N, outputs]`` and ``attribution`` ``[N, features…]``. ``target`` is ``"top-1"``
    (whatever is predicted), an index, or a label. With a ``path`` the file is written too.

    >>> import pellucid
    >>> data = pellucid.compile("fixtures/models/mnist_cnn.onnx", method="saliency")
    >>> [wire["name"] for wire in pellucid.inspect(pellucid.load(data))["outputs"]][1]
    'attribution'
    """
    model = load(model)
    _prepare_options(model, options)
    data = _pellucid.compile(model._core, method, _prepared_target(target), options, _options.whole("seed", seed))
    if path is not None:
        with open(path, "wb") as file:
            file.write(data)
    return data


def conservation(model, X, target="top-1", *, seed: int = 0, threads: int | None = None, **options) -> dict:
    """Where layer-wise relevance propagation conserves relevance and where it is lost, node by node from the output.

    Columns of the same length, for a data frame: ``row``, ``target`` and ``node`` with its ``op``; what ``arrived`` there,
    what it ``sent`` on, what biases and other constants ``absorbed``, and what its ``stabilizer`` took.
    ``options`` are those of the method ``"lrp"``, such as ``composite="epsilon_gamma_box"``.

    >>> import numpy as np, pellucid
    >>> rows = np.ones((1, 1, 28, 28), np.float32)
    >>> flow = pellucid.conservation("fixtures/models/mnist_cnn.onnx", rows, composite="epsilon")
    >>> sorted(flow)
    ['absorbed', 'arrived', 'node', 'op', 'row', 'sent', 'stabilizer', 'target']
    """
    model = load(model)
    rows = _tables.rows(model, X)
    _prepare_options(model, options)
    target, seed = _prepared_target(target), _options.whole("seed", seed)
    table = _pellucid.conservation(model._core, rows.array, target, options, seed, limits(threads=threads))
    header, *lines = csv.reader(io.StringIO(table))
    columns = dict(zip(header, zip(*lines)))
    whole, words = ("row", "target"), ("op", "node")
    return {
        name: list(column) if name in words else np.array(column, dtype=np.int64 if name in whole else np.float64)
        for name, column in columns.items()
    }


def inspect(model, *, input_shape=None, output: str | None = None, runtime: str | None = None) -> dict:
    """What is in a model and what of it can be explained.

    A path is looked into even where the model cannot be explained; ``obstacles`` say why not then.

    >>> import pellucid
    >>> pellucid.inspect("fixtures/trees/lightgbm/binary.txt")["n_trees"]
    4
    """
    if isinstance(model, (str, os.PathLike)):
        wishes = _wishes(input_shape=input_shape, output=output, runtime=runtime)
        return json.loads(_pellucid.inspect_file(os.fspath(model), wishes))
    return json.loads(_pellucid.inspect(load(model, input_shape=input_shape, output=output, runtime=runtime)._core))


def doctor(runtime: str | None = None, threads: int | None = None) -> dict:
    """Which runtimes are found, which is used, and why.

    >>> import pellucid
    >>> sorted(pellucid.doctor())[:3]
    ['choice', 'cpu', 'embedded']
    """
    return json.loads(_pellucid.doctor(_wishes(runtime=runtime, threads=threads)))
