"""captum's methods that perturb the input: exact values, captum's shapes."""

import numpy as np
import pytest

import pellucid
from pellucid.captum import (
    FeatureAblation,
    FeaturePermutation,
    IntegratedGradients,
    KernelShap,
    Lime,
    Occlusion,
    ShapleyValues,
    ShapleyValueSampling,
)

MNIST = "fixtures/models/mnist_cnn.onnx"
BINARY = "fixtures/trees/lightgbm/binary.txt"
WEIGHTS = np.array([1.0, -2.0, 3.0])
ROWS = np.random.default_rng(1).normal(size=(4, 3))
DIGITS = np.random.default_rng(2).normal(size=(2, 1, 28, 28)).astype(np.float32)
KINDS = [FeatureAblation, ShapleyValueSampling, ShapleyValues, KernelShap]


def linear(rows):
    return rows @ WEIGHTS + 0.5


def two(rows):
    return np.stack([linear(rows), rows[:, 0] * rows[:, 1]], axis=1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("baselines", [None, 0.5, ROWS[:1] + 1, ROWS[::-1]])
def test_a_linear_function_has_its_exact_values(kind, baselines):
    expected = WEIGHTS * (ROWS - (0 if baselines is None else baselines))
    np.testing.assert_allclose(kind(linear).attribute(ROWS, baselines), expected, atol=1e-8)


@pytest.mark.parametrize("kind", KINDS)
def test_groups_have_one_value(kind):
    own = WEIGHTS * ROWS
    both = own[:, 0] + own[:, 2]
    found = kind(linear).attribute(ROWS, feature_mask=np.array([[4, 7, 4]]))
    np.testing.assert_allclose(found, np.stack([both, own[:, 1], both], axis=1), atol=1e-8)


@pytest.mark.parametrize("kind", [*KINDS, Lime])
def test_targets_are_one_or_one_a_row(kind):
    for target in (1, [1, 0, 1, 1], np.array([0, 1, 0, 0])):
        assert kind(two).attribute(ROWS, target=target).shape == ROWS.shape
    with pytest.raises(pellucid.InputError, match="2 outputs"):
        kind(two).attribute(ROWS)
    (in_tuple,) = kind(linear).attribute((ROWS,))
    assert in_tuple.shape == ROWS.shape


def test_shapley_values_share_a_product():
    ones = np.array([[2.0, 3.0]])
    for kind in (ShapleyValues, ShapleyValueSampling, KernelShap):
        np.testing.assert_allclose(kind(lambda rows: rows[:, 0] * rows[:, 1]).attribute(ones), [[3.0, 3.0]])
    np.testing.assert_allclose(FeatureAblation(lambda rows: rows[:, 0] * rows[:, 1]).attribute(ones), [[6.0, 6.0]])


@pytest.mark.parametrize("n_samples", [1, 2, 3])
def test_few_orders_are_as_many_as_it_takes(n_samples):
    rows = np.random.default_rng(3).normal(size=(2, 9))
    found = ShapleyValueSampling(lambda rows: rows.sum(axis=1) ** 2).attribute(rows, n_samples=n_samples)
    np.testing.assert_allclose(found, rows * rows.sum(axis=1, keepdims=True), atol=1e-12)


def test_surrogates_tell_what_speaks_for_the_output():
    found = Lime(linear).attribute(np.ones((1, 3)), n_samples=2000)
    assert np.sign(found).tolist() == [[1, -1, 1]]


def test_networks_are_explained_in_their_precision():
    model = pellucid.load(MNIST)
    mask = (np.arange(28)[:, None] // 14 * 2 + np.arange(28) // 14)[None]
    for kind in KINDS:
        found = kind(model).attribute(DIGITS, target=3, feature_mask=mask, perturbations_per_eval=4)
        assert (found.dtype, found.shape) == (np.float32, DIGITS.shape)
        assert len(np.unique(found[0])) <= 4
    called = ShapleyValues(lambda rows: model.outputs(rows)).attribute(DIGITS, target=3, feature_mask=mask)
    np.testing.assert_allclose(called, ShapleyValues(MNIST).attribute(DIGITS, target=3, feature_mask=mask), atol=1e-5)


def test_windows_are_averaged_where_they_overlap():
    row = np.random.default_rng(3).normal(size=(1, 1, 4, 4))
    weights = np.arange(16.0).reshape(1, 4, 4)

    def weighted(rows):
        return (rows * weights).sum(axis=(1, 2, 3))

    found = Occlusion(weighted).attribute(row, (1, 2, 2))
    own, sums, counts = (row * weights)[0, 0], np.zeros((4, 4)), np.zeros((4, 4))
    for top in range(3):
        for left in range(3):
            sums[top : top + 2, left : left + 2] += own[top : top + 2, left : left + 2].sum()
            counts[top : top + 2, left : left + 2] += 1
    np.testing.assert_allclose(found[0, 0], sums / counts)
    apart = Occlusion(weighted).attribute(row, ((1, 2, 2),), strides=((1, 2, 2),))
    np.testing.assert_allclose(apart[0, 0, :2, :2], own[:2, :2].sum())
    assert Occlusion(MNIST).attribute(DIGITS, (1, 14, 14), strides=7, target=1).shape == DIGITS.shape


def test_trees_and_their_values():
    rows = np.random.default_rng(4).normal(size=(3, 5))
    expected = pellucid.explain(BINARY, rows, background=np.zeros((1, 5))).values
    np.testing.assert_allclose(ShapleyValues(BINARY).attribute(rows), expected, atol=1e-6)


def test_permutations_are_within_the_batch():
    found = FeaturePermutation(linear, seed=1).attribute(ROWS)
    np.testing.assert_allclose(found.sum(axis=0), 0, atol=1e-12)
    assert np.array_equal(found, FeaturePermutation(linear, seed=1).attribute(ROWS))
    one = FeaturePermutation(linear, lambda rows, mask: np.where(mask, rows[::-1], rows))
    np.testing.assert_allclose(one.attribute(ROWS), WEIGHTS * (ROWS - ROWS[::-1]))
    with pytest.raises(pellucid.InputError, match="one row"):
        one.attribute(ROWS[:1])
    with pytest.raises(pellucid.InputError, match="perm_func"):
        FeaturePermutation(linear, lambda rows, mask: rows[:2]).attribute(ROWS)


def fails(rows):
    raise ZeroDivisionError("half-way")


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: ShapleyValues(fails).attribute(ROWS), ZeroDivisionError, "half-way"),
        (lambda: ShapleyValues(lambda rows: linear(rows) * np.nan).attribute(ROWS), pellucid.InputError, "NaN"),
        (lambda: ShapleyValues(lambda rows: 1.0).attribute(ROWS), pellucid.InputError, "shape"),
        (lambda: ShapleyValues(linear).attribute(ROWS, additional_forward_args=(1,)), pellucid.UnsupportedError, "additional"),
        (lambda: ShapleyValues(linear).attribute((ROWS, ROWS)), pellucid.UnsupportedError, "several inputs"),
        (lambda: ShapleyValues(linear).attribute(ROWS, feature_mask=np.zeros((1, 5), int)), pellucid.InputError, "feature_mask"),
        (lambda: KernelShap(linear).attribute(ROWS, return_input_shape=False), pellucid.UnsupportedError, "return_input_shape"),
        (lambda: Lime(linear, interpretable_model=3), pellucid.UnsupportedError, "interpretable_model"),
        (lambda: Occlusion(linear).attribute(ROWS, (1, 2)), pellucid.InputError, "1 axes"),
        (lambda: IntegratedGradients(linear), pellucid.UnsupportedError, "functions have no gradient"),
        (lambda: IntegratedGradients(pellucid.load(linear, input_shape=(3,))), pellucid.UnsupportedError, "predictions"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
