"""Model + rows → explanation."""

from __future__ import annotations

import numpy as np

from . import _functions, _options, _pellucid, _tables
from ._explanation import Explanation
from ._load import load
from ._model import Model
from ._pellucid import InputError
from ._progress import limited
from ._texts import TextModel


def explain(
    model,
    X,
    method: str | None = None,
    target="top-1",
    *,
    seed: int = 0,
    batch_size: int | None = None,
    max_memory: int | None = None,
    threads: int | None = None,
    progress: bool = True,
    tokenizer=None,
    **options,
) -> Explanation:
    """Explains every row of ``X``.

    ``model`` is what :func:`pellucid.load` gave, or takes. ``X`` is an array ``[rows, features…]``, a sparse matrix of
    SciPy, a data frame of pandas or polars, or any table with ``__arrow_c_stream__``; float32 and float64 arrays are not
    copied on their way in. Columns with names are found by the model's names for its features.

    ``method`` for networks: ``"integrated_gradients"`` (the default), ``"saliency"``, ``"input_x_gradient"``,
    ``"deep_lift"``, ``"deep_shap"``, ``"gradient_shap"``, ``"lrp"``, ``"smoothgrad"``, ``"smoothgrad_sq"``, ``"vargrad"``,
    ``"grad_cam"``, ``"grad_cam_pp"``, ``"layer_cam"``, ``"hires_cam"``, ``"xgrad_cam"``, ``"ablation_cam"``,
    ``"score_cam"``, ``"eigen_cam"``, ``"guided_backprop"``, ``"guided_grad_cam"``, ``"attention"``,
    ``"attention_rollout"``, ``"attention_x_gradient"``; for tree models: ``"tree_shap"`` (the default),
    ``"banzhaf"``, ``"saabas"``,
    ``"shapley_interactions"``. For models of any kind, by their predictions alone: ``"kernel_shap"`` (the default of functions
    and of served models), ``"exact_shap"``, ``"permutation_shap"``, ``"sampling_shap"``, ``"owen"``, ``"lime"``,
    ``"occlusion"``, ``"feature_ablation"``, ``"feature_permutation"`` (the other rows' values), ``"rise"``, ``"pairwise_interactions"``; ``-`` for ``_`` will do. ``options`` are the method's: ``n_steps=50``, ``baseline="blurred:4"`` or one row,
    ``interactions=True``, ``background=rows``, ``output_space="probability"`` (or ``"log_loss"`` with ``labels``, one
    class a row; both need a background) …

    Methods for any model fill absent features in from ``background=rows``, all of which are averaged over unless
    ``background_clusters=50`` sums them up or ``background_weights`` say what each counts, or from a ``baseline``: a text as on the command line, a number, one row, or one
    for each row. ``feature_groups`` are features that are present and absent together, ``"age+sex,4+5"`` or the group of each
    feature as an array of a row's shape, ``segments`` those of images (``"slic:50"``) and series (``10``, ``"changes:10"``), these in all
    ``channels`` ``"together"`` or ``"apart"``; ``time_axis`` says which axis is time where it is not the longer one, and ``baseline``
    may be ``"channel-means"``, ``"stretch-means"``, ``"interpolated"`` or ``"inpaint"``. ``index`` is that of pairs: ``"k-sii"``, ``"sii"`` or
    ``"faith-shap"``. ``max_evaluations`` bounds
    the coalitions that a row is asked about, ``tolerance`` stops at a standard error; ``link="logit"`` shares out log-odds.
    ``hierarchy`` is Owen values': pairs of clusters that are merged, as in a linkage matrix. ``window`` and ``strides`` are
    occlusion's, ``n_samples`` and ``kernel_width`` LIME's; ``n_samples`` is the number of permutations too. ``journal`` is a file that keeps
    finished predictions, from which the next call goes on after a failure.

    Whatever is wrong with them is said in an :class:`pellucid.InputError`.

    ``target`` is ``"top-1"`` (whatever is predicted), ``"top-5"``, an index, a label, one index a row,
    ``{index: weight}``, or, of tree models and of methods for any model, ``"all"``. Of networks that classify every place of an image a class is taken
    over the places where it is predicted, ``{"class": 15, "mask": array}`` over others; of embeddings
    ``{"cosine": array}`` and ``{"dot": array}`` are how alike they are to an embedding, or to that of an input row.

    Same rows, options and ``seed``: the same bytes as from the command line, in whatever batches. ``threads`` bounds the
    threads, ``max_memory`` the bytes of one run; ``progress`` shows a bar for long work where tqdm is installed.
    Ctrl-C stops the work.

    With ``tokenizer``, the path of the model's ``tokenizer.json``, ``X`` is a text or a list of texts; see
    :class:`pellucid.TextModel` for what can be asked of them, and :class:`pellucid.TextExplanation` for what comes
    back: one, or a list. A function of texts needs no tokenizer.

    >>> import numpy as np, pellucid
    >>> e = pellucid.explain("fixtures/trees/lightgbm/binary.txt", np.zeros((4, 5)))
    >>> bool(np.allclose(e.values.sum(axis=1) + e.base_values, e.outputs))
    True
    >>> rows = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> pellucid.explain(lambda rows: rows[:, 0] * rows[:, 1], rows, "exact-shap", baseline=0).values.tolist()
    [[1.0, 1.0], [6.0, 6.0]]
    """
    of_texts = _functions.is_one(model) and _holds_texts(X)
    if tokenizer is not None or isinstance(model, TextModel) or of_texts:
        if not isinstance(model, TextModel):
            model = TextModel(model, tokenizer, threads=None if of_texts else threads)
        work = {"batch_size": batch_size, "max_memory": max_memory, "threads": threads, "progress": progress}
        return model.explain(X, method, target, seed=seed, **work, **options)
    if type(model) is not Model:
        model = load(model, example_inputs=X if _functions.is_one(model) else None)
    rows = _tables.rows(model, X)
    if options:
        _prepare_options(model, options)
    if model._is_linear:
        method = _of_linear(method, options)
    if method is not None and not isinstance(method, str):
        raise InputError(f"method: {method!r} is no name of a method")
    target, seed = _prepared_target(target), _options.whole("seed", seed)
    with limited(batch_size, max_memory, threads, progress) as limits:
        core = _pellucid.explain(
            model._core, rows.array, rows.names, rows.warnings, method, target, options, seed, limits
        )
    return Explanation(core)


