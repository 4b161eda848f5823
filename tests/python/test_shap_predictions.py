"""shap's explainers of functions: exact values, shap's shapes."""

import numpy as np
import pandas
import pytest
from test_shap_trees import by_coalitions

import pellucid
import pellucid.shap as shap

WEIGHTS = np.array([1.0, -2.0, 3.0])
ROWS = np.random.default_rng(1).normal(size=(4, 3))
BACKGROUND = np.random.default_rng(2).normal(size=(20, 3))
BINARY = "fixtures/trees/lightgbm/binary.txt"


def linear(rows):
    return rows @ WEIGHTS + 0.5


def two(rows):
    return np.stack([linear(rows), rows[:, 0] * rows[:, 1]], axis=1)


EXPECTED = WEIGHTS * (ROWS - BACKGROUND.mean(axis=0))
CLASSES = [
    shap.KernelExplainer, shap.SamplingExplainer, shap.PermutationExplainer, shap.PartitionExplainer,
    shap.ExactExplainer, shap.Explainer,
]  # fmt: skip


@pytest.mark.parametrize("kind", CLASSES)
def test_one_output_has_values_of_rows_and_features(kind):
    explainer = kind(linear, BACKGROUND)
    values = explainer.shap_values(ROWS)
    np.testing.assert_allclose(values, EXPECTED, atol=1e-9)
    assert explainer.shap_values(ROWS[0]).shape == (3,)
    np.testing.assert_allclose(explainer.expected_value, linear(BACKGROUND).mean())
    assert isinstance(explainer.expected_value, float)
    e = explainer(ROWS)
    assert (e.shape, e.base_values.shape, e[0].values.shape, e.data.shape) == ((4, 3), (4,), (3,), (4, 3))
    assert shap.plots.waterfall(e[0], show=False).svg().startswith("<svg")


@pytest.mark.parametrize("kind", CLASSES)
def test_several_outputs_are_the_last_axis(kind):
    explainer = kind(two, BACKGROUND)
    values = explainer.shap_values(ROWS)
    assert values.shape == (4, 3, 2) and explainer.expected_value.shape == (2,)
    assert explainer.shap_values(ROWS[0]).shape == (3, 2)
    e = explainer(ROWS)
    assert e.shape == (4, 3, 2) and e.base_values.shape == (4, 2) and e[..., 1].shape == (4, 3)
    tolerance = 0.2 if kind is shap.SamplingExplainer else 1e-9
    if kind is not shap.PartitionExplainer:
        for row, found in zip(ROWS, values):
            np.testing.assert_allclose(found, by_coalitions(two, row, BACKGROUND), atol=tolerance)
    np.testing.assert_allclose(values.sum(axis=1) + explainer.expected_value, two(ROWS), atol=1e-9)


def test_explainer_finds_the_class_for_a_function():
    def named(masker, n=3, **options):
        return type(shap.Explainer(lambda rows: rows[:, 0], masker, **options)).__name__

    wide = np.zeros((2, 20))
    assert named(BACKGROUND) == "ExactExplainer"
    assert named(wide) == "PermutationExplainer"
    assert named(shap.maskers.Independent(wide)) == "PermutationExplainer"
    assert named(shap.maskers.Partition(wide)) == "ExactExplainer"
    assert named(wide, algorithm="partition") == "PartitionExplainer"
    assert named(wide, algorithm="permutation") == "PermutationExplainer"
    labelled = shap.Explainer(two, BACKGROUND, output_names=["a", "b"], feature_names=["x", "y", "z"])
    assert labelled(ROWS)[:, "y", "b"].values.shape == (4,)


def test_background_data_frames_reach_the_function_where_shap_passes_them():
    frame = pandas.DataFrame(BACKGROUND, columns=["a", "b", "c"])
    e = shap.Explainer(lambda rows: rows["a"] - 2 * rows["b"] + 3 * rows["c"], frame)(pandas.DataFrame(ROWS, columns=frame.columns))
    np.testing.assert_allclose(e.values, EXPECTED, atol=1e-9)
    assert e.feature_names == ["a", "b", "c"]
    kernel = shap.KernelExplainer(lambda rows: rows @ WEIGHTS, frame)
    np.testing.assert_allclose(kernel.shap_values(ROWS), EXPECTED, atol=1e-9)
    assert kernel(ROWS).feature_names == ["a", "b", "c"]


