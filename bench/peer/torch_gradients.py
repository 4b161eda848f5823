"""PyTorch eager, captum and pytorch-grad-cam on the jobs of the gradient family."""

import warnings

import captum
import torch
from captum.attr import IntegratedGradients
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from peer.jobs import Variant
from peer.networks import cam_layer, network, rows

TARGET = 1


def versions():
    from importlib.metadata import version

    return {name: version(name) for name in ("torch", "torchvision", "captum", "grad-cam")}


def set_threads(threads):
    torch.set_num_threads(threads)


def raw_gradient(job):
    """∂logit/∂input for all rows at once."""
    return [raw_gradient_variant(job, channels_last) for channels_last in (False, True)]


def raw_gradient_variant(job, channels_last):
    net, x = network(job["network"]), rows(job["network"], job["rows"])
    if channels_last:
        net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
    x.requires_grad_(True)

    def call():
        return torch.autograd.grad(net(x)[:, TARGET].sum(), x)[0]

    parameters = {"memory_format": "channels_last" if channels_last else "contiguous"}
    return Variant(f"PyTorch {torch.__version__}", parameters, call, default=not channels_last)


def integrated_gradients(job):
    """captum, baseline zeros, one variant for each `internal_batch_size`; `null` is captum's default: all at once."""
    net, x = network(job["network"]), rows(job["network"], job["rows"])
    attribute = IntegratedGradients(net).attribute

    def variant(size):
        def call():
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return attribute(x, target=TARGET, n_steps=job["n_steps"], internal_batch_size=size)

        return Variant(f"captum {captum.__version__}", {"internal_batch_size": size}, call, default=size is None)

    return [variant(size) for size in job["internal_batch_sizes"]]


def grad_cam(job):
    """pytorch-grad-cam on one image, its map resized to the image's size as it always does."""
    return [grad_cam_variant(job, only_layer) for only_layer in (False, True)]


def grad_cam_variant(job, only_layer):
    """As its users write it, or so that the backward pass ends at the layer: only that layer's weights ask for a gradient."""
    net, x = network(job["network"]), rows(job["network"], 1)
    layer = net.get_submodule(cam_layer(job["network"]))
    (layer if only_layer else net).requires_grad_(True)
    cam, targets = GradCAM(model=net, target_layers=[layer]), [ClassifierOutputTarget(TARGET)]
    trained = "the layer" if only_layer else "all"
    return Variant("pytorch-grad-cam", {"weights_with_gradient": trained}, lambda: cam(x, targets), default=not only_layer)
