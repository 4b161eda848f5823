"""captum's gradient methods under captum's names: the papers' answers, captum's own numbers, and captum's arguments."""

import numpy as np
import pytest
from tiny_onnx import network

import pellucid
from pellucid.captum import InputXGradient, IntegratedGradients, Saliency

# Sundararajan et al. 2017, section 3: 1 − relu(1 − x) is flat where x > 1, and so is its gradient.
FLATTENED = network(["a = Sub(one, x)", "b = Relu(a)", "y = Sub(one, b)"], 1, {"one": [1.0]})
# Their appendix, figure 3: relu(relu(x₁) − 1 − relu(x₂)).
NESTED = network(
    ["a = Relu(x)", "b = MatMul(a, w)", "c = Sub(b, one)", "y = Relu(c)"], 2, {"w": [[1.0], [-1.0]], "one": [1.0]}
)
WEIGHTS = np.array([[3.0, -1.0], [-2.0, 0.5], [0.25, 4.0]])
LINEAR = network(["a = MatMul(x, w)", "y = Add(a, b)"], 3, {"w": WEIGHTS, "b": [0.5, -7.0]})
# f_k = Σ_i w_ik x_i², whose integrated gradients from 0 are w_ik x_i².
SQUARES = network(["a = Mul(x, x)", "y = MatMul(a, w)"], 3, {"w": WEIGHTS})
# One output, and it is linear: x₁ − 2 x₂.
SINGLE = network(["y = MatMul(x, w)"], 2, {"w": [[1.0], [-2.0]]})
PROBABILITY = network(["a = MatMul(x, w)", "y = Sigmoid(a)"], 2, {"w": [[1.0], [-2.0]]})
ROWS = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0], [2.0, 2.0, 2.0], [-0.5, 0.1, 4.0]], np.float32)
# Networks whose integrated gradients captum 0.9 computed.
RECORDED = ["mlp", "cnn1d", "resnet", "squeezenet", "mobilenet_v3", "vit"]


def recorded(name):
    return f"fixtures/gradients/{name}.script.onnx", np.load(f"fixtures/gradients/{name}.npz")


def distance(found, expected):
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