def test_the_logit_makes_log_odds_add_up():
    def probability(rows):
        return 1 / (1 + np.exp(-rows @ WEIGHTS))

    zero = np.zeros((1, 3))
    for explainer in (
        shap.KernelExplainer(probability, zero, link="logit"),
        shap.PermutationExplainer(probability, zero, link=shap.links.logit),
        shap.Explainer(probability, zero, link=shap.links.logit),
    ):
        np.testing.assert_allclose(explainer.shap_values(ROWS), WEIGHTS * ROWS, atol=1e-8)
        assert abs(explainer.expected_value) < 1e-12
        assert explainer(ROWS).output_space == "log_odds"


def test_a_background_may_be_summed_up():
    summary = shap.kmeans(np.repeat(BACKGROUND[:2], [3, 1], axis=0), 2)
    assert sorted(summary.weights.tolist()) == [0.25, 0.75] and summary.data.shape == (2, 3)
    mean = 0.75 * BACKGROUND[0] + 0.25 * BACKGROUND[1]
    explainer = shap.KernelExplainer(linear, summary)
    np.testing.assert_allclose(explainer.shap_values(ROWS), WEIGHTS * (ROWS - mean), atol=1e-9)
    np.testing.assert_allclose(explainer.expected_value, linear(mean))


def test_a_linkage_says_what_belongs_together():
    def product(rows):
        return rows[:, 0] * rows[:, 1] * rows[:, 2]

    masker = shap.maskers.Partition(np.zeros((1, 3)), clustering=np.array([[0, 2, 0.1, 2], [1, 3, 0.2, 3]]))
    # Half of the product is the group's, which its two members share; half is that of the feature alone.
    e = shap.PartitionExplainer(product, masker)(np.ones((1, 3)))
    np.testing.assert_allclose(e.values, [[0.25, 0.5, 0.25]])


LINKAGE = np.array([[0, 2, 0.1, 2], [1, 3, 0.2, 2], [4, 6, 0.3, 3], [5, 7, 0.4, 3], [8, 9, 0.5, 6]])


def bent(rows):
    return np.tanh(rows[:, 0] * rows[:, 1]) + rows[:, 2] * rows[:, 3] * rows[:, 4] - rows[:, 0] * rows[:, 5]


@pytest.mark.parametrize("kind", [shap.ExactExplainer, shap.PermutationExplainer, shap.PartitionExplainer, shap.Explainer])
def test_groups_of_the_masker_give_owen_values(kind):
    draws = np.random.default_rng(7)
    background, rows = draws.normal(size=(6, 6)), draws.normal(size=(2, 6))
    # Those of shap 0.51's ExactExplainer and PartitionExplainer; its PermutationExplainer comes near.
    expected = [
        [0.02523561, -0.27488757, 0.01390048, -0.0460234, -0.00918692, 0.08080164],
        [-0.10997208, -0.29684514, -0.88554871, -0.86710973, -0.10252964, 0.31785543],
    ]
    explainer = kind(bent, shap.maskers.Partition(background, clustering=LINKAGE))
    np.testing.assert_allclose(explainer(rows).values, expected, atol=1e-8)
    np.testing.assert_allclose(explainer.shap_values(rows), expected, atol=1e-8)


def test_twenty_features_in_groups_need_no_option():
    background, rows = np.random.default_rng(8).normal(size=(2, 30, 20))

    def function(rows):
        return np.tanh(rows[:, 0] * rows[:, 1]) + rows.sum(axis=1)

    masker = shap.maskers.Partition(background)
    exact = shap.ExactExplainer(function, masker)(rows[:1])
    np.testing.assert_allclose(exact.values.sum() + exact.base_values, function(rows[:1]))
    assert not exact.error_std.any()
    with pytest.warns(UserWarning, match="share part of their group's value evenly"):
        by_orders = shap.PermutationExplainer(function, masker)(rows[:1])
    np.testing.assert_allclose(by_orders.values.sum(), exact.values.sum())
    with pytest.raises(pellucid.InputError, match="max_evals: too few"):
        shap.ExactExplainer(function, masker)(rows[:1], max_evals=400)


