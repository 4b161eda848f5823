"""The networks both sides are timed on. Weights are random but sound: activations neither fade nor grow."""

import copy

import torch
from torch import fx, nn
from torchvision.models import mobilenet_v2, resnet50, vit_b_16

SEED = 7


def mlp():
    return nn.Sequential(nn.Linear(30, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))


class Encoder(nn.Module):
    """One layer of BERT: attention and a feed-forward part, each added to what came in and normalized."""

    def __init__(self, width, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.query, self.key, self.value, self.mixed = (nn.Linear(width, width) for _ in range(4))
        self.inner = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))

    def forward(self, x):
        heads = (part(x).unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        seen = nn.functional.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        x = self.norms[0](x + self.mixed(seen))
        return self.norms[1](x + self.inner(x))


class BertBase(nn.Module):
    """BERT-base behind its embedding, for sentences: 12 layers, 12 heads, width 768; the first token's vector is classified."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*(Encoder(768, 12) for _ in range(12)))
        self.pooler, self.head = nn.Linear(768, 768), nn.Linear(768, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.pooler(self.layers(x)[:, 0])))


def with_a_head(vit):
    """torchvision starts the last layer at zero, which has no gradient."""
    nn.init.normal_(vit.heads.head.weight, std=0.02)
    return vit


def with_own_activations(network):
    """Each call of a ReLU as a module of its own, as hooks on modules need it."""
    traced = fx.symbolic_trace(network)
    for node in list(traced.graph.nodes):
        if node.op == "call_module" and isinstance(module := traced.get_submodule(node.target), nn.ReLU):
            traced.add_submodule(node.name, copy.deepcopy(module))
            node.target = node.name
    traced.recompile()
    return traced


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
    "vit_b_16": (lambda: with_a_head(vit_b_16(weights=None)), (3, 224, 224), None),
    "bert_base": (BertBase, (128, 768), None),
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
