"""shap's plots, drawn by Pellucid's own charts.

Each gives a :class:`pellucid.Drawing`, which notebooks show and ``.save(path)`` writes. With ``show=True``, the default,
a notebook shows it at once and nothing is given back.
"""

from __future__ import annotations

import sys

import numpy as np

from .._pellucid import Drawing, InputError, UnsupportedError
from . import _document
from ._absent import absent_function
from ._axes import FEATURES, PARTNERS, ROWS
from ._cohorts import Cohorts
from ._explanation import Explanation


def waterfall(shap_values: Explanation, max_display: int | None = 10, show: bool = True, **others) -> Drawing | None:
    """From the base value to the output of one row, step by step.

    >>> import numpy as np, pellucid.shap as shap
    >>> e = shap.TreeExplainer("fixtures/trees/lightgbm/binary.txt")(np.zeros((4, 5)))
    >>> shap.plots.waterfall(e[0]).svg().startswith("<svg")
    True
    """
    _refuse("waterfall", others)
    return _of_row("waterfall", shap_values, max_display, show)


def force(
    base_value,
    shap_values=None,
    features=None,
    feature_names=None,
    matplotlib: bool = False,
    show: bool = True,
    **others,
) -> Drawing | None:
    """From the base value to the output of one row, on one line: of an explanation, or of its parts."""
    _refuse("force", others)
    e = _gathered(base_value, shap_values, features, feature_names)
    return _of_row("force", e, None, show)


def bar(shap_values, max_display: int | None = 10, show: bool = True, **others) -> Drawing | None:
    """The mean size of the values of each feature; of cohorts side by side.

    >>> import numpy as np, pellucid.shap as shap
    >>> e = shap.TreeExplainer("fixtures/trees/lightgbm/binary.txt")(np.zeros((4, 5)))
    >>> shap.plots.bar(e.abs.mean(0)).svg().startswith("<svg")
    True
    """
    _refuse("bar", others)
    cohorts = getattr(shap_values, "cohorts", None) if isinstance(shap_values, Cohorts) else shap_values
    if isinstance(cohorts, dict):
        return _of_cohorts(cohorts, max_display, show)
    e = _explanation(shap_values)
    if ROWS not in e._axes and np.any(e.values < 0):
        raise UnsupportedError("plots.bar of one row is not supported: plots.waterfall(e[0]) shows its signed values")
    return _chart("bar", e, max_display, show)


def beeswarm(shap_values: Explanation, max_display: int | None = 10, show: bool = True, **others) -> Drawing | None:
    """All values of each feature, colored by what the rows hold."""
    _refuse("beeswarm", others)
    return _of_rows("beeswarm", shap_values, max_display, show)


def heatmap(shap_values: Explanation, max_display: int | None = 10, show: bool = True, **others) -> Drawing | None:
    """All values as a field of colors, like rows beside like."""
    _refuse("heatmap", others)
    return _of_rows("heatmap", shap_values, max_display, show)


def decision(
    base_value,
    shap_values=None,
    features=None,
    feature_names=None,
    feature_display_range=None,
    show: bool = True,
    **others,
) -> Drawing | None:
    """The ways of rows from base value to output: of an explanation, or of its parts."""
    _refuse("decision", others | {"feature_display_range": feature_display_range})
    e = _gathered(base_value, shap_values, features, feature_names)
    return _chart("decision", e, None, show)


def scatter(shap_values: Explanation, color=None, show: bool = True, **others) -> Drawing | None:
    """The values of one feature over what the rows hold for it, ``e[:, "age"]``.

    ``color=e`` colors by the feature that goes with it most, ``color=e[:, "hours"]`` by that one.
    """
    _refuse("scatter", others)
    e = _explanation(shap_values)
    if e._axes == (ROWS, FEATURES) and e.shape[1] == 1:
        e = e[:, 0]
    if e._axes != (ROWS,):
        raise InputError('plots.scatter draws one feature; name it: e[:, "age"]')
    name = _document.names_of(e, 1)[0]
    if isinstance(color, str) or color is not None and not isinstance(color, Explanation):
        raise UnsupportedError(
            'plots.scatter colors by what rows hold: color=e, or color=e[:, "hours"]; no other colors'
        )
    if color is None:
        return _chart("dependence", e, None, show, feature=name)
    if FEATURES in color._axes:
        return _chart("dependence", color, None, show, feature=name)
    return _chart("dependence", _beside(e, color), None, show, feature=name)


def initjs() -> None:
    """Does nothing: charts are SVG and need no script."""


