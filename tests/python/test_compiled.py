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
    ("grad-cam", []),
    ("xgrad-cam", []),
]


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
    compiled = tmp_path / "compiled.onnx"
    pellucid("compile", MODEL, "--method", method, *options, "--target", "predicted", "--out", compiled)
    session = onnxruntime.InferenceSession(str(compiled), providers=["CPUExecutionProvider"])
    x = np.load(rows)
    logits, attribution = session.run(None, {session.get_inputs()[0].name: x})

    original = onnxruntime.InferenceSession(str(MODEL), providers=["CPUExecutionProvider"])
    expected_logits = original.run(None, {original.get_inputs()[0].name: x})[0]
    np.testing.assert_allclose(logits, expected_logits, rtol=1e-4, atol=1e-4)

    pellucid("explain", MODEL, rows, "--method", method, *options, "--target", "top-1", "--out", tmp_path / "out")
    expected = np.load(tmp_path / "out" / "explanation.npz")["values"]
    assert attribution.size == expected.size
    scale = np.abs(expected).max()
    np.testing.assert_allclose(attribution.reshape(expected.shape), expected, atol=1e-4 * scale)


def test_json_on_standard_output_is_only_json(rows):
    printed = pellucid("explain", MODEL, rows, "--method", "saliency", "--json").stdout
    assert json.loads(printed)["method"] == "saliency"
