"""What jobs work on → files for Pellucid's side: networks as ONNX, with rows to explain and the float64 gradient that both sides'
errors are judged by; tree models as XGBoost writes them, with rows."""

import sys
import warnings

import numpy as np
import torch

from peer.networks import NETWORKS, network, rows
from peer.torch_gradients import TARGET

N_ROWS = {"resnet50": 10, "mobilenet_v2": 10, "mlp": 1000, "vit_b_16": 4, "bert_base": 4}


def gradient(net, x):
    x = x.clone().requires_grad_(True)
    return torch.autograd.grad(net(x)[:, TARGET].sum(), x)[0].numpy()


def export(net, x, path):
    # The fused layers of PyTorch's inference have no meaning in ONNX.
    torch.backends.mha.set_fastpath_enabled(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (x[:2],), str(path), dynamo=False, opset_version=17, input_names=["input"], output_names=["logits"],
            dynamic_axes={"input": {0: "n"}, "logits": {0: "n"}},
        )  # fmt: skip


def export_all(folder, jobs):
    """Writes what the jobs name."""
    folder.mkdir(parents=True, exist_ok=True)
    export_networks(folder, [name for name in NETWORKS if any(job.get("network") == name for job in jobs)])
    models = {job["model"] for job in jobs if "model" in job}
    if models:
        from peer.trees import export_trees

        export_trees(folder, sorted(models))


def export_networks(folder, names):
    """Writes NAME.onnx and NAME.npz: `input`, `target`, `gradient` (float64, rounded) and PyTorch's own `gradient_f32`."""
    for name in names:
        net, x = network(name), rows(name, N_ROWS[name])
        export(net, x, folder / f"{name}.onnx")
        own = gradient(net, x)
        exact = gradient(net.double(), x.double())
        arrays = {"input": x.numpy(), "target": np.array(TARGET), "gradient": exact.astype(np.float32), "gradient_f32": own}
        np.savez(folder / f"{name}.npz", **arrays)
        distance = np.linalg.norm(own - exact) / np.linalg.norm(exact)
        print(f"{name}: PyTorch's float32 gradient is {distance:.1e} off float64", file=sys.stderr)
