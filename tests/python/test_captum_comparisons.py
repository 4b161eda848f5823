"""DeepLIFT, DeepSHAP and GradientSHAP under captum's and shap's names: the paper's answers, exact ones, and arguments."""

import numpy as np
import pytest
from tiny_onnx import network

import pellucid
import pellucid.shap as shap
from pellucid.captum import DeepLift, DeepLiftShap, GradientShap, GuidedBackprop, NoiseTunnel

# Shrikumar et al. 2017, figure 1: 1 − relu(1 − x₁ − x₂) is flat at (1, 1).
SATURATED = network(
    ["s = MatMul(x, w)", "a = Sub(one, s)", "b = Relu(a)", "y = Sub(one, b)"], 2, {"w": [[1.0], [1.0]], "one": [1.0]}
)
WEIGHTS = np.array([[3.0, -1.0], [-2.0, 0.5], [0.25, 4.0]])
LINEAR = network(["a = MatMul(x, w)", "y = Add(a, b)"], 3, {"w": WEIGHTS, "b": [0.5, -7.0]})
# f_k = Σ_i w_ik x_i², for which x_i² − x′_i² is exact from every baseline.
SQUARES = network(["a = Mul(x, x)", "y = MatMul(a, w)"], 3, {"w": WEIGHTS})
ROWS = np.array([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0], [2.0, 2.0, 2.0], [-0.5, 0.1, 4.0]], np.float32)
BACKGROUND = np.array([[0.5, 0.0, 1.0], [-1.0, 2.0, 0.0], [0.0, 0.0, 3.0]], np.float32)


def close(found, expected, tolerance=1e-5):
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_a_saturated_output_is_shared_out():
    attributions, delta = DeepLift(SATURATED).attribute(np.ones((1, 2), np.float32), return_convergence_delta=True)
    close(attributions, [[0.5, 0.5]])
    close(delta, [0.0])


@pytest.mark.parametrize("target", [0, 1])
def test_squares_are_exact_from_any_baseline(target):
    weights = WEIGHTS[:, target]
    close(DeepLift(SQUARES).attribute(ROWS, ROWS[::-1].copy(), target), (ROWS**2 - ROWS[::-1] ** 2) * weights)
    mean = (BACKGROUND**2).mean(axis=0)
    attributions, delta = DeepLiftShap(SQUARES).attribute(ROWS, BACKGROUND, target, return_convergence_delta=True)
    close(attributions, (ROWS**2 - mean) * weights)
    close(delta, np.zeros(4))
    close(DeepLiftShap(SQUARES).attribute(ROWS, lambda rows: BACKGROUND, target), attributions)


def test_draws_come_near_the_exact_values_and_repeat_from_their_seed():
    method = GradientShap(SQUARES)
    exact = (ROWS**2 - (BACKGROUND**2).mean(axis=0)) * WEIGHTS[:, 0]
    many = pellucid.explain(SQUARES, ROWS, "gradient_shap", 0, background=BACKGROUND, n_samples=2000)
    assert (np.abs(many.values - exact) <= 5 * many.standard_error).all()
    few = method.attribute(ROWS, BACKGROUND, n_samples=5, target=0, seed=7)
    assert np.array_equal(few, method.attribute(ROWS, BACKGROUND, n_samples=5, target=0, seed=7))
    assert not np.array_equal(few, method.attribute(ROWS, BACKGROUND, n_samples=5, target=0, seed=8))
    alone = method.attribute(ROWS[2:3], BACKGROUND, n_samples=5, target=0, seed=7)
    close(few[2:3], alone, 1e-6)


def test_draws_go_on_until_a_tolerance_holds():
    e = pellucid.explain(SQUARES, ROWS, "gradient_shap", 0, background=BACKGROUND, n_samples=50, tolerance=0.05)
    errors, sizes = np.linalg.norm(e.standard_error, axis=1), np.linalg.norm(e.values, axis=1)
    assert (errors <= 0.05 * sizes).all()


def test_noise_goes_around_deep_lift():
    smooth = NoiseTunnel(DeepLift(LINEAR)).attribute(ROWS, nt_samples=3, stdevs=0.0, target=0)
    close(smooth, DeepLift(LINEAR).attribute(ROWS, target=0))


