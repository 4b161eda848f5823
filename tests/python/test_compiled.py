"""A compiled file runs in plain ONNX Runtime, without Pellucid, and gives what `pellucid explain` gives."""

import json
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

ROOT = Path(__file__).resolve().parents[2]
PELLUCID = ROOT / "target" / "debug" / "pellucid"
MODEL = ROOT / "fixtures" / "models" / "mnist_cnn.onnx"

METHODS = [
    ("saliency", []),
    ("input-x-gradient", []),
    ("integrated-gradients", ["--n-steps", "16"]),
    ("deep-lift", ["--baseline", "value:-0.4"]),
    ("lrp", ["--composite", "epsilon_plus"]),
    ("grad-cam", []),
    ("grad-cam-pp", []),
    ("layer-cam", []),
    ("hires-cam", []),
    ("xgrad-cam", []),
    ("guided-backprop", []),
    ("guided-grad-cam", []),
]

# Of a vision transformer.
ATTENTION = [
    ("attention", ["--layer", "0", "--head", "1"]),
    ("attention-rollout", ["--discard-ratio", "0.2"]),
    ("attention-x-gradient", []),
]

REFUSED = ["ablation-cam", "score-cam", "eigen-cam", "smoothgrad", "vargrad", "integrated-gradients"]


def pellucid(*arguments):
    return subprocess.run([PELLUCID, *map(str, arguments)], check=True, capture_output=True, text=True)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Three of the committed test digits, preprocessed as the model wants them."""
    digits = np.load(ROOT / "fixtures" / "models" / "mnist_test_500.npz")["images"][:3]
    path = tmp_path_factory.mktemp("rows") / "rows.npy"
    np.save(path, (((digits / 255.0) - 0.1307) / 0.3081).astype(np.float32)[:, None])
    return path


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_compiled_file_gives_prediction_and_attribution(method, options, rows, tmp_path):
    check(MODEL, method, options, rows, tmp_path)


@pytest.mark.parametrize(("method", "options"), ATTENTION)
def test_compiled_attention_is_laid_on_the_image(method, options, rows, tmp_path):
    check(ROOT / "fixtures" / "models" / "vit_tiny_mnist.onnx", method, options, rows, tmp_path)


def test_compiled_file_holds_its_background(rows, tmp_path):
    check(MODEL, "deep-shap", ["--background", rows], rows, tmp_path)


@pytest.mark.parametrize("method", REFUSED)
def test_what_is_no_single_graph_is_refused_by_name(method, tmp_path):
    tolerance = ["--tolerance", "0.01"] if method == "integrated-gradients" else []
    arguments = ["compile", MODEL, "--method", method, *tolerance, "--out", tmp_path / "x.onnx"]
    refused = subprocess.run([PELLUCID, *map(str, arguments)], capture_output=True, text=True)
    reason = "tolerance" if tolerance else f"{method.replace('-', '_')} cannot be compiled: "
    assert refused.returncode != 0 and reason in refused.stderr
    assert not (tmp_path / "x.onnx").exists()


def check(model, method, options, rows, tmp_path):
    compiled = tmp_path / "compiled.onnx"
    pellucid("compile", model, "--method", method, *options, "--target", "predicted", "--out", compiled)
    session = onnxruntime.InferenceSession(str(compiled), providers=["CPUExecutionProvider"])
    x = np.load(rows)
    logits, attribution = session.run(None, {session.get_inputs()[0].name: x})

    original = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    expected_logits = original.run(None, {original.get_inputs()[0].name: x})[0]
    np.testing.assert_allclose(logits, expected_logits, rtol=1e-4, atol=1e-4)

    pellucid("explain", model, rows, "--method", method, *options, "--target", "top-1", "--out", tmp_path / "out")
    expected = np.load(tmp_path / "out" / "explanation.npz")["values"]
    assert attribution.size == expected.size
    scale = np.abs(expected).max()
    np.testing.assert_allclose(attribution.reshape(expected.shape), expected, atol=1e-4 * scale)


def test_json_on_standard_output_is_only_json(rows):
    printed = pellucid("explain", MODEL, rows, "--method", "saliency", "--json").stdout
    assert json.loads(printed)["method"] == "saliency"
