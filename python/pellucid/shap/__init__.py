"""shap's names: ``import pellucid.shap as shap`` is the whole migration for what there is.

>>> import numpy as np, pellucid.shap as shap
>>> e = shap.TreeExplainer("fixtures/trees/lightgbm/binary.txt")(np.zeros((4, 5)))
>>> e[0].values.shape, e.abs.mean(0).values.shape, shap.plots.waterfall(e[0]).svg()[:4]
((5,), (5,), '<svg')

Values are exact and checked against the model's own predictions. What is not there yet raises
:class:`pellucid.UnsupportedError`, which names what there is. Where shap's numbers are wrong they are not repeated:
see ``docs/deviations.md``.
"""

from . import explainers, links, maskers, plots, utils
from ._absent import refusal
from ._cohorts import Cohorts
from ._explanation import Explanation
from .explainers import (
    AdditiveExplainer,
    CoalitionExplainer,
    DeepExplainer,
    ExactExplainer,
    Explainer,
    GPUTreeExplainer,
    GradientExplainer,
    KernelExplainer,
    LinearExplainer,
    PartitionExplainer,
    PermutationExplainer,
    SamplingExplainer,
    TreeExplainer,
)
from .plots import bar as bar_plot
from .plots import decision as decision_plot
from .plots import dependence_plot, initjs, save_html, summary_plot
from .plots import embedding as embedding_plot
from .plots import force as force_plot
from .plots import group_difference as group_difference_plot
from .plots import heatmap as heatmap_plot
from .plots import image as image_plot
from .plots import monitoring as monitoring_plot
from .plots import multioutput_decision as multioutput_decision_plot
from .plots import partial_dependence as partial_dependence_plot
from .plots import text as text_plot
from .plots import violin as violin_plot
from .plots import waterfall as waterfall_plot
from .utils import kmeans, sample

_ABSENT = {
    "ActionOptimizer": "shap.Explainer",
    "approximate_interactions": "TreeExplainer.shap_interaction_values, which are exact",
    "datasets": "your own rows",
    "getjs": "Drawing.html(), which needs no script",
    "models": "pellucid.load(model)",
    "other": "shap.Explainer",
}


def __getattr__(name: str):
    if name in _ABSENT:
        raise refusal(name, _ABSENT[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "AdditiveExplainer",
    "CoalitionExplainer",
    "Cohorts",
    "DeepExplainer",
    "ExactExplainer",
    "Explainer",
    "Explanation",
    "GPUTreeExplainer",
    "GradientExplainer",
    "KernelExplainer",
    "LinearExplainer",
    "PartitionExplainer",
    "PermutationExplainer",
    "SamplingExplainer",
    "TreeExplainer",
    "bar_plot",
    "decision_plot",
    "dependence_plot",
    "embedding_plot",
    "explainers",
    "force_plot",
    "group_difference_plot",
    "heatmap_plot",
    "image_plot",
    "initjs",
    "kmeans",
    "links",
    "maskers",
    "monitoring_plot",
    "multioutput_decision_plot",
    "partial_dependence_plot",
    "plots",
    "sample",
    "save_html",
    "summary_plot",
    "text_plot",
    "utils",
    "violin_plot",
    "waterfall_plot",
]
