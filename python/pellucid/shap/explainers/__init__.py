"""shap's explainers."""

from .._absent import absent_class
from ._exact import ExactExplainer
from ._explainer import Explainer
from ._linear import LinearExplainer
from ._network import DeepExplainer, GradientExplainer
from ._predictions import KernelExplainer, PartitionExplainer, PermutationExplainer, SamplingExplainer
from ._tree import TreeExplainer

_INSTEAD = "shap.Explainer, which finds an explainer for any model or function"

AdditiveExplainer = absent_class("AdditiveExplainer", _INSTEAD)
CoalitionExplainer = absent_class("CoalitionExplainer", _INSTEAD)
GPUTreeExplainer = absent_class("GPUTreeExplainer", "shap.TreeExplainer, on the processor")

__all__ = [
    "AdditiveExplainer",
    "CoalitionExplainer",
    "DeepExplainer",
    "ExactExplainer",
    "Explainer",
    "GPUTreeExplainer",
    "GradientExplainer",
    "KernelExplainer",
    "LinearExplainer",
    "PartitionExplainer",
    "PermutationExplainer",
    "SamplingExplainer",
    "TreeExplainer",
]
