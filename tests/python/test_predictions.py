"""Explanations by predictions alone: of functions, served models, networks and trees."""

import contextlib
import itertools
import json
import os
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pandas
import polars
import pytest

import pellucid

BINARY = "fixtures/trees/lightgbm/binary.txt"
MNIST = "fixtures/models/mnist_cnn.onnx"
WEIGHTS = np.array([1.0, -2.0, 3.0])
ROWS = np.random.default_rng(1).normal(size=(4, 3))
BACKGROUND = np.random.default_rng(2).normal(size=(20, 3))
SHAPLEY = ["kernel-shap", "exact-shap", "permutation-shap", "sampling-shap", "owen"]


def linear(rows):
    return rows @ WEIGHTS + 0.5


def two(rows):
    return np.stack([linear(rows), rows[:, 0] * rows[:, 1]], axis=1)


@pytest.mark.parametrize(
    ("option", "call"),
    [
        ("output", lambda: pellucid.load(linear, input_shape=(3,), output="scores")),
        ("explain_probability", lambda: pellucid.load(linear, input_shape=(3,), explain_probability=True)),
        ("start", lambda: pellucid.load(linear, input_shape=(3,), start="x")),
        ("fixed", lambda: pellucid.load(linear, input_shape=(3,), fixed={"x": [1.0]})),
        ("runtime", lambda: pellucid.load(linear, input_shape=(3,), runtime="rten")),
        ("threads", lambda: pellucid.load(linear, input_shape=(3,), threads=2)),
        ("token", lambda: pellucid.load(linear, input_shape=(3,), token="secret")),
        ("token", lambda: pellucid.load(BINARY, token="secret")),
        ("timeout", lambda: pellucid.load(BINARY, timeout=3.0)),
        ("timeout", lambda: pellucid.load(open(MNIST, "rb").read(), timeout=3.0)),
        ("runtime", lambda: pellucid.load("http://host/v2/models/NAME", runtime="rten")),
        ("explain_probability", lambda: pellucid.load("http://host/v2/models/NAME", explain_probability=True)),
        ("explain_probability", lambda: pellucid.TextModel(lambda texts: [1.0] * len(texts), explain_probability=True)),
        ("output_space", lambda: pellucid.explain(linear, ROWS, baseline=0, output_space="probability")),
        ("output_space", lambda: pellucid.effects(linear, ROWS, "Feature 0", output_space="margin")),
        ("output_space", lambda: pellucid.surrogate_tree(linear, ROWS, output_space="probability")),
        ("output_space", lambda: pellucid.counterfactuals(linear, ROWS, BACKGROUND, (0, None), output_space="margin")),
    ],
)
def test_what_does_not_apply_is_refused_by_name(option, call):
    with pytest.raises(pellucid.InputError, match=f"^{option}: "):
        call()


def test_the_space_of_a_function_may_be_said():
    found = pellucid.explain(linear, ROWS, background=BACKGROUND, output_space="value")
    assert found.output_space == "value"


def test_permuted_features_have_the_values_of_the_other_rows():
    def function(rows):
        return np.stack([rows[:, 0] * rows[:, 1] + rows[:, 2] ** 2, rows[:, 2]], axis=1)

    groups = np.array([0, 0, 1])
    e = pellucid.explain(function, ROWS, "feature-permutation", target="all", feature_groups=groups, n_samples=2000, seed=3)
    assert (e.method, e.values.shape, e.base_values, e.convergence_delta) == ("feature_permutation", (4, 2, 2), None, None)
    assert e.feature_sets == [[0, 1], [2]]
    # Every row meets every row as often.
    whole = function(ROWS)
    for group in range(2):
        mixed = np.where(groups == group, ROWS[None], ROWS[:, None])
        expected = whole - function(mixed.reshape(-1, 3)).reshape(4, 4, 2).mean(axis=1)
        gap = np.abs(e.values[:, group] - expected)
        assert (gap <= 4.5 * e.standard_error[:, group] + 1e-12).all()
    options = {"method": "feature_permutation", "target": 0, "n_samples": 5}
    assert np.array_equal(*(pellucid.explain(function, ROWS, batch_size=n, **options).values for n in (3, 100)))
    alone = pellucid.explain(linear, ROWS, **options)
    np.testing.assert_allclose(alone.values.sum(axis=0), 0, atol=1e-9)
    assert (alone.parameters["n_samples"], set(alone.evaluations)) == (5, {16})


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("one row alone", lambda: pellucid.explain(linear, ROWS[:1], "feature_permutation")),
        ("baseline: feature_permutation", lambda: pellucid.explain(linear, ROWS, "feature_permutation", baseline=0)),
        ("background: feature_permutation", lambda: pellucid.explain(linear, ROWS, "feature_permutation", background=ROWS)),
        ("at least 2 permutations", lambda: pellucid.explain(linear, ROWS, "feature_permutation", n_samples=1)),
        ("max_evaluations: feature_permutation has no", lambda: pellucid.explain(linear, ROWS, "feature_permutation", max_evaluations=9)),
        ("of a text", lambda: pellucid.explain(lambda texts: [float(len(t)) for t in texts], "a b", "feature_permutation")),
        ("method: feature_permutation", lambda: pellucid.explain_stream(linear, [], "feature-permutation")),
    ],
)
def test_what_cannot_be_permuted_is_refused(text, call):
    with pytest.raises(pellucid.InputError, match=text):
        call()


