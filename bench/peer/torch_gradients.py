"""PyTorch eager, captum and pytorch-grad-cam on networks."""

import contextlib
import os
import warnings
from importlib.metadata import version

import captum
import torch
from captum.attr import DeepLift, GuidedBackprop, IntegratedGradients, Occlusion
from pytorch_grad_cam import GradCAM, ScoreCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from peer.jobs import Variant
from peer.networks import cam_layer, network, rows, with_own_activations

TARGET = 1


@contextlib.contextmanager
def silenced():
    """Without pytorch-grad-cam's progress bar, which goes to standard error."""
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        yield


def versions():
    return {name: version(name) for name in ("torch", "torchvision", "captum", "grad-cam")}


def set_threads(threads):
    torch.set_num_threads(threads)


def raw_gradient(job):
    """∂logit/∂input for all rows at once."""
    return [raw_gradient_variant(job, channels_last) for channels_last in layouts(job)]


def layouts(job):
    """Whether channels come last: for images, both ways."""
    return (False, True) if rows(job["network"], 1).ndim == 4 else (False,)


def laid_out(job, channels_last):
    """Network and rows; images with channels last are faster on some processors."""
    net, x = network(job["network"]), rows(job["network"], job["rows"])
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    return net, x


def layout(channels_last):
    return {"memory_format": "channels_last" if channels_last else "contiguous"}


def raw_gradient_variant(job, channels_last):
    net, x = laid_out(job, channels_last)
    x.requires_grad_(True)

    def call():
        return torch.autograd.grad(net(x)[:, TARGET].sum(), x)[0]

    return Variant(f"PyTorch {torch.__version__}", layout(channels_last), call, default=not channels_last)


def integrated_gradients(job):
    """captum, baseline zeros, one variant for each `internal_batch_size`; `null` is captum's default: all at once."""
    return [captum_variant(job, size, last) for last in layouts(job) for size in job["internal_batch_sizes"]]


def captum_variant(job, size, channels_last):
    net, x = laid_out(job, channels_last)
    attribute = IntegratedGradients(net).attribute

    def call():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return attribute(x, target=TARGET, n_steps=job["n_steps"], internal_batch_size=size)

    default = size is None and not channels_last
    return Variant(f"captum {captum.__version__}", {"internal_batch_size": size, **layout(channels_last)}, call, default)


def deep_lift(job):
    """captum, baseline zeros."""
    return [hooked_variant(DeepLift, job, channels_last) for channels_last in layouts(job)]


def guided_backprop(job):
    """captum."""
    return [hooked_variant(GuidedBackprop, job, channels_last) for channels_last in layouts(job)]


def hooked_variant(method, job, channels_last):
    """captum's methods that hook onto activations: these must be modules of their own, each used once."""
    net, x = laid_out(job, channels_last)
    attribute = method(with_own_activations(net)).attribute

    def call():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return attribute(x, target=TARGET)

    return Variant(f"captum {captum.__version__}", layout(channels_last), call, default=not channels_last)


def occlusion(job):
    """captum, baseline zeros, one variant for each number of windows at once; captum's default is one."""
    return [occlusion_variant(job, n, last) for last in (False, True) for n in job["perturbations"]]


def occlusion_variant(job, n, channels_last):
    net, x = laid_out(job, channels_last)
    channels, window, stride = x.shape[1], job["window"], job["stride"]
    attribute = Occlusion(net).attribute

    def call():
        with torch.no_grad():
            return attribute(
                x,
                target=TARGET,
                sliding_window_shapes=(channels, window, window),
                strides=(channels, stride, stride),
                perturbations_per_eval=n,
            )

    default = n == min(job["perturbations"]) and not channels_last
    return Variant(f"captum {captum.__version__}", {"perturbations_per_eval": n, **layout(channels_last)}, call, default)


def grad_cam(job):
    """pytorch-grad-cam on one image, its map resized to the image's size as it always does."""
    return [grad_cam_variant(job, *how) for how in ((False, False), (True, False), (True, True))]


def grad_cam_variant(job, only_layer, channels_last):
    """As its users write it, or so that the backward pass ends at the layer: only that layer's weights ask for a gradient."""
    net, x = laid_out(job, channels_last)
    layer = net.get_submodule(cam_layer(job["network"]))
    (layer if only_layer else net).requires_grad_(True)
    cam, targets = GradCAM(model=net, target_layers=[layer]), [ClassifierOutputTarget(TARGET)]
    parameters = {"weights_with_gradient": "the layer" if only_layer else "all", **layout(channels_last)}
    return Variant(f"pytorch-grad-cam {version('grad-cam')}", parameters, lambda: cam(x, targets), default=not only_layer)


def score_cam(job):
    """pytorch-grad-cam: every channel of the layer, in its batches of 16 by default."""
    return [score_cam_variant(job, size, last) for last in layouts(job) for size in job["batch_sizes"]]


def score_cam_variant(job, batch_size, channels_last):
    net, x = laid_out(job, channels_last)
    cam = ScoreCAM(model=net, target_layers=[net.get_submodule(cam_layer(job["network"]))])
    cam.batch_size = batch_size
    targets, parameters = [ClassifierOutputTarget(TARGET)], {"batch_size": batch_size, **layout(channels_last)}
    default = batch_size == job["batch_sizes"][0] and not channels_last

    def call():
        with silenced(), torch.no_grad():
            return cam(x, targets)

    return Variant(f"pytorch-grad-cam {version('grad-cam')}", parameters, call, default)