def save_html(out_file, plot: Drawing, full_html: bool = True) -> None:
    """Writes a drawing as a page of its own into a path or an open file."""
    if hasattr(out_file, "write"):
        out_file.write(plot.html())
        return
    with open(out_file, "w", encoding="utf-8") as file:
        file.write(plot.html())


# The older functions, of arrays.


def summary_plot(
    shap_values,
    features=None,
    feature_names=None,
    max_display: int | None = 20,
    plot_type: str | None = None,
    show: bool = True,
    **others,
) -> Drawing | None:
    """A beeswarm, with ``plot_type="bar"`` bars, of interactions ``[rows, features, features]`` their matrix.

    >>> import numpy as np, pellucid.shap as shap
    >>> values = shap.TreeExplainer("fixtures/trees/lightgbm/binary.txt").shap_values(np.zeros((4, 5)))
    >>> shap.summary_plot(values, np.zeros((4, 5)), plot_type="bar").svg().startswith("<svg")
    True
    """
    _refuse("summary_plot", others)
    if plot_type not in (None, "dot", "bar", "compact_dot"):
        raise UnsupportedError(
            f"summary_plot: plot_type `{plot_type}` is not supported; there are: dot, bar, compact_dot"
        )
    e = _gathered(None, shap_values, features, feature_names)
    if PARTNERS in e._axes:
        return _chart("interactions", e, max_display, show)
    return _of_rows("bar" if plot_type == "bar" else "beeswarm", e, max_display, show)


def dependence_plot(
    ind,
    shap_values=None,
    features=None,
    feature_names=None,
    interaction_index="auto",
    show: bool = True,
    **others,
) -> Drawing | None:
    """The values of one feature, by name, number or ``"rank(0)"``, over what the rows hold for it."""
    _refuse("dependence_plot", others)
    e = _gathered(None, shap_values, features, feature_names)
    feature = _found(e, ind)
    if interaction_index is None:
        return _chart("dependence", feature, None, show, feature=feature.feature_names)
    color = e if interaction_index == "auto" else _found(e, interaction_index)
    return scatter(feature, color=color, show=show)


def _found(e: Explanation, ind) -> Explanation:
    """One feature of an explanation."""
    if e._axes != (ROWS, FEATURES):
        raise InputError(f"dependence_plot draws [rows, features], not values of shape {e.shape}")
    if e.feature_names is None:
        e = _named(e)
    if isinstance(ind, str) and ind.startswith("rank(") and ind.endswith(")"):
        ind = np.argsort(-np.abs(e.values).mean(0), kind="stable")[int(ind[5:-1])]
    return e[:, ind]


def _named(e: Explanation) -> Explanation:
    named = e[:]
    named.feature_names = _document.names_of(e, e.shape[1])
    return named


def _beside(e: Explanation, color: Explanation) -> Explanation:
    """Two features, of which the second can only color the first."""
    names = [_document.names_of(e, 1)[0], _document.names_of(color, 1)[0]]
    if e.data is None or color.data is None or len(e) != len(color):
        raise InputError("plots.scatter: color has other rows, or there is no data to color by")
    data, values = np.stack([e.data, color.data], axis=1), np.stack([e.values, color.values], axis=1)
    pair = Explanation(values, e.base_values, data, feature_names=names)
    if e.categories is not None and color.categories is not None:
        pair.categories = [e.categories, color.categories]
    return pair


def _gathered(base_value, shap_values, features, feature_names) -> Explanation:
    """An explanation of the parts that the older functions take."""
    if isinstance(base_value, Explanation) and shap_values is None:
        return base_value
    if isinstance(shap_values, Explanation):
        return shap_values
    if isinstance(shap_values, list):
        raise InputError(
            f"these are values of {len(shap_values)} outputs, and a chart is of one; take it: shap_values[1]"
        )
    if shap_values is None:
        raise InputError("shap_values is missing")
    values = np.asarray(shap_values)
    if values.ndim == 3 and not _are_of_pairs(values):
        raise InputError(
            f"these are values of {values.shape[2]} outputs, and a chart is of one; take it: shap_values[:, :, 1]"
        )
    if feature_names is None and hasattr(features, "columns"):
        feature_names = [str(name) for name in features.columns]
    elif feature_names is None and hasattr(features, "index"):
        feature_names = [str(name) for name in features.index]
    data = features.to_numpy() if hasattr(features, "to_numpy") else features
    base = None if base_value is None else np.asarray(base_value, dtype=np.float64)
    if base is not None and base.size != 1:
        raise InputError(f"base_value: {base.size} numbers; a chart is of one output: explainer.expected_value[1]")
    base = None if base is None else np.broadcast_to(base.reshape(-1)[0], values.shape[: values.ndim - 1])
    return Explanation(values, base, data, feature_names=feature_names)