EMPTY = pandas.DataFrame({"a": [], "b": []})


@pytest.mark.parametrize(
    ("option", "call"),
    [
        ("feature_groups", lambda: pellucid.explain(linear, ROWS, baseline=0, feature_groups=["a", "b", "c"])),
        ("feature_groups", lambda: pellucid.explain(linear, ROWS, baseline=0, feature_groups=[[0], [1, 2]])),
        ("feature_groups", lambda: pellucid.explain(linear, ROWS, baseline=0, feature_groups=[0.5, 1, 2])),
        ("feature_groups", lambda: pellucid.explain(linear, ROWS, baseline=0, feature_groups=[0, 1])),
        ("feature_groups", lambda: pellucid.importance(linear, ROWS, ROWS[:, 0], feature_groups=[0, 1, 2])),
        ("baseline", lambda: pellucid.explain(linear, ROWS, baseline=["a", "b"])),
        ("background", lambda: pellucid.explain(linear, ROWS, background=ROWS[:0])),
        ("background", lambda: pellucid.explain(linear, ROWS, background=[[1.0, 2.0]])),
        ("background_weights", lambda: pellucid.explain(linear, ROWS, background=ROWS, background_weights=[1.0, 2.0])),
        ("labels", lambda: pellucid.importance(linear, ROWS, [[1], [2, 3]])),
        ("X", lambda: pellucid.importance(linear, None, [1.0])),
        ("target", lambda: pellucid.explain(linear, ROWS, baseline=0, target={"x": 1})),
        ("target", lambda: pellucid.explain(linear, ROWS, baseline=0, target={0: "x"})),
        ("target", lambda: pellucid.explain(MNIST, np.zeros((1, 1, 28, 28)), target={"cosine": "abc"})),
        ("seed", lambda: pellucid.explain(linear, ROWS, baseline=0, seed=-1)),
        ("batch_size", lambda: pellucid.explain(linear, ROWS, baseline=0, batch_size=-1)),
        ("max_memory", lambda: pellucid.explain(linear, ROWS, baseline=0, max_memory="much")),
        ("method", lambda: pellucid.explain(linear, ROWS, 3, baseline=0)),
        ("input: there are no rows", lambda: pellucid.explain(pellucid.load(linear, input_shape=(3,)), ROWS[:0], baseline=0)),
        ("example_inputs", lambda: pellucid.explain(lambda frame: frame["a"], EMPTY, baseline=0)),
        ("example_inputs", lambda: pellucid.load(lambda frame: frame["a"], example_inputs=EMPTY)),
        ("rows", lambda: pellucid.explain(pellucid.load(linear, input_shape=(3,)), np.zeros((2, 4)), baseline=0)),
        ("input_shape", lambda: pellucid.load(linear, input_shape=3)),
        ("output_names", lambda: pellucid.load(linear, input_shape=(3,), output_names=3)),
        ("fixed", lambda: pellucid.load(MNIST, fixed=3)),
        ("threads", lambda: pellucid.load(MNIST, threads=-1)),
    ],
)
def test_what_cannot_be_is_refused_by_the_options_name(option, call):
    with pytest.raises(pellucid.InputError, match=rf"^(option `)?{option}\b"):
        call()