def close(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


# The papers' answers.


def test_a_gradient_is_blind_where_the_output_is_flat_and_integrated_gradients_are_not():
    rows = np.array([[2.0]], np.float32)
    assert Saliency(FLATTENED).attribute(rows).tolist() == [[0.0]]
    close(IntegratedGradients(FLATTENED).attribute(rows, n_steps=500), [[1.0]], 5e-3)


@pytest.mark.parametrize(("row", "expected"), [([3.0, 1.0], [1.5, -0.5]), ([3.0, 0.0], [2.0, 0.0])])
def test_the_papers_nested_relus(row, expected):
    rows = np.array([row], np.float32)
    attributions, delta = IntegratedGradients(NESTED).attribute(rows, n_steps=1000, return_convergence_delta=True)
    close(attributions, [expected], 2e-3)
    assert abs(delta[0]) < 2e-3


@pytest.mark.parametrize("target", [0, 1])
def test_a_linear_model_is_its_own_explanation(target):
    expected = ROWS * WEIGHTS[:, target]
    close(InputXGradient(LINEAR).attribute(ROWS, target), expected)
    close(IntegratedGradients(LINEAR).attribute(ROWS, target=target), expected)
    gradients = np.broadcast_to(WEIGHTS[:, target], ROWS.shape)
    close(Saliency(LINEAR).attribute(ROWS, target), np.abs(gradients))
    close(Saliency(LINEAR).attribute(ROWS, target, abs=False), gradients)


def test_squares_are_integrated_exactly():
    attributions, delta = IntegratedGradients(SQUARES).attribute(ROWS, target=1, return_convergence_delta=True)
    close(attributions, ROWS**2 * WEIGHTS[:, 1])
    close(delta, np.zeros(4))


@pytest.mark.parametrize("method", ["gausslegendre", "riemann_left", "riemann_right", "riemann_middle"])
def test_rules_weigh_the_path_as_captums(method):
    n = 10
    # ∫ 2 α dα, of which the sums at the left and the right ends of ten pieces miss a tenth.
    share = {"riemann_left": 1 - 1 / n, "riemann_right": 1 + 1 / n}.get(method, 1.0)
    attributions = IntegratedGradients(SQUARES).attribute(ROWS, target=0, n_steps=n, method=method)
    close(attributions, share * ROWS**2 * WEIGHTS[:, 0])


def test_the_weights_of_the_trapezoid_sum_to_one():
    attributions = IntegratedGradients(LINEAR).attribute(ROWS, target=0, method="riemann_trapezoid")
    close(attributions, ROWS * WEIGHTS[:, 0])


# captum's own numbers.


@pytest.mark.parametrize("name", RECORDED)
def test_integrated_gradients_are_captums(name):
    model, expected = recorded(name)
    attributions, delta = IntegratedGradients(model).attribute(
        expected["input"], target=expected["target"], return_convergence_delta=True
    )
    assert distance(attributions, expected["ig_captum"]) < 1e-3
    scale = np.abs(expected["ig_captum"]).reshape(3, -1).sum(axis=1)
    assert (np.abs(delta - expected["ig_delta"]) < 1e-3 * scale).all()


@pytest.mark.parametrize("name", RECORDED)
def test_gradients_are_torchs(name):
    model, expected = recorded(name)
    rows, gradient, target = expected["input"], expected["gradient"], expected["target"].tolist()
    assert distance(Saliency(model).attribute(rows, target, abs=False), gradient) < 1e-3
    assert distance(InputXGradient(model).attribute(rows, target), rows * gradient) < 1e-3


# Inputs and what comes back.


@pytest.mark.parametrize("kind", [IntegratedGradients, Saliency, InputXGradient])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_attributions_have_the_shape_and_precision_of_the_inputs(kind, dtype):
    attributions = kind(LINEAR).attribute(ROWS.astype(dtype), target=0)
    assert attributions.shape == ROWS.shape and attributions.dtype == dtype
    attributions[0, 0] = 0.0  # they are the caller's own


def test_a_tuple_comes_back_as_a_tuple():
    alone = Saliency(LINEAR).attribute(ROWS, 0)
    (in_tuple,) = Saliency(LINEAR).attribute((ROWS,), 0)
    assert np.array_equal(in_tuple, alone)
    attributions, delta = IntegratedGradients(LINEAR).attribute(
        (ROWS,), baselines=(0.5,), target=0, return_convergence_delta=True
    )
    assert isinstance(attributions, tuple) and len(attributions) == 1
    assert isinstance(delta, np.ndarray) and delta.shape == (4,)


def test_whole_numbers_and_lists_are_taken():
    whole = Saliency(SQUARES).attribute(np.array([[1, 2, 3]]), 0, abs=False)
    assert np.array_equal(whole, Saliency(SQUARES).attribute([[1.0, 2.0, 3.0]], 0, abs=False))
    assert whole.dtype == np.float64


def test_inputs_stay_as_they_are():
    rows = ROWS.copy()
    IntegratedGradients(SQUARES).attribute(rows, baselines=rows[::-1], target=0)
    assert np.array_equal(rows, ROWS)


@pytest.mark.parametrize("of", ["path", "bytes", "model"])
def test_a_model_is_what_load_takes(of, tmp_path):
    path = tmp_path / "squares.onnx"
    path.write_bytes(SQUARES)
    model = {"path": path, "bytes": SQUARES, "model": pellucid.load(path)}[of]
    assert np.array_equal(Saliency(model).attribute(ROWS, 1), Saliency(SQUARES).attribute(ROWS, 1))


def test_attributions_are_those_of_explain():
    explanation = pellucid.explain(SQUARES, ROWS, "integrated_gradients", 1, n_steps=7)
    attributions = IntegratedGradients(SQUARES).attribute(ROWS.astype(np.float64), target=1, n_steps=7)
    assert np.array_equal(attributions, explanation.values)


# Targets.


@pytest.mark.parametrize(
    "target",
    [[0, 1, 1, 0], np.array([0, 1, 1, 0]), np.array([0, 1, 1, 0], np.int32), [(0,), (1,), (1,), (0,)]],
)
@pytest.mark.parametrize("kind", [IntegratedGradients, Saliency, InputXGradient])
def test_each_row_may_have_a_target_of_its_own(kind, target):
    method = kind(SQUARES)
    first, second = method.attribute(ROWS, target=0), method.attribute(ROWS, target=1)
    expected = np.where(np.array([[False], [True], [True], [False]]), second, first)
    close(method.attribute(ROWS, target=target), expected)


@pytest.mark.parametrize("target", [1, np.int64(1), (1,), np.array([1]), np.array(1)])
def test_one_target_is_for_all_rows(target):
    assert np.array_equal(Saliency(SQUARES).attribute(ROWS, target), Saliency(SQUARES).attribute(ROWS, [1] * 4))


def test_a_single_output_needs_no_target():
    rows = ROWS[:, :2]
    close(InputXGradient(SINGLE).attribute(rows), rows * [1.0, -2.0])
    assert np.array_equal(InputXGradient(SINGLE).attribute(rows, 0), InputXGradient(SINGLE).attribute(rows))


def test_a_final_sigmoid_is_left_out_unless_asked_for():
    rows = np.array([[1.0, 0.25]], np.float32)
    close(Saliency(PROBABILITY).attribute(rows, abs=False), [[1.0, -2.0]])
    p = 1 / (1 + np.exp(-0.5))
    model = pellucid.load(PROBABILITY, explain_probability=True)
    close(Saliency(model).attribute(rows, abs=False), [[p * (1 - p), -2 * p * (1 - p)]])


# Baselines.

OWN = ROWS[::-1] * np.float32(0.5)


@pytest.mark.parametrize(
    ("baselines", "expected"),
    [
        (None, np.zeros_like(ROWS)),
        (0, np.zeros_like(ROWS)),
        (1.5, np.full_like(ROWS, 1.5)),
        (np.float32(1.5), np.full_like(ROWS, 1.5)),
        (np.array(1.5), np.full_like(ROWS, 1.5)),
        ((1.5,), np.full_like(ROWS, 1.5)),
        (ROWS[0], np.tile(ROWS[0], (4, 1))),
        (ROWS[:1], np.tile(ROWS[0], (4, 1))),
        (ROWS[:1].tolist(), np.tile(ROWS[0], (4, 1))),
        (OWN, OWN),
        (OWN.astype(np.float64), OWN),
        ((OWN,), OWN),
    ],
    ids=["none", "0", "number", "scalar", "0-d", "in a tuple", "row", "1 row", "list", "each", "each f64", "each tuple"],
)
def test_baselines_are_a_number_a_row_or_one_a_row(baselines, expected):
    attributions, delta = IntegratedGradients(SQUARES).attribute(
        ROWS, baselines=baselines, target=0, return_convergence_delta=True
    )
    close(attributions, (ROWS**2 - expected**2) * WEIGHTS[:, 0])
    close(delta, np.zeros(4), 1e-4)


def test_a_row_with_its_baseline_is_explained_as_alone():
    whole = IntegratedGradients(SQUARES).attribute(ROWS, baselines=OWN, target=0)
    for row in range(4):
        alone = IntegratedGradients(SQUARES).attribute(ROWS[row : row + 1], baselines=OWN[row : row + 1], target=0)
        close(whole[row : row + 1], alone, 1e-6)


def test_inputs_at_their_baselines_have_attributions_of_zero():
    attributions, delta = IntegratedGradients(SQUARES).attribute(
        ROWS, baselines=ROWS, target=0, return_convergence_delta=True
    )
    assert not attributions.any() and not delta.any()


# The convergence delta.


@pytest.mark.parametrize("method", ["riemann_left", "riemann_right"])
def test_the_delta_is_what_attributions_have_too_much(method):
    rows = np.abs(ROWS)
    model = network(["a = Mul(x, x)", "y = MatMul(a, w)"], 3, {"w": np.ones((3, 1))})
    attributions, delta = IntegratedGradients(model).attribute(rows, method=method, return_convergence_delta=True)
    # The slope grows along the path: its left ends are too small.
    assert (delta < 0).all() if method == "riemann_left" else (delta > 0).all()
    close(delta, attributions.sum(axis=1) - (rows**2).sum(axis=1))


@pytest.mark.parametrize("start", [0, 0.5, OWN, OWN[:1]])
def test_the_delta_can_be_asked_for_afterwards(start):
    method = IntegratedGradients(SQUARES)
    attributions, delta = method.attribute(ROWS, start, [0, 1, 0, 1], n_steps=3, return_convergence_delta=True)
    again = method.compute_convergence_delta(attributions, start, ROWS, target=[0, 1, 0, 1])
    close(again, delta, 1e-4)
    worse = method.compute_convergence_delta(attributions + 1.0, start, ROWS, target=[0, 1, 0, 1])
    close(worse, delta + 3.0, 1e-4)


def test_more_steps_bring_the_delta_down():
    cubes = IntegratedGradients(network(["a = Mul(x, x)", "b = Mul(a, x)", "y = MatMul(b, w)"], 3, {"w": np.ones((3, 1))}))

    def largest(n_steps):
        given = {"method": "riemann_middle", "return_convergence_delta": True}
        return np.abs(cubes.attribute(ROWS, n_steps=n_steps, **given)[1]).max()

    # The error of the middle of n pieces goes with 1/n².
    assert largest(40) < largest(10) / 10


def test_methods_say_whether_they_add_up():
    assert IntegratedGradients(LINEAR).has_convergence_delta()
    assert not Saliency(LINEAR).has_convergence_delta()
    assert IntegratedGradients(LINEAR).multiplies_by_inputs and InputXGradient(LINEAR).multiplies_by_inputs


# Batches.


@pytest.mark.parametrize("internal_batch_size", [1, 3, 7, 50, 1000])
def test_the_batch_size_changes_nothing(internal_batch_size):
    model, expected = recorded("cnn1d")
    method, given = IntegratedGradients(model), {"target": expected["target"], "n_steps": 20}
    attributions = method.attribute(expected["input"], internal_batch_size=internal_batch_size, **given)
    assert distance(attributions, method.attribute(expected["input"], **given)) < 1e-5


def test_rows_do_not_depend_on_their_neighbors():
    model, expected = recorded("resnet")
    rows, target = expected["input"], expected["target"]
    whole = Saliency(model).attribute(rows, target)
    for row in range(3):
        assert distance(Saliency(model).attribute(rows[row : row + 1], int(target[row]))[0], whole[row]) < 1e-5


# What is wrong or not there.


def attribute(model=SQUARES, inputs=ROWS, kind=IntegratedGradients, **given):
    return kind(model).attribute(inputs, **{"target": 0, **given})


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"target": None}, pellucid.InputError, "the model has 2 outputs"),
        ({"target": 2}, pellucid.InputError, "outputs 0 to 1"),
        ({"target": -1}, pellucid.InputError, "counted from 0"),
        ({"target": 1.0}, pellucid.InputError, "1.0 is no index"),
        ({"target": "cat"}, pellucid.InputError, "'cat' is no index"),
        ({"target": np.array([0.0, 1.0, 0.0, 1.0])}, pellucid.InputError, "0.0 is no index"),
        ({"target": [0, 1]}, pellucid.InputError, "2 indices for 4 rows"),
        ({"target": (0, 1)}, pellucid.UnsupportedError, "3 axes"),
        ({"target": [(0, 1)] * 4}, pellucid.UnsupportedError, "3 axes"),
        ({"target": np.zeros((4, 2), int)}, pellucid.InputError, "is no index"),
        ({"inputs": ROWS[0]}, pellucid.InputError, r"\[rows, features…\]"),
        ({"inputs": ROWS[:, :2]}, pellucid.InputError, "shape"),
        ({"inputs": ROWS * np.nan}, pellucid.InputError, "NaN"),
        ({"inputs": (ROWS, ROWS)}, pellucid.UnsupportedError, "several inputs"),
        ({"baselines": (0, 0)}, pellucid.UnsupportedError, "several inputs"),
        ({"baselines": ROWS[:2]}, pellucid.InputError, r"\(2, 3\) and that of the inputs \(4, 3\)"),
        ({"baselines": ROWS[:, :2]}, pellucid.InputError, "one row, or one for each row"),
        ({"baselines": np.nan}, pellucid.InputError, "baseline"),
        ({"baselines": np.full((4, 3), np.inf)}, pellucid.InputError, "baseline"),
        ({"additional_forward_args": 1}, pellucid.UnsupportedError, "additional_forward_args"),
        ({"kind": Saliency, "additional_forward_args": 1}, pellucid.UnsupportedError, "additional_forward_args"),
        ({"kind": InputXGradient, "additional_forward_args": 1}, pellucid.UnsupportedError, "additional_forward_args"),
        ({"method": "simpson"}, pellucid.InputError, "riemann_middle"),
        ({"n_steps": 0}, pellucid.InputError, "n_steps"),
        ({"n_steps": "many"}, pellucid.InputError, "n_steps"),
        ({"internal_batch_size": "many"}, pellucid.InputError, "batch_size"),
        ({"model": lambda x: x}, pellucid.UnsupportedError, "functions"),
        ({"model": b"no model"}, pellucid.ModelError, "not a readable ONNX model"),
        ({"model": "fixtures/trees/lightgbm/binary.txt"}, pellucid.UnsupportedError, "tree_shap"),
    ],
)
def test_faults_are_said_in_one_line(given, error, text):
    with pytest.raises(error, match=text) as caught:
        attribute(**given)
    assert "\n" not in str(caught.value)


def test_gradients_that_are_not_multiplied_are_refused():
    with pytest.raises(pellucid.UnsupportedError, match="multiply_by_inputs"):
        IntegratedGradients(LINEAR, multiply_by_inputs=False)
