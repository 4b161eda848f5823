"""captum's noise tunnel: what noise must and must not change."""

import numpy as np
import pytest
from test_captum import LINEAR, ROWS, SQUARES, WEIGHTS, close

import pellucid
from pellucid.captum import InputXGradient, IntegratedGradients, LayerGradCam, NoiseTunnel, Saliency

METHODS = [IntegratedGradients, Saliency, InputXGradient]
TYPES = ["smoothgrad", "smoothgrad_sq", "vargrad"]


@pytest.mark.parametrize("kind", METHODS)
def test_without_noise_the_mean_is_the_plain_attribution(kind):
    method = kind(SQUARES)
    plain = method.attribute(ROWS, target=1)
    tunnel = NoiseTunnel(method)
    close(tunnel.attribute(ROWS, stdevs=0.0, target=1), plain)
    close(tunnel.attribute(ROWS, nt_type="smoothgrad_sq", stdevs=0.0, target=1), plain**2)
    assert not tunnel.attribute(ROWS, nt_type="vargrad", stdevs=0.0, target=1).any()


def test_gradients_of_a_linear_model_do_not_vary():
    tunnel = NoiseTunnel(Saliency(LINEAR))
    assert not tunnel.attribute(ROWS, nt_type="vargrad", nt_samples=20, stdevs=3.0, target=0).any()
    close(tunnel.attribute(ROWS, nt_samples=20, stdevs=3.0, target=0), np.tile(np.abs(WEIGHTS[:, 0]), (4, 1)))


@pytest.mark.parametrize("stdevs", [0.1, 2.0, (2.0,)])
def test_stdevs_are_in_the_units_of_the_inputs(stdevs):
    # Gradients of the squares are 2 w x: their variance is 4 w² σ².
    sigma = stdevs[0] if isinstance(stdevs, tuple) else stdevs
    found = NoiseTunnel(Saliency(SQUARES)).attribute(
        ROWS, nt_type="vargrad", nt_samples=4000, stdevs=stdevs, target=0, abs=False
    )
    # A variance of 4,000 draws is known to √(2 / 4000) = 2.2 %; five times that.
    np.testing.assert_allclose(found, np.tile(4 * WEIGHTS[:, 0] ** 2 * sigma**2, (4, 1)), rtol=0.11)


def test_the_types_belong_to_the_same_draws():
    tunnel = NoiseTunnel(IntegratedGradients(SQUARES))
    given = {"nt_samples": 12, "stdevs": 0.5, "target": 0, "n_steps": 5}
    mean, mean_square, variance = (tunnel.attribute(ROWS.astype(float), kind, **given) for kind in TYPES)
    close(variance, mean_square - mean**2, 1e-4)


@pytest.mark.parametrize("nt_type", TYPES)
def test_the_same_seed_gives_the_same_bits(nt_type):
    def attributions(seed):
        return NoiseTunnel(Saliency(SQUARES)).attribute(ROWS, nt_type=nt_type, target=0, seed=seed)

    assert np.array_equal(attributions(3), attributions(3))
    assert not np.array_equal(attributions(3), attributions(4))


def test_noise_does_not_depend_on_other_rows():
    tunnel = NoiseTunnel(Saliency(SQUARES))
    whole = tunnel.attribute(ROWS, target=0)
    assert np.array_equal(np.concatenate([tunnel.attribute(ROWS[row : row + 1], target=0) for row in range(4)]), whole)


@pytest.mark.parametrize("nt_samples_batch_size", [None, 1, 2, 100])
def test_the_batch_size_of_draws_changes_nothing(nt_samples_batch_size):
    tunnel = NoiseTunnel(InputXGradient(SQUARES))
    found = tunnel.attribute(ROWS, nt_samples=6, nt_samples_batch_size=nt_samples_batch_size, target=0)
    assert np.array_equal(found, tunnel.attribute(ROWS, nt_samples=6, target=0))


def test_arguments_of_the_method_go_through():
    method, tunnel = IntegratedGradients(SQUARES), NoiseTunnel(IntegratedGradients(SQUARES))
    given = {"baselines": ROWS[::-1], "target": [0, 1, 0, 1], "n_steps": 4, "method": "riemann_left"}
    close(tunnel.attribute(ROWS, stdevs=0.0, **given), method.attribute(ROWS, **given))
    signed = NoiseTunnel(Saliency(SQUARES)).attribute(ROWS, stdevs=0.0, target=0, abs=False)
    close(signed, Saliency(SQUARES).attribute(ROWS, 0, abs=False))


def test_the_method_stays_as_it_was():
    method = Saliency(SQUARES)
    before = method.attribute(ROWS, 0)
    NoiseTunnel(method).attribute(ROWS, target=0)
    assert np.array_equal(method.attribute(ROWS, 0), before)


def test_tuples_and_precision_are_kept():
    (found,) = NoiseTunnel(Saliency(SQUARES)).attribute((ROWS,), target=0)
    assert found.shape == ROWS.shape and found.dtype == np.float32


def test_a_tunnel_does_not_add_up():
    assert not NoiseTunnel(IntegratedGradients(LINEAR)).has_convergence_delta()
    assert NoiseTunnel(IntegratedGradients(LINEAR)).multiplies_by_inputs
    assert not NoiseTunnel(Saliency(LINEAR)).multiplies_by_inputs


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"nt_type": "smooth"}, pellucid.InputError, "vargrad"),
        ({"nt_samples": 1}, pellucid.InputError, "at least 2"),
        ({"stdevs": -1.0}, pellucid.InputError, "no standard deviation"),
        ({"stdevs": (0.1, 0.1)}, pellucid.UnsupportedError, "several inputs"),
        ({"draw_baseline_from_distrib": True}, pellucid.UnsupportedError, "draw_baseline_from_distrib"),
        ({"return_convergence_delta": True}, pellucid.UnsupportedError, "do not add up"),
        ({"sigma": 1.0}, TypeError, "sigma"),
    ],
)
def test_faults_are_said(given, error, text):
    with pytest.raises(error, match=text):
        NoiseTunnel(IntegratedGradients(LINEAR)).attribute(ROWS, **{"target": 0, **given})


def test_what_cannot_be_smoothed_is_refused():
    with pytest.raises(pellucid.UnsupportedError, match="base_method='grad_cam'"):
        NoiseTunnel(LayerGradCam("fixtures/models/mnist_cnn.onnx", None))
    with pytest.raises(pellucid.InputError, match="function"):
        NoiseTunnel(lambda x: x)