def test_guided_signals_must_be_positive_at_every_relu():
    # relu(x₁ + x₂) − relu(x₁ − x₂): the second speaks against the output.
    two = network(["h = MatMul(x, w)", "r = Relu(h)", "y = MatMul(r, v)"], 2, {"w": [[1.0, 1.0], [1.0, -1.0]], "v": [[1.0], [-1.0]]})
    close(GuidedBackprop(two).attribute(np.array([[2.0, 1.0]], np.float32)), [[1.0, 1.0]])


def test_shap_gives_all_outputs_at_once():
    explainer = shap.DeepExplainer(SQUARES, BACKGROUND)
    values = explainer.shap_values(ROWS)
    exact = (ROWS**2 - (BACKGROUND**2).mean(axis=0))[:, :, None] * WEIGHTS
    close(values, exact)
    close(explainer.expected_value, (BACKGROUND**2).mean(axis=0) @ WEIGHTS)
    e = explainer(ROWS)
    assert e.values.shape == (4, 3, 2) and e.base_values.shape == (4, 2)
    close(e.values.sum(axis=1) + e.base_values, ROWS**2 @ WEIGHTS, 1e-4)


def test_shaps_expected_gradients_know_their_variances():
    explainer = shap.GradientExplainer(SQUARES, BACKGROUND)
    values, variances = explainer.shap_values(ROWS, nsamples=500, rseed=3, return_variances=True)
    exact = (ROWS**2 - (BACKGROUND**2).mean(axis=0))[:, :, None] * WEIGHTS
    assert values.shape == variances.shape == (4, 3, 2)
    assert (np.abs(values - exact) <= 5 * np.sqrt(variances) + 1e-6).all()


@pytest.mark.parametrize(("order", "first"), [("max", np.argmax), ("min", np.argmin), ("max_abs", lambda y: np.argmax(np.abs(y)))])
def test_ranked_outputs_come_first_row_by_row(order, first):
    outputs = ROWS**2 @ WEIGHTS
    exact = (ROWS**2 - (BACKGROUND**2).mean(axis=0))[:, :, None] * WEIGHTS
    values, ranks = shap.DeepExplainer(SQUARES, BACKGROUND).shap_values(ROWS, 1, order)
    assert ranks.tolist() == [[first(row)] for row in outputs]
    close(values, np.take_along_axis(exact, ranks[:, None], axis=2))
    both, ranks, variances = shap.GradientExplainer(SQUARES, BACKGROUND).shap_values(
        ROWS, 500, 2, order, rseed=3, return_variances=True
    )
    assert ranks.shape == (4, 2) and (np.sort(ranks, axis=1) == [0, 1]).all()
    assert (np.abs(both - np.take_along_axis(exact, ranks[:, None], axis=2)) <= 5 * np.sqrt(variances) + 1e-6).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: DeepLift(LINEAR, multiply_by_inputs=False), pellucid.UnsupportedError, "multiply_by_inputs"),
        (lambda: DeepLiftShap(LINEAR).attribute(ROWS, ROWS[0], 0), pellucid.InputError, "distribution"),
        (lambda: DeepLift(LINEAR).attribute(ROWS, custom_attribution_func=max), pellucid.UnsupportedError, "custom"),
        (lambda: GradientShap(LINEAR).attribute(ROWS, ROWS, n_samples=1, target=0), pellucid.InputError, "n_samples"),
        (lambda: pellucid.explain(LINEAR, ROWS, "deep_shap"), pellucid.InputError, "background"),
        (lambda: pellucid.explain(LINEAR, ROWS, "deep_lift", rule="linear"), pellucid.InputError, "reveal_cancel"),
        (lambda: shap.DeepExplainer(LINEAR, None), pellucid.InputError, "data"),
        (lambda: shap.DeepExplainer(LINEAR, ROWS).shap_values(ROWS, 3), pellucid.InputError, "3 of 2 outputs"),
        (lambda: shap.DeepExplainer(LINEAR, ROWS).shap_values(ROWS, 1, "best"), pellucid.InputError, "max_abs"),
        (
            lambda: shap.DeepExplainer("fixtures/trees/lightgbm/binary.txt", np.zeros((2, 5))),
            pellucid.InputError,
            "no network",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(call, error, message):
    with pytest.raises(error, match=message):
        call()