def test_trees_in_groups_are_counted():
    rows, background = np.random.default_rng(9).normal(size=(2, 3, 5))
    masker = shap.maskers.Partition(background, clustering=np.array([[0, 3, 0.1, 2], [1, 5, 0.2, 3], [2, 4, 0.2, 2], [6, 7, 0.3, 5]]))
    found = shap.ExactExplainer(BINARY, masker)(rows).values
    np.testing.assert_allclose(found, shap.PartitionExplainer(BINARY, masker)(rows).values, atol=1e-9)
    assert not np.allclose(found, shap.ExactExplainer(BINARY, background)(rows).values)


@pytest.mark.parametrize("n_features", [126, 127, 260])
def test_orders_of_many_features_need_no_option(n_features):
    explainer = shap.PermutationExplainer(lambda rows: rows.sum(axis=1) ** 2, np.zeros((1, n_features)))
    ones = np.ones((1, n_features))
    np.testing.assert_allclose(explainer(ones).values, n_features)
    # Whatever has room for one order does, as in shap, and what has not is refused.
    np.testing.assert_allclose(explainer(ones, max_evals=2 * n_features + 1).values, n_features)
    np.testing.assert_allclose(explainer.shap_values(ones, npermutations=1), n_features)
    with pytest.raises(pellucid.InputError, match="max_evaluations"):
        explainer(ones, max_evals=2 * n_features)


def test_trees_by_sampling_are_the_exact_ones():
    rows, background = np.random.default_rng(3).normal(size=(2, 6, 5))
    exact = shap.TreeExplainer(BINARY, background).shap_values(rows)
    model = pellucid.load(BINARY)
    for source in (BINARY, model, lambda rows: model.outputs(rows)[:, 0]):
        np.testing.assert_allclose(shap.KernelExplainer(source, background).shap_values(rows), exact, atol=1e-6)


def test_budgets_seeds_and_batches():
    calls = []

    def counted(rows):
        calls.append(len(rows))
        return np.tanh(rows[:, 0] * rows[:, 1]) + rows.sum(axis=1) ** 2

    rows, background = np.random.default_rng(4).normal(size=(2, 2, 30))
    explainer = shap.PermutationExplainer(counted, background, seed=5)
    calls.clear()
    first = explainer(rows, max_evals=200, batch_size=10)
    assert sum(calls) <= 2 * (200 * 2 + 4) and max(calls) <= 10
    assert np.array_equal(first.values, explainer(rows, max_evals=200).values)
    assert not np.array_equal(first.values, shap.PermutationExplainer(counted, background, seed=6)(rows, max_evals=200).values)
    assert first.error_std.shape == (2, 30)
    kernel = shap.KernelExplainer(counted, background)
    calls.clear()
    kernel.shap_values(rows, nsamples=100)
    assert sum(calls) <= 2 * (100 * 2 + 4)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: shap.KernelExplainer(linear, None), pellucid.InputError, "masker"),
        (lambda: shap.Explainer(linear), pellucid.InputError, "masker"),
        (lambda: shap.Explainer(linear, BACKGROUND, algorithm="tree"), pellucid.InputError, "permutation"),
        (lambda: shap.KernelExplainer(linear, BACKGROUND, link="log"), pellucid.UnsupportedError, "identity and logit"),
        (lambda: shap.KernelExplainer(linear, BACKGROUND).shap_values(ROWS, l1_reg="aic"), pellucid.UnsupportedError, "l1_reg"),
        (lambda: shap.KernelExplainer(linear, BACKGROUND).shap_values(ROWS * np.nan), pellucid.InputError, "NaN"),
        (lambda: shap.KernelExplainer(linear, BACKGROUND).shap_values(np.zeros((2, 4))), pellucid.Error, "shape"),
        (lambda: shap.PermutationExplainer(linear, BACKGROUND)(ROWS, main_effects=True), pellucid.UnsupportedError, "main"),
        (lambda: shap.maskers.Partition(BACKGROUND, clustering="cosine"), pellucid.UnsupportedError, "correlation"),
        (lambda: shap.KernelExplainer(linear, shap.maskers.Partition(BACKGROUND)), pellucid.UnsupportedError, "PartitionExplainer"),
        (lambda: shap.SamplingExplainer(linear, shap.maskers.Partition(BACKGROUND)), pellucid.UnsupportedError, "PartitionExplainer"),
        (lambda: shap.maskers.Image("blur(3,3)"), pellucid.UnsupportedError, "Image"),
        (lambda: shap.ExactExplainer(lambda rows: rows[:, 0], np.zeros((1, 40)))(np.ones((1, 40))), pellucid.Error, "max_eval"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call()
