"""captum's classes over Pellucid: ``from pellucid.captum import IntegratedGradients`` is the whole migration.

A class takes whatever :func:`pellucid.load` takes: the path or the bytes of an ONNX file, an ``onnx.ModelProto``, a
:class:`pellucid.Model`, or a ``torch.nn.Module``, which is exported anew at each call with the call's inputs as example
(load it once with :func:`pellucid.load` for many calls). Methods that perturb the input take functions, tree models and
served models too. ``attribute`` takes captum's arguments by captum's names, in
captum's order, and gives captum's shapes. Arrays of NumPy come back as arrays, tensors of torch as tensors, a tuple as a
tuple.

- ``inputs``: ``[rows, features…]``, alone or in a tuple of one.
- ``target``: an index, or one a row (list, 1-D array or tensor); a tuple of one index; ``None`` where the model has one
  output.
- ``baselines`` of DeepLiftShap and GradientShap: rows, a distribution to average over.
- ``baselines`` of the others: a number, one row ``[1, features…]`` or ``[features…]``, or one for each row ``[rows, features…]``.

Where it differs from captum: gradients are of the logits where the model ends in softmax or sigmoid, unless it was
loaded with ``explain_probability=True``; the weights of ``riemann_trapezoid`` sum to 1; noise comes from a ``seed``;
layers are named by their wires, or are the layers of a torch module. Whatever is not there raises :class:`pellucid.UnsupportedError` and says what is.

>>> import numpy as np
>>> from pellucid.captum import IntegratedGradients
>>> rows = np.linspace(-1, 1, 2 * 28 * 28, dtype=np.float32).reshape(2, 1, 28, 28)
>>> ig = IntegratedGradients("fixtures/models/mnist_cnn.onnx")
>>> attributions, delta = ig.attribute(rows, target=3, return_convergence_delta=True)
>>> attributions.shape, delta.shape
((2, 1, 28, 28), (2,))
"""

from .. import _absent
from ._comparisons import DeepLift, DeepLiftShap, GradientShap
from ._gradients import LRP, GuidedBackprop, InputXGradient, IntegratedGradients, Saliency
from ._layers import GuidedGradCam, LayerAttribution, LayerGradCam
from ._noise_tunnel import NoiseTunnel
from ._perturbations import (
    FeatureAblation,
    FeaturePermutation,
    KernelShap,
    Lime,
    Occlusion,
    ShapleyValues,
    ShapleyValueSampling,
)

__all__ = [
    "DeepLift",
    "DeepLiftShap",
    "FeatureAblation",
    "FeaturePermutation",
    "GradientShap",
    "GuidedBackprop",
    "GuidedGradCam",
    "InputXGradient",
    "IntegratedGradients",
    "KernelShap",
    "LRP",
    "LayerAttribution",
    "LayerGradCam",
    "Lime",
    "NoiseTunnel",
    "Occlusion",
    "Saliency",
    "ShapleyValueSampling",
    "ShapleyValues",
]

_GRADIENTS = "there are IntegratedGradients, InputXGradient, Saliency, and NoiseTunnel around them"
_PATH = "there are DeepLift and IntegratedGradients, which add up as well; give them the baseline that you compare with"
_LAYERS = "of layers there is LayerGradCam; of the input there is IntegratedGradients"
_PERTURBED = "there is Lime, with lime's own surrogate, and pellucid.lime"
_TEXT = "for texts there is pellucid.TextModel, with a value for each token and word"
_PICTURES = "there is pellucid.explain(model, rows).plot.heatmap()"

# captum's name → what there is.
_INSTEAD = {
    "Deconvolution": _GRADIENTS,
    "LimeBase": _PERTURBED,
    "LayerActivation": _LAYERS,
    "LayerConductance": _LAYERS,
    "LayerDeepLift": _LAYERS,
    "LayerDeepLiftShap": _LAYERS,
    "LayerFeatureAblation": _LAYERS,
    "LayerFeaturePermutation": _LAYERS,
    "LayerGradientShap": _LAYERS,
    "LayerGradientXActivation": "there is LayerGradCam; with the gradients of each place instead of their mean it is "
    "pellucid.explain(model, rows, method='hires_cam')",
    "LayerIntegratedGradients": _LAYERS,
    "LayerLRP": _LAYERS,
    "InternalInfluence": _LAYERS,
    "NeuronConductance": _LAYERS,
    "NeuronDeconvolution": _LAYERS,
    "NeuronDeepLift": _LAYERS,
    "NeuronDeepLiftShap": _LAYERS,
    "NeuronFeatureAblation": _LAYERS,
    "NeuronGradient": _LAYERS,
    "NeuronGradientShap": _LAYERS,
    "NeuronGuidedBackprop": _LAYERS,
    "NeuronIntegratedGradients": _LAYERS,
    "DataLoaderAttribution": "there is pellucid.explain over rows of any number, in bounded memory",
    "LLMAttribution": _TEXT,
    "LLMGradientAttribution": _TEXT,
    "RemoteLLMAttribution": _TEXT,
    "configure_interpretable_embedding_layer": _TEXT,
    "remove_interpretable_embedding_layer": _TEXT,
    "visualization": _PICTURES,
}


def __getattr__(name: str):
    return _absent.named(__name__, name, _INSTEAD)
