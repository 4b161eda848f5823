"""A method on many noisy copies of the inputs."""

from __future__ import annotations

import copy

from .._pellucid import InputError, UnsupportedError
from . import _arguments
from ._arguments import Tensors
from ._attribution import Attribution
from ._layers import LayerAttribution

_TYPES = ("smoothgrad", "smoothgrad_sq", "vargrad")


class NoiseTunnel:
    """The mean, the mean square or the variance of a method's attributions of noisy copies of the inputs.

    >>> import numpy as np
    >>> from pellucid.captum import NoiseTunnel, Saliency
    >>> rows = np.ones((2, 1, 28, 28), np.float32)
    >>> tunnel = NoiseTunnel(Saliency("fixtures/models/mnist_cnn.onnx"))
    >>> tunnel.attribute(rows, nt_type="smoothgrad", nt_samples=10, stdevs=0.2, target=3).shape
    (2, 1, 28, 28)
    """

    def __init__(self, attribution_method: Attribution):
        if not isinstance(attribution_method, Attribution):
            raise InputError(f"attribution_method: a {type(attribution_method).__name__} is none of pellucid.captum")
        if isinstance(attribution_method, LayerAttribution):
            raise UnsupportedError(
                "a noise tunnel around LayerGradCam is not supported yet; enlarged to the input there is "
                "pellucid.explain(model, rows, 'smoothgrad', base_method='grad_cam')"
            )
        self.attribution_method = attribution_method

    @property
    def multiplies_by_inputs(self) -> bool:
        """As the method."""
        return getattr(self.attribution_method, "multiplies_by_inputs", False)

    def has_convergence_delta(self) -> bool:
        """No: means over noisy inputs do not add up to anything."""
        return False

    def attribute(
        self,
        inputs: Tensors,
        nt_type: str = "smoothgrad",
        nt_samples: int = 5,
        nt_samples_batch_size: int | None = None,
        stdevs: float | tuple[float, ...] = 1.0,
        draw_baseline_from_distrib: bool = False,
        *,
        seed: int = 0,
        **kwargs,
    ) -> Tensors:
        """Attributions ``[rows, features…]``; ``kwargs`` are those of the method's ``attribute``.

        ``nt_type`` is ``"smoothgrad"`` (mean), ``"smoothgrad_sq"`` (mean square) or ``"vargrad"`` (variance).
        ``stdevs`` is the standard deviation of the noise in the units of the inputs. The noise of a row comes from
        ``seed`` and the row alone: the same call gives the same attributions, whatever rows stand beside it. Noisy
        copies go through the model one by one, so that ``nt_samples_batch_size`` changes nothing.
        """
        if nt_type not in _TYPES:
            raise InputError(f"nt_type: there is no {nt_type!r}; there are: {', '.join(_TYPES)}")
        if draw_baseline_from_distrib:
            raise UnsupportedError("draw_baseline_from_distrib is not supported yet; give one baseline, or one a row")
        noisy = copy.copy(self.attribution_method)
        noisy._noise = {
            "method": nt_type,
            "noise": f"abs:{_arguments.of_one_input('stdevs', stdevs)}",
            "n_samples": nt_samples,
            "seed": seed,
        }
        return noisy.attribute(inputs, **kwargs)
