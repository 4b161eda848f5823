"""Attributions to a layer inside."""

from __future__ import annotations

import numpy as np

from .._pellucid import InputError, UnsupportedError
from . import _arguments
from ._arguments import Target, Tensors
from ._attribution import Attribution, is_module
from ._gradients import GuidedBackprop

_LINEAR = ("linear", "bilinear", "trilinear")


class LayerAttribution(Attribution):
    """A method that attributes to a layer of the model."""

    @staticmethod
    def interpolate(
        layer_attribution: Tensors, interpolate_dims: int | tuple[int, ...], interpolate_mode: str = "nearest"
    ) -> Tensors:
        """Attributions ``[rows, channels, spatial…]`` with other spatial lengths, ``[rows, channels, *interpolate_dims]``.

        ``interpolate_mode`` is ``"nearest"``, or ``"linear"``, ``"bilinear"`` or ``"trilinear"`` by the number of spatial
        axes.

        >>> import numpy as np
        >>> from pellucid.captum import LayerAttribution
        >>> LayerAttribution.interpolate(np.array([[[1.0, 3.0]]]), 4).tolist()
        [[[1.0, 1.0, 3.0, 3.0]]]
        """
        attribution = _arguments.as_array(layer_attribution)
        n_spatial = attribution.ndim - 2
        if not 1 <= n_spatial <= 3:
            raise InputError(f"layer_attribution: its shape is {attribution.shape}; give [rows, channels, spatial…]")
        lengths = (interpolate_dims,) * n_spatial if isinstance(interpolate_dims, int) else tuple(interpolate_dims)
        if len(lengths) != n_spatial:
            raise InputError(f"interpolate_dims: {len(lengths)} lengths for {n_spatial} spatial axes")
        if interpolate_mode not in ("nearest", _LINEAR[n_spatial - 1]):
            raise UnsupportedError(
                f"interpolate_mode: {interpolate_mode!r} is not supported for {n_spatial} spatial axes; "
                f"there are: nearest, {_LINEAR[n_spatial - 1]}"
            )
        resampled = _nearest if interpolate_mode == "nearest" else _linear
        for axis, length in enumerate(lengths, start=2):
            attribution = resampled(attribution, axis, length)
        return _arguments.in_kind(attribution, layer_attribution)


def _nearest(array: np.ndarray, axis: int, length: int) -> np.ndarray:
    places = np.arange(length) * array.shape[axis] // length
    return np.take(array, places, axis)


def _linear(array: np.ndarray, axis: int, length: int) -> np.ndarray:
    """Between the centers of the places; edges are repeated."""
    last = array.shape[axis] - 1
    position = np.clip((np.arange(length) + 0.5) * (array.shape[axis] / length) - 0.5, 0, last)
    low = position.astype(int)
    share = (position - low).reshape([-1 if a == axis else 1 for a in range(array.ndim)])
    below, above = np.take(array, low, axis), np.take(array, np.minimum(low + 1, last), axis)
    return below + (above - below) * share


class LayerGradCam(LayerAttribution):
    """Grad-CAM: the layer's channels, weighted by the means of their gradients and summed.

    ``layer`` is the name of the wire that holds the layer's output ``[rows, channels, spatial…]``
    (:func:`pellucid.inspect` suggests some), or ``None`` for the last feature map; of a ``torch.nn.Module`` it may be the
    layer itself.

    >>> import numpy as np
    >>> from pellucid.captum import LayerAttribution, LayerGradCam
    >>> rows = np.ones((2, 1, 28, 28), np.float32)
    >>> maps = LayerGradCam("fixtures/models/mnist_cnn.onnx", None).attribute(rows, target=3)
    >>> maps.shape, LayerAttribution.interpolate(maps, (28, 28)).shape
    ((2, 1, 7, 7), (2, 1, 28, 28))
    """

    _method = "grad_cam"

    def __init__(self, forward_func, layer, device_ids=None):
        is_part = is_module(forward_func) and is_module(layer)
        if not (layer is None or isinstance(layer, str) or is_part):
            raise UnsupportedError(
                f"layer: a {type(layer).__name__} is no name of a wire; pellucid.inspect(model) suggests some, "
                "None is the last feature map"
            )
        super().__init__(forward_func)
        self.layer = layer

    def attribute(
        self,
        inputs: Tensors,
        target: Target = None,
        additional_forward_args=None,
        attribute_to_layer_input: bool = False,
        relu_attributions: bool = False,
        attr_dim_summation: bool = True,
        grad_kwargs=None,
    ) -> Tensors:
        """Maps ``[rows, 1, spatial…]`` in the layer's resolution, signed unless ``relu_attributions``."""
        _arguments.refuse_forward_args(additional_forward_args)
        if attribute_to_layer_input:
            raise UnsupportedError("attribute_to_layer_input: name the wire that goes into the layer instead")
        if not attr_dim_summation:
            raise UnsupportedError("attr_dim_summation=False: maps of single channels are not supported yet")
        if grad_kwargs is not None:
            raise UnsupportedError("grad_kwargs: they are torch's, and gradients are not taken by torch")
        rows = _arguments.inputs(inputs)
        if is_module(self.layer):
            from . import _torch_layers

            loaded = _torch_layers.load_with_layer(self.forward_func, self.layer, rows.example())
            return LayerGradCam(*loaded).attribute(inputs, target, relu_attributions=relu_attributions)
        explanation = self._explained(rows, target, layer=self.layer, relu=bool(relu_attributions))
        return rows.returned(explanation.raw_map[:, None])


class GuidedGradCam(Attribution):
    """Guided backpropagation times the map of Grad-CAM, enlarged to the input.

    It hardly depends on what the model learned (it fails the model randomization check): it shows edges of the input.
    ``layer`` is that of :class:`LayerGradCam`.

    >>> import numpy as np
    >>> from pellucid.captum import GuidedGradCam
    >>> rows = np.ones((2, 1, 28, 28), np.float32)
    >>> GuidedGradCam("fixtures/models/mnist_cnn.onnx", None).attribute(rows, target=3).shape
    (2, 1, 28, 28)
    """

    _method = "guided_grad_cam"

    def __init__(self, model, layer, device_ids=None):
        super().__init__(model)
        self._maps = LayerGradCam(model, layer)
        self._guided = GuidedBackprop(model)

    def attribute(
        self,
        inputs: Tensors,
        target: Target = None,
        additional_forward_args=None,
        interpolate_mode: str = "nearest",
        attribute_to_layer_input: bool = False,
    ) -> Tensors:
        """Attributions ``[rows, channels, spatial…]``; ``interpolate_mode`` says how maps are enlarged."""
        _arguments.refuse_forward_args(additional_forward_args)
        rows = _arguments.inputs(inputs)
        maps = _arguments.inputs(
            self._maps.attribute(
                inputs, target, attribute_to_layer_input=attribute_to_layer_input, relu_attributions=True
            )
        )
        large = LayerAttribution.interpolate(maps.array, rows.array.shape[2:], interpolate_mode)
        guided = _arguments.inputs(self._guided.attribute(inputs, target))
        return rows.returned(guided.array * large)
