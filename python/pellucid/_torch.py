"""torch modules: exported to ONNX once, and compared with what was exported."""

from __future__ import annotations

import io

import numpy as np

from . import _pellucid
from ._pellucid import InputError, UnsupportedError
from ._progress import limits
from ._sklearn import check_outputs


def core(module, example_inputs, wishes) -> _pellucid.ModelCore:
    """A model of a module, whose batch axis is the first of ``example_inputs``."""
    import torch

    if example_inputs is None:
        raise InputError("example_inputs: a torch module is exported by running it; give it a batch of inputs")
    if isinstance(example_inputs, (tuple, list)):
        if len(example_inputs) != 1:
            raise UnsupportedError("modules of several inputs are not supported yet; wrap it in one of a single input")
        example_inputs = example_inputs[0]
    training = module.training
    module.eval()
    try:
        with torch.no_grad():
            expected = module(example_inputs)
        data = _exported(torch, module, example_inputs)
    finally:
        module.train(training)
    name = type(module).__name__
    core = _pellucid.ModelCore.from_bytes(name, data, wishes)
    found = core.outputs(_numpy(example_inputs), True, limits())
    expected = _numpy(expected[0] if isinstance(expected, (tuple, list)) else expected)
    check_outputs(name, found, expected.reshape(found.shape))
    return core


def _exported(torch, module, example) -> bytes:
    buffer = io.BytesIO()
    try:
        torch.onnx.export(
            module,
            (example,),
            buffer,
            input_names=["input"],
            output_names=["output"],
            dynamic_axes={"input": {0: "N"}, "output": {0: "N"}},
            dynamo=False,
        )
    except Exception as error:
        raise UnsupportedError(f"{type(module).__name__}: torch.onnx.export cannot export it: {error}") from error
    return buffer.getvalue()


def _numpy(tensor) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy())