@pytest.mark.parametrize("method", SHAPLEY)
def test_a_linear_function_has_its_exact_values(method):
    e = pellucid.explain(linear, ROWS, method, background=BACKGROUND)
    np.testing.assert_allclose(e.values, WEIGHTS * (ROWS - BACKGROUND.mean(axis=0)), atol=1e-9)
    np.testing.assert_allclose(e.outputs, linear(ROWS))
    np.testing.assert_allclose(e.base_values, linear(BACKGROUND).mean())
    assert e.method == method.replace("-", "_") and abs(e.convergence_delta).max() < 1e-9


@pytest.mark.parametrize("method", ["exact_shap", "kernel_shap"])
def test_trees_have_the_values_of_interventional_tree_shap(method):
    rows, background = np.random.default_rng(3).normal(size=(2, 6, 5))
    exact = pellucid.explain(BINARY, rows, background=background)
    found = pellucid.explain(BINARY, rows, method, background=background)
    np.testing.assert_allclose(found.values, exact.values, atol=1e-6)
    np.testing.assert_allclose(found.base_values, exact.base_values, atol=1e-6)
    model = pellucid.load(BINARY)
    called = pellucid.explain(lambda rows: model.outputs(rows), rows, method, background=background)
    np.testing.assert_allclose(called.values, exact.values, atol=1e-6)


def test_a_function_may_explain_something_itself_on_one_thread():
    model = pellucid.load(BINARY)
    rows = np.zeros((2, 5))
    own = pellucid.explain(BINARY, rows, "exact-shap", baseline=1.0, threads=1)
    found = pellucid.explain(lambda rows: model.outputs(rows), rows, "exact-shap", baseline=1.0, threads=1)
    np.testing.assert_allclose(found.values, own.values)


def test_methods_that_perturb_give_what_is_lost():
    ones = np.ones((2, 3))
    ablated = pellucid.explain(linear, ones, "feature-ablation", baseline=0)
    np.testing.assert_allclose(ablated.values, [WEIGHTS] * 2)
    occluded = pellucid.explain(linear, ones, "occlusion", baseline=0, window=1)
    np.testing.assert_allclose(occluded.values, [WEIGHTS] * 2)
    lime = pellucid.explain(linear, ROWS, "lime", background=BACKGROUND)
    assert (np.sign(lime.values).shape, lime.base_values) == ((4, 3), None)
    image = np.zeros((1, 1, 28, 28), np.float32)
    assert pellucid.explain(MNIST, image, "rise", n_samples=20).values.shape == (1, 1, 28, 28)
    assert pellucid.explain(MNIST, image, "occlusion", window=(14, 14), strides=(7, 7)).values.shape == (1, 1, 28, 28)
    assert pellucid.explain(MNIST, image, "kernel-shap", segments="grid:3").values.shape == (1, 1, 28, 28)


def test_targets_and_their_shapes():
    options = {"background": BACKGROUND}
    assert pellucid.explain(two, ROWS, "exact-shap", "all", **options).values.shape == (4, 3, 2)
    assert pellucid.explain(linear, ROWS, "exact-shap", "all", **options).values.shape == (4, 3)
    of_second = pellucid.explain(two, ROWS, "exact-shap", 1, **options)
    assert of_second.values.shape == (4, 3)
    model = pellucid.load(two, input_shape=(3,), output_names=["sum", "product"], feature_names=["a", "b", "c"])
    named = pellucid.explain(model, ROWS, "exact-shap", "product", **options)
    assert np.array_equal(named.values, of_second.values)
    assert (named.feature_names, named.output_names, model.kind) == (["a", "b", "c"], ["sum", "product"], "function")
    assert model.outputs(ROWS).shape == (4, 2)


def test_groups_are_absent_together():
    named = pellucid.explain(linear, ROWS, "exact-shap", background=BACKGROUND, feature_groups="0+2")
    numbered = pellucid.explain(linear, ROWS, "exact-shap", background=BACKGROUND, feature_groups=[0, 1, 0])
    assert named.feature_sets == numbered.feature_sets == [[0, 2], [1]]
    own = WEIGHTS * (ROWS - BACKGROUND.mean(axis=0))
    np.testing.assert_allclose(numbered.values, np.stack([own[:, 0] + own[:, 2], own[:, 1]], axis=1))


