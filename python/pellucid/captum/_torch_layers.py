"""A layer of a torch module as a wire of the graph that the module is exported to."""

from __future__ import annotations

import json

from .. import _pellucid
from .._load import load
from .._model import Model
from .._pellucid import InputError, UnsupportedError


def load_with_layer(module, layer, example_inputs) -> tuple[Model, str]:
    """The module as a model, and the name of the wire that holds what ``layer`` gives."""
    if all(layer is not part for part in module.modules()):
        raise InputError(f"layer: the {type(layer).__name__} is no part of the {type(module).__name__}")
    model = load(_with_output_of(module, layer), example_inputs=example_inputs)
    return model, json.loads(_pellucid.inspect(model._core))["outputs"][1]["name"]


def _with_output_of(module, layer):
    """A module that gives what ``module`` gives, and beside it what ``layer`` gave."""
    import torch

    class WithLayer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, inputs):
            kept = []

            def keep(_layer, _inputs, output):
                kept.append(output)
                # What follows may work in place.
                return output.clone()

            handle = layer.register_forward_hook(keep)
            try:
                output = self.module(inputs)
            finally:
                handle.remove()
            if len(kept) != 1 or not isinstance(kept[0], torch.Tensor):
                raise UnsupportedError(f"layer: the {type(layer).__name__} must run once and give one tensor")
            return output, kept[0]

    return WithLayer()