def _are_of_pairs(values: np.ndarray) -> bool:
    """Whether ``[rows, n, n]`` are interactions, the same in both orders, and not values of as many outputs as features."""
    return values.shape[1] == values.shape[2] and np.allclose(values, values.swapaxes(1, 2))


def _explanation(e) -> Explanation:
    if not isinstance(e, Explanation):
        raise InputError(f"plots draw a pellucid.shap.Explanation, such as explainer(X), not a {type(e).__name__}")
    return e


def _of_row(kind: str, e, max_display, show) -> Drawing | None:
    e = _explanation(e)
    if ROWS in e._axes:
        raise InputError(f"plots.{kind} draws one row; take it: e[0]")
    return _chart(kind, e, max_display, show)


def _of_rows(kind: str, e, max_display, show) -> Drawing | None:
    e = _explanation(e)
    if e._axes[:2] != (ROWS, FEATURES):
        raise InputError(f"plots.{kind} draws many rows, [rows, features], not values of shape {e.shape}")
    return _chart(kind, e, max_display, show)


def _of_cohorts(cohorts: dict, max_display, show) -> Drawing | None:
    """Mean sizes of groups, side by side; the groups may be means already."""
    for e in cohorts.values():
        _explanation(e)
    groups = [e if ROWS in e._axes else _as_row(e) for e in cohorts.values()]
    names = [name for name, group in zip(cohorts, groups) for _ in range(len(group))]
    joined = Explanation(np.concatenate([group.values for group in groups]), feature_names=groups[0].feature_names)
    return _shown(
        _document.core(joined, names).chart("cohorts", 0, 0, None, _document.COHORT, "", _most(joined, max_display)),
        show,
    )


def _as_row(e: Explanation) -> Explanation:
    return Explanation(e.values[None], feature_names=e.feature_names)


def _chart(kind: str, e: Explanation, max_display, show, feature: str | None = None) -> Drawing | None:
    drawing = _document.core(e).chart(kind, 0, 0, feature, None, "", _most(e, max_display))
    return _shown(drawing, show)


def _most(e: Explanation, max_display: int | None) -> int | None:
    """How many features are named: all, where nobody bounds them."""
    return max(1, e.values.size) if max_display is None else int(max_display)


def _shown(drawing: Drawing, show: bool) -> Drawing | None:
    """Shown at once in a notebook, if wished; otherwise given back."""
    notebook = sys.modules.get("IPython")
    if show and notebook is not None and notebook.get_ipython() is not None:
        from IPython.display import display

        display(drawing)
        return None
    return drawing


# What only changes looks is left to the charts; what would change what is said is refused.
_LOOKS = {
    "alpha", "ax", "axis_color", "cmap", "color", "color_bar", "color_bar_label", "contribution_threshold", "dot_size",
    "figsize", "hist", "plot_cmap", "plot_size", "text_rotation", "title", "ymax", "ymin", "xmax", "xmin",
    "x_jitter", "axis_limit", "plot_width", "log_scale", "class_names", "show_values_in_legend",
    "auto_size_plot", "s", "line_styles", "alpha_bar", "layered_violin_max_num_bins", "ignore_warnings", "legend_labels",
}  # fmt: skip


def _refuse(name: str, others: dict) -> None:
    for option, value in others.items():
        is_default = value is None or isinstance(value, str) and value == "identity"
        if option not in _LOOKS and not is_default:
            raise UnsupportedError(
                f"{name}: the option `{option}` is not supported; the charts order and scale by themselves"
            )


_DRAWN = "plots.waterfall, force, bar, beeswarm, scatter, decision and heatmap"

benchmark = absent_function("plots.benchmark", _DRAWN)
embedding = absent_function("plots.embedding", _DRAWN)
group_difference = absent_function("plots.group_difference", _DRAWN)
image = absent_function("plots.image", "pellucid.explain(model, images).plot.heatmap(0)")
image_to_text = absent_function("plots.image_to_text", _DRAWN)
monitoring = absent_function("plots.monitoring", _DRAWN)
multioutput_decision = absent_function("multioutput_decision_plot", "plots.decision(e[..., 1])")
partial_dependence = absent_function("plots.partial_dependence", "plots.scatter(e[:, feature])")
text = absent_function("plots.text", _DRAWN)
violin = absent_function("plots.violin", "plots.beeswarm")
