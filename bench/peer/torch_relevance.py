"""zennit on the jobs of layer-wise relevance propagation."""

from importlib.metadata import version

import torch
from zennit.attribution import Gradient
from zennit.composites import EpsilonPlusFlat
from zennit.torchvision import ResNetCanonizer

from peer.jobs import Variant
from peer.torch_gradients import TARGET, laid_out, layout, layouts, set_threads

__all__ = ["lrp", "set_threads", "versions"]


def versions():
    return {name: version(name) for name in ("torch", "torchvision", "zennit")}


def lrp(job):
    """The composite epsilon-plus-flat of a residual network, whose BatchNorms are merged and whose rules are attached beforehand."""
    return [lrp_variant(job, channels_last) for channels_last in layouts(job)]


def lrp_variant(job, channels_last):
    net, x = laid_out(job, channels_last)
    attributor = Gradient(net, EpsilonPlusFlat(canonizers=[ResNetCanonizer()]))
    attributor.__enter__()
    target = torch.eye(net(x[:1]).shape[1])[[TARGET] * len(x)]
    return Variant(f"zennit {version('zennit')}", layout(channels_last), lambda: attributor(x, target), default=not channels_last)
