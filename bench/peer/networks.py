"""The networks both sides are timed on. Weights are random but sound: activations neither fade nor grow."""

import torch
from torch import nn
from torchvision.models import mobilenet_v2, resnet50

SEED = 7


def mlp():
    return nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


def with_settled_norms(network):
    """BatchNorm takes the statistics of random rows. With those of a fresh network, ResNet-50's signal grows at each block."""
    for norm in network.modules():
        if isinstance(norm, nn.BatchNorm2d):
            norm.momentum = None  # average over the rows seen
    network.train()
    with torch.no_grad():
        network(torch.randn(8, 3, 224, 224))
    return network


NETWORKS = {  # name: (how it is built, one row's shape, the layer Grad-CAM looks at)
    "resnet50": (lambda: with_settled_norms(resnet50(weights=None)), (3, 224, 224), "layer4.2"),
    "mobilenet_v2": (lambda: with_settled_norms(mobilenet_v2(weights=None)), (3, 224, 224), "features.18"),
    "mlp": (mlp, (30,), None),
}


def network(name):
    """In evaluation mode, with no parameter that asks for a gradient: only the input's is wanted."""
    torch.manual_seed(SEED)
    return NETWORKS[name][0]().eval().requires_grad_(False)


def rows(name, n_rows):
    """Random rows `[n_rows, …]`; the first ones are the same whatever `n_rows` is."""
    shape = NETWORKS[name][1]
    generator = torch.Generator().manual_seed(SEED)
    return torch.stack([torch.randn(shape, generator=generator) for _ in range(n_rows)])


def cam_layer(name):
    return NETWORKS[name][2]