@pytest.mark.parametrize("baseline", [0.5, [0.5] * 3, np.full((4, 3), 0.5), "value:0.5"])
def test_baselines_are_a_number_a_row_or_one_for_each_row(baseline):
    e = pellucid.explain(linear, ROWS, "exact-shap", baseline=baseline)
    np.testing.assert_allclose(e.values, WEIGHTS * (ROWS - 0.5))


def test_log_odds_are_shared_out():
    def probability(rows):
        return 1 / (1 + np.exp(-linear(rows)))

    e = pellucid.explain(probability, ROWS, "kernel-shap", baseline=0, link="logit")
    np.testing.assert_allclose(e.values, WEIGHTS * ROWS, atol=1e-8)
    assert e.output_space == "log_odds"


def test_functions_get_data_frames_where_the_example_is_one():
    train = pandas.DataFrame(BACKGROUND, columns=["a", "b", "c"])
    seen = []

    def of_frame(frame):
        seen.append(type(frame))
        return frame["a"] - 2 * frame["b"] + 3 * frame["c"]

    model = pellucid.load(of_frame, example_inputs=train)
    turned = pandas.DataFrame(ROWS, columns=["a", "b", "c"])[["c", "a", "b"]]
    e = pellucid.explain(model, turned, "exact-shap", background=train)
    np.testing.assert_allclose(e.values, WEIGHTS * (ROWS - BACKGROUND.mean(axis=0)))
    assert set(seen) == {pandas.DataFrame} and e.feature_names == ["a", "b", "c"]
    with pytest.raises(pellucid.InputError, match="the function takes"):
        pellucid.explain(model, turned.rename(columns={"a": "x"}), background=train)
    table = polars.DataFrame(ROWS, schema=["a", "b", "c"])
    found = pellucid.explain(lambda frame: frame["a"] * 2, table, "exact-shap", baseline=0)
    np.testing.assert_allclose(found.values[:, 0], 2 * ROWS[:, 0])


def test_the_same_seed_gives_the_same_bytes_in_any_batches():
    def bumpy(rows):
        return np.tanh(rows[:, 0] * rows[:, 1]) + np.abs(rows).sum(axis=1)

    rows, background = np.random.default_rng(4).normal(size=(2, 3, 12))
    options = {"background": background, "max_evaluations": 300, "progress": False}
    found = [
        pellucid.explain(bumpy, rows, "kernel-shap", seed=seed, batch_size=size, **options).values.tobytes()
        for seed, size in [(1, None), (1, 7), (2, None)]
    ]
    assert found[0] == found[1] != found[2]


def test_batches_are_bounded():
    sizes = []

    def counted(rows):
        sizes.append(len(rows))
        return rows[:, 0]

    pellucid.explain(counted, ROWS, "exact-shap", background=BACKGROUND, batch_size=16)
    assert max(sizes) <= 16


class Odd(Exception):
    """An exception that only the test knows."""


def failing(answer, at):
    """Answers like `linear` until the batch `at`."""
    calls = itertools.count()

    def predict(rows):
        return answer(rows) if next(calls) >= at else linear(rows)

    return predict


def raises(error):
    def answer(rows):
        raise error

    return answer


def test_what_a_function_raises_comes_out_as_it_is():
    error = Odd("half-way")
    with pytest.raises(Odd) as caught:
        pellucid.explain(failing(raises(error), 3), ROWS, background=BACKGROUND, batch_size=8)
    assert caught.value is error
    assert any(entry.name == "answer" for entry in caught.traceback)
    with pytest.raises(KeyboardInterrupt):
        pellucid.explain(failing(raises(KeyboardInterrupt), 3), ROWS, background=BACKGROUND, batch_size=8)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (lambda rows: linear(rows) * np.nan, "NaN at"),
        (lambda rows: linear(rows) / 0 * np.sign(linear(rows)), "inf"),
        (lambda rows: linear(rows)[1:], "shape"),
        (lambda rows: np.zeros((len(rows), 3)), r"\[rows, 1\]"),
        (lambda rows: np.zeros((len(rows), 1, 1)), r"\[rows, 1\]"),
        (lambda rows: ["a"] * len(rows), "no numbers"),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero")
