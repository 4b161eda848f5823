"""`pellucid serve` from outside: by clients of others that know nothing of it."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import time
import urllib.error

import lightgbm
import numpy as np
import onnxruntime
import pandas as pd
import pytest
import tritonclient.http as triton
from conftest import ROOT
from running import MODELS, Running


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Running(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="module")
def digits():
    images = np.load(MODELS / "mnist_test_500.npz")["images"][:3]
    return (((images / 255.0) - 0.1307) / 0.3081).astype(np.float32)[:, None]


@pytest.fixture(scope="module")
def applicants():
    return pd.read_csv(ROOT / "fixtures" / "data" / "german_credit.csv").head(3)


@pytest.fixture(scope="module")
def credit():
    """What LightGBM itself says: its booster, and rows as it wants them."""
    booster = lightgbm.Booster(model_file=MODELS / "german_credit" / "german_credit.txt")

    def coded(frame):
        frame = frame[booster.feature_name()].copy()
        texts = [name for name in frame if not pd.api.types.is_numeric_dtype(frame[name])]
        for name, categories in zip(texts, booster.pandas_categorical, strict=True):
            frame[name] = pd.Categorical(frame[name], categories)
        return frame

    return booster, coded


@pytest.fixture(scope="module")
def client(server):
    client = triton.InferenceServerClient(server.host)
    yield client
    client.close()


def test_inference_clients_learn_what_is_served(client):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("mnist_cnn") and client.is_model_ready("mnist_cnn", "1")
    assert client.get_server_metadata()["name"] == "pellucid"
    inputs = client.get_model_metadata("mnist_cnn")["inputs"]
    assert inputs == [{"name": "image", "datatype": "FP32", "shape": [-1, 1, 28, 28]}]
    states = {model["name"]: model["state"] for model in client.get_model_repository_index()}
    assert states["german_credit"] == "READY"
    with pytest.raises(triton.InferenceServerException, match="no model"):
        client.get_model_metadata("none")


@pytest.mark.parametrize("in_binary", [True, False])
@pytest.mark.parametrize("out_binary", [True, False])
def test_inference_clients_get_what_the_network_gives(client, digits, in_binary, out_binary):
    tensor = triton.InferInput("image", list(digits.shape), "FP32")
    tensor.set_data_from_numpy(digits, binary_data=in_binary)
    wanted = [triton.InferRequestedOutput("logits", binary_data=out_binary)]
    answer = client.infer("mnist_cnn", [tensor], outputs=wanted, request_id="digits", model_version="1")
    session = onnxruntime.InferenceSession(str(MODELS / "mnist_cnn.onnx"), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(answer.as_numpy("logits"), session.run(None, {"image": digits})[0], rtol=1e-4, atol=1e-4)
    assert answer.get_response()["id"] == "digits"


@pytest.mark.parametrize("binary", [True, False])
def test_inference_clients_send_a_tensor_for_each_column(client, applicants, credit, binary):
    booster, coded = credit
    inputs = []
    for name in booster.feature_name():
        is_text = not pd.api.types.is_numeric_dtype(applicants[name])
        column = applicants[name].to_numpy(object if is_text else np.float64)
        tensor = triton.InferInput(name, [len(column), 1], "BYTES" if is_text else "FP64")
        tensor.set_data_from_numpy(column[:, None], binary_data=binary)
        inputs.append(tensor)
    answer = client.infer("german_credit", inputs).as_numpy("predict")
    np.testing.assert_allclose(answer[:, 0], booster.predict(coded(applicants)), rtol=1e-12)


# As KServe's documentation has its users call.
def test_v1_predicts_and_explains_and_the_record_is_proven(server, applicants, credit, tmp_path):
    booster, coded = credit
    instances = json.loads(applicants[booster.feature_name()].to_json(orient="records"))
    predictions = server.json("/v1/models/german_credit:predict", {"instances": instances})["predictions"]
    np.testing.assert_allclose(predictions, booster.predict(coded(applicants)), rtol=1e-12)

    explanations = server.json("/v1/models/german_credit:explain", {"instances": instances})["explanations"]
    contributions = booster.predict(coded(applicants), pred_contrib=True)
    for explanation, expected in zip(explanations, contributions, strict=True):
        np.testing.assert_allclose(explanation["values"], expected[:-1], atol=1e-6)
        assert explanation["base_value"] == pytest.approx(expected[-1], abs=1e-6)

    index = explanations[0]["record_index"]
    record = server.json(f"/v1/records/{index}")
    assert record["entry"]["method"] == "tree_shap"
    assert record["payload"]["attribution"][0]["values"] == explanations[0]["values"]
    proof = tmp_path / "entry.tlog-proof"
    proof.write_bytes(server.request(f"/v1/records/{index}/proof")[2])
    assert f"entry {index} is among" in proven(server, proof)
    # The proof is of this entry: of another it says no.
    other = explanations[1]["record_index"]
    proof.write_text(proof.read_text().replace(f"index {index}\n", f"index {other}\n"))
    with pytest.raises(subprocess.CalledProcessError):
        proven(server, proof)


def proven(server, proof):
    with sqlite3.connect(f"file:{server.log}?mode=ro", uri=True) as log:
        key = dict(log.execute("SELECT name, value FROM about"))["key"]
    return server.cli("log", "verify", server.log, "--proof", proof, "--key", key)


def test_errors_say_what_is_wrong(server):
    with pytest.raises(urllib.error.HTTPError) as refused:
        server.json("/v1/models/german_credit:predict", {"instances": [{"no_such_column": 1}]})
    assert refused.value.code == 400 and "no_such_column" in json.load(refused.value)["error"]


def test_what_was_accepted_is_in_the_log_after_sigterm(tmp_path, digits):
    rows = np.concatenate([digits + step / 50 for step in range(8)])
    wish = {"method": "integrated_gradients", "options": {"n_steps": 32}}
    asked = {"model": "mnist_cnn", "instances": rows.tolist(), "parameters": wish}
    with Running(tmp_path) as server:
        status, _, job = server.request("/v1/explanations", asked)
        assert status == 202 and json.loads(job)["status"] in ("queued", "running")
        ages = {"instances": [{"age": age} for age in range(40)]}
        _, headers, _ = server.request("/v1/models/german_credit:predict", ages)
        assert headers["X-Explanations-Queued"] == "40"
        assert server.stop() == 0
        said = server.cli("log", "verify", server.log)
        assert re.search(r"entries\s+64,", said) and "nothing is wrong" in said


# Rows of a network that were explained in one call are told apart from those that were explained alone: last bits differ.
def test_records_of_batches_are_replayed_to_the_byte(tmp_path, digits, applicants, credit):
    rows = np.concatenate([digits + step / 50 for step in range(3)])[:7]
    columns = credit[0].feature_name()
    instances = json.loads(applicants[columns].to_json(orient="records"))
    with Running(tmp_path) as server:
        images = {"instances": rows.tolist(), "parameters": {"options": {"n_steps": 8}}}
        answers = [
            server.json("/v1/models/mnist_cnn:explain", images)["explanations"],
            server.json("/v1/models/german_credit:explain", {"instances": instances})["explanations"],
        ]
        files = [MODELS / "mnist_cnn.onnx", MODELS / "german_credit" / "german_credit.txt"]
        for explanations, file in zip(answers, files, strict=True):
            for explanation in (explanations[0], explanations[-1]):
                said = server.cli("log", "replay", server.log, explanation["record_index"], "--model", file)
                assert "same bytes" in said
        run = server.json(f"/v1/records/{answers[0][-1]['record_index']}")["payload"]["details"]["run"]
        assert (run["rows"], run["row"]) == (7, 6)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_signal_during_the_start_ends_it_in_order(tmp_path):
    os.mkfifo(tmp_path / "tokens", 0o600)
    server = Running(tmp_path, "--tokens", tmp_path / "tokens")
    try:
        # It waits here for somebody who writes its tokens.
        with (tmp_path / "tokens").open("w") as tokens:
            server.process.send_signal(signal.SIGTERM)
            tokens.write(f"monitor read {'0' * 64}\n")
        assert server.process.wait(timeout=60) == 0
        assert "listening at" in server.process.stdout.read()
    finally:
        server.__exit__()


def test_texts_are_predicted_and_explained_and_replayed(server, client):
    texts = ["Alice looked at the Mock", "There was a table set out under"]
    tensor = triton.InferInput("text", [2], "BYTES")
    tensor.set_data_from_numpy(np.array(texts, object))
    output = client.get_model_metadata("glasslm_en")["outputs"][0]
    predicted = client.infer("glasslm_en", [tensor]).as_numpy(output["name"])
    assert list(predicted.shape) == [2, output["shape"][1]]
    explanations = server.json("/v1/models/glasslm_en:explain", {"instances": texts})["explanations"]
    for text, explanation, outputs in zip(texts, explanations, predicted, strict=True):
        assert explanation["words"] == text.split()
        assert explanation["target"]["index"] == outputs.argmax()
        assert explanation["output"] == pytest.approx(outputs.max(), rel=1e-4)
    index = explanations[1]["record_index"]
    options = ["--model", MODELS / "glasslm_en.onnx", "--", "--tokenizer", MODELS / "glasslm_en_tokenizer.json"]
    assert "same bytes" in server.cli("log", "replay", server.log, index, *options)


def test_what_was_accepted_survives_kill_9(tmp_path, digits):
    rows = np.concatenate([digits + step / 50 for step in range(8)])
    wish = {"method": "integrated_gradients", "options": {"n_steps": 128}}
    asked = {"model": "mnist_cnn", "instances": rows.tolist(), "parameters": wish}
    with Running(tmp_path) as server:
        status, _, job = server.request("/v1/explanations", asked)
        server.kill()
    assert status == 202
    job = json.loads(job)["job_id"]
    accepted = server.log.with_name(server.log.name + ".accepted")
    assert [path.name for path in accepted.iterdir()] == [f"{job}.json"]
    with Running(tmp_path) as server:
        while server.json(f"/v1/jobs/{job}")["status"] not in ("done", "failed", "canceled"):
            time.sleep(0.05)
        assert server.json(f"/v1/explanations/{job}")["progress"]["n_recorded"] == 24
        assert server.stop() == 0
        assert re.search(r"entries\s+24,", server.cli("log", "verify", server.log))
