"""shap's explainers."""

from .._absent import absent_class
from ._exact import ExactExplainer
from ._explainer import Explainer
from ._linear import LinearExplainer
from ._network import DeepExplainer, GradientExplainer
from ._tree import TreeExplainer

_EXACT = "shap.TreeExplainer and shap.LinearExplainer, which are exact"

AdditiveExplainer = absent_class("AdditiveExplainer", _EXACT)
CoalitionExplainer = absent_class("CoalitionExplainer", _EXACT)
GPUTreeExplainer = absent_class("GPUTreeExplainer", "shap.TreeExplainer, on the processor")
KernelExplainer = absent_class("KernelExplainer", _EXACT)
PartitionExplainer = absent_class("PartitionExplainer", _EXACT)
PermutationExplainer = absent_class("PermutationExplainer", _EXACT)
SamplingExplainer = absent_class("SamplingExplainer", _EXACT)

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