def _holds_texts(X) -> bool:
    """A text, or a list of texts."""
    return isinstance(X, str) or isinstance(X, (list, tuple)) and len(X) > 0 and all(isinstance(text, str) for text in X)


_OF_ARRAYS = ("cosine", "dot", "mask")
"""The parts of a target that are arrays."""


def _prepared_target(target):
    """Arrays in a target as the core takes them."""
    if not isinstance(target, dict) or not any(key in _OF_ARRAYS for key in target):
        return target
    return {key: part if key == "class" else _options.array("target", part, np.float32) for key, part in target.items()}


def _of_linear(method: str | None, options: dict) -> str:
    """The exact Shapley values of a linear model: integrated gradients from the mean of the background, at one point."""
    if method not in (None, "linear_shap", "linear-shap"):
        return method
    background = options.pop("background", None)
    if background is None and options.get("baseline") is None:
        raise InputError(
            "background: a linear model's values are differences from a mean; give background=rows, such as the training set"
        )
    if background is not None:
        options["baseline"] = background.mean(axis=0, dtype=np.float64).astype(np.float32)
    options.setdefault("n_steps", 1)
    return "integrated_gradients"


def _prepare_options(model: Model, options: dict) -> None:
    """Rows among the options become arrays that the core takes, columns in the model's order."""
    background, baseline = options.get("background"), options.get("baseline")
    if background is not None:
        in_order = model.kind == "trees" or model._is_linear
        options["background"] = _tables.in_order(model, background) if in_order else _tables.rows(model, background).array
    if baseline is not None and not isinstance(baseline, (str, int, float)):
        options["baseline"] = _options.array("baseline", baseline, np.float64)
    groups = options.get("feature_groups")
    if groups is not None and not isinstance(groups, str):
        options["feature_groups"] = _options.array("feature_groups", groups, np.int64)