def test_answers_that_are_none_are_refused(answer, text):
    with pytest.raises(pellucid.InputError, match=text) as caught:
        pellucid.explain(failing(answer, 2), ROWS, background=BACKGROUND, batch_size=8)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: pellucid.explain(linear, ROWS), "background"),
        (lambda: pellucid.explain(linear, ROWS, background=BACKGROUND, baseline=0), "not both"),
        (lambda: pellucid.explain(linear, ROWS, background=np.zeros((2, 4))), "shape|expected"),
        (lambda: pellucid.explain(linear, ROWS, background=BACKGROUND, n_steps=3), "n_steps"),
        (lambda: pellucid.explain(linear, ROWS, "exact-shap", background=BACKGROUND, window=3), "window"),
        (lambda: pellucid.explain(linear, ROWS, "lime", background=BACKGROUND, link="logit"), "link"),
        (lambda: pellucid.explain(linear, ROWS, "saliency", background=BACKGROUND), "no method `saliency`"),
        (lambda: pellucid.explain(linear, ROWS, 5, background=BACKGROUND), "method|str"),
        (lambda: pellucid.explain(linear, ROWS, "exact-shap", baseline=np.zeros((2, 3))), "one for each row"),
        (lambda: pellucid.explain(linear, ROWS, "exact-shap", target=7, background=BACKGROUND), "out of range"),
        (lambda: pellucid.explain(linear, ROWS, baseline=0, feature_groups=[0, 2, 0]), "group 1"),
        (lambda: pellucid.explain(linear, ROWS, baseline=0, background_weights=[1.0]), "background_weights"),
        (lambda: pellucid.load(linear, input_shape=(3,), output_names=["a", "b"]), "2 names for 1"),
        (lambda: pellucid.load(linear, input_shape=(3,), example_inputs=np.zeros((2, 5))), "example_inputs"),
        (lambda: pellucid.explain(pellucid.load(linear, input_shape=(3,)), np.zeros((2, 4)), baseline=0), "shape|expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, text):
    with pytest.raises((pellucid.Error, TypeError), match=text):
        call()


def test_only_predictions_are_known_of_a_function():
    model = pellucid.load(linear, input_shape=(3,))
    for call in (pellucid.inspect, pellucid.importance, lambda m: pellucid.compile(m)):
        with pytest.raises(pellucid.UnsupportedError):
            call(model)


def test_ctrl_c_stops_a_function():
    def slow(rows):
        time.sleep(0.02)
        return rows[:, 0]

    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    started = time.time()
    with pytest.raises(KeyboardInterrupt):
        pellucid.explain(slow, ROWS, "sampling-shap", background=BACKGROUND, batch_size=1)
    assert time.time() - started < 5


def test_a_journal_goes_on_where_a_failure_was(tmp_path):
    path, asked = tmp_path / "journal", []

    def counted(rows):
        asked.append(len(rows))
        return linear(rows)

    def dying(rows):
        if len(asked) > 10:
            raise Odd
        return counted(rows)

    model = pellucid.load(counted, input_shape=(3,))
    dying.__qualname__ = counted.__qualname__
    options = {"background": BACKGROUND, "batch_size": 8, "journal": path}
    with pytest.raises(Odd):
        pellucid.explain(pellucid.load(dying, input_shape=(3,)), ROWS, "exact-shap", **options)
    kept = len(asked)
    whole = pellucid.explain(model, ROWS, "exact-shap", **options)
    np.testing.assert_allclose(whole.values, WEIGHTS * (ROWS - BACKGROUND.mean(axis=0)))
    n_asked = len(asked)
    pellucid.explain(model, ROWS, "exact-shap", **options)
    assert len(asked) == n_asked > kept
    with pytest.raises(pellucid.InputError, match="another model"):
        pellucid.explain(lambda rows: -linear(rows), ROWS, "exact-shap", **options)


def test_explanations_of_functions_are_kept_and_drawn(tmp_path):
    e = pellucid.explain(linear, ROWS, background=BACKGROUND)
    e.save(tmp_path / "e.npz")
    assert np.array_equal(pellucid.Explanation.load(tmp_path / "e.npz").values, e.values)
    assert e.plot.waterfall(0).svg().startswith("<svg")


@pytest.mark.parametrize("method", ["kernel-shap", "permutation-shap", "lime", "owen"])
def test_networks_and_trees_are_explained_as_by_the_command(cli, tmp_path, method):
    rows, background = np.random.default_rng(5).normal(size=(2, 3, 5))
    for name, array in [("rows", rows), ("background", background)]:
        np.save(tmp_path / f"{name}.npy", array)
    arguments = ["--method", method, "--background", tmp_path / "background.npy", "--target", "all", "--json"]
    theirs = json.loads(cli("explain", BINARY, tmp_path / "rows.npy", *arguments))
    ours = json.loads(pellucid.explain(BINARY, rows, method, "all", background=background).to_json())
    for row in theirs["inputs"]:
        row["file"] = ""
    theirs["parameters"]["background"] = "array"
    assert ours == theirs


# A served model.


class Served(BaseHTTPRequestHandler):
    asked: list = []

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.answer({
            "name": "credit", "versions": ["1"], "platform": "test",
            "inputs": [{"name": "x", "datatype": "FP64", "shape": [-1, 3]}],
            "outputs": [{"name": "y", "datatype": "FP64", "shape": [-1, 1]}],
        })  # fmt: skip

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append((self.headers.get("Authorization"), body))
        rows = np.array(body["inputs"][0]["data"], dtype=float).reshape(body["inputs"][0]["shape"])
        data = linear(rows).tolist()
        self.answer({
            "model_name": "credit",
            "outputs": [{"name": "y", "datatype": "FP64", "shape": [len(rows), 1], "data": data}],
        })  # fmt: skip

    def answer(self, document):
        text = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextlib.contextmanager
def served():
    server = HTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v2/models/credit"
    finally:
        server.shutdown()
        server.server_close()


def test_a_served_model_is_explained():
    with served() as address:
        model = pellucid.load(address, token="secret", timeout=5, feature_names=["a", "b", "c"])
        assert (model.kind, model.name, model.input_shape, model.n_outputs) == ("endpoint", "credit", (3,), 1)
        e = pellucid.explain(model, ROWS, "exact-shap", background=BACKGROUND)
        np.testing.assert_allclose(e.values, WEIGHTS * (ROWS - BACKGROUND.mean(axis=0)), atol=1e-9)
        assert e.feature_names == ["a", "b", "c"] and any("served" in warning for warning in e.warnings)
        np.testing.assert_allclose(model.outputs(ROWS)[:, 0], linear(ROWS))
        assert Served.asked[-1][0] == "Bearer secret"
        assert pellucid.explain(address, ROWS, background=BACKGROUND).method == "kernel_shap"
    for call in (lambda: pellucid.load(address, timeout=0.0), lambda: pellucid.load(address, timeout=0.2)):
        with pytest.raises(pellucid.Error):
            call()


def test_pairs_have_a_matrix_a_row():
    rows = np.array([[2.0, 4.0, 1.0], [1.0, 3.0, 5.0]])
    e = pellucid.explain(lambda x: x[:, 0] * x[:, 1] + 3 * x[:, 2], rows, "pairwise-interactions", baseline=0)
    assert e.values.shape == (2, 3, 3)
    assert np.allclose(e.values[0], [[0, 4, 0], [4, 0, 0], [0, 0, 3]])
    assert np.allclose(e.values.sum(axis=(1, 2)) + e.base_values, e.outputs)
    with pytest.raises(pellucid.InputError, match="sii, k-sii, faith-shap"):
        pellucid.explain(lambda x: x[:, 0], rows, "pairwise-interactions", baseline=0, index="stii")


def test_series_have_stretches_of_each_channel():
    series = np.stack([np.arange(12.0), np.ones(12)], axis=1)[None]
    e = pellucid.explain(
        lambda x: x[:, 6:, 0].sum(axis=1), series, "exact-shap", segments=2, channels="apart", baseline="channel-means"
    )
    # The second half of channel 0 is worth its sum less what its mean makes; the constant channel nothing.
    assert np.allclose(e.values[0, 6:, 0], 6 * (8.5 - 5.5)) and np.allclose(e.values[0, :6], 0) and np.allclose(e.values[0, :, 1], 0)
    lying = pellucid.explain(
        lambda x: x[:, 0, 6:].sum(axis=1),
        series.transpose(0, 2, 1),
        "exact-shap",
        segments="stretches:2",
        channels="apart",
        baseline="channel-means",
    )
    assert np.allclose(lying.values[0].T, e.values[0]) and "<svg" in e.plot.series().svg()
    with pytest.raises(pellucid.InputError, match="together, apart"):
        pellucid.explain(lambda x: x[:, 0, 0], series, "lime", segments=2, channels="alone")
    with pytest.raises(pellucid.InputError, match="no series"):
        pellucid.explain(lambda x: x[:, 0], np.ones((1, 3)), "lime", baseline=0).plot.series()
