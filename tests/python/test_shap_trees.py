"""Tree models through shap's names: the numbers of the source libraries and of counting coalitions, in shap's shapes."""

import itertools
import json
import math
import pickle

import numpy as np
import pellucid
import pellucid.shap as shap
import pytest

BINARY = "fixtures/trees/lightgbm/binary.txt"
THREE = "fixtures/trees/lightgbm/multiclass.txt"


def recorded(name, library="lightgbm", margins="raw"):
    """Rows, margins and contributions as the library gave them, but for rows with infinities, which are refused."""
    with open(f"fixtures/trees/{library}/{name}.expected.json") as file:
        told = json.load(file)
    rows, contributions = numbers(told["rows"]), np.array(told.get("contributions", []))
    finite = ~np.isinf(rows).any(axis=1)
    assert finite[: len(contributions)].all() and finite.sum() > len(rows) / 2
    return rows[finite], np.array(told[margins])[finite], contributions


def numbers(rows):
    return np.array([[np.nan if cell is None else cell for cell in row] for row in rows], dtype=np.float64)


def of_xgboost(name, version="3.2.0"):
    """A model's path, rows and margins as XGBoost gave them."""
    folder = f"fixtures/trees/xgboost/{version}"
    with open(f"{folder}/cases.json") as file:
        told = json.load(file)[name]
    return f"{folder}/{name}.json", numbers(told["rows"]), np.array(told["margin"], dtype=np.float64)


def by_coalitions(outputs, row, background):
    """Shapley values `[features, outputs]` by their definition: the mean output over the background, where a coalition of
    features holds what the row holds."""
    n = len(row)
    worth = {}
    for present in itertools.product([False, True], repeat=n):
        worth[present] = outputs(np.where(present, row, background)).mean(axis=0)
    values = np.zeros((n, len(worth[(True,) * n])))
    for present, value in worth.items():
        size = sum(present)
        for feature in range(n):
            if present[feature]:
                weight = math.factorial(size - 1) * math.factorial(n - size) / math.factorial(n)
                without = tuple(held and place != feature for place, held in enumerate(present))
                values[feature] += weight * (value - worth[without])
    return values


def adds_up(values, base_values, margins, tolerance=1e-5):
    """Values `[rows, features(, outputs)]` and base values make up the margins `[rows, outputs]`."""
    summed = values.sum(axis=1) + base_values
    np.testing.assert_allclose(summed.reshape(margins.shape), margins, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["binary", "regression", "missing_nan", "dart", "weighted", "german_credit"])
def test_one_output_has_the_source_librarys_values(name):
    rows, margins, contributions = recorded(name)
    explainer = shap.TreeExplainer(f"fixtures/trees/lightgbm/{name}.txt")
    values = explainer.shap_values(rows)
    assert values.shape == rows.shape
    np.testing.assert_allclose(values[: len(contributions)], contributions[:, :-1], atol=1e-6)
    assert isinstance(explainer.expected_value, float)
    np.testing.assert_allclose(explainer.expected_value, contributions[0, -1], atol=1e-6)
    adds_up(values, explainer.expected_value, margins)


def test_several_outputs_stand_behind_the_features():
    rows, margins, contributions = recorded("multiclass")
    explainer = shap.TreeExplainer(THREE)
    values = explainer.shap_values(rows)
    assert values.shape == (len(rows), 5, 3)
    theirs = contributions.reshape(-1, 3, 6)
    np.testing.assert_allclose(values[: len(theirs)].transpose(0, 2, 1), theirs[:, :, :-1], atol=1e-6)
    np.testing.assert_allclose(explainer.expected_value, theirs[0, :, -1], atol=1e-6)
    adds_up(values, explainer.expected_value, margins)


def test_the_expected_value_is_known_before_any_row():
    before = [
        shap.TreeExplainer(BINARY).expected_value,
        shap.TreeExplainer(BINARY, recorded("binary")[0]).expected_value,
    ]
    for expected, data in zip(before, [None, recorded("binary")[0]]):
        explainer = shap.TreeExplainer(BINARY, data)
        explainer.shap_values(recorded("binary")[0][3:4])
        assert explainer.expected_value == expected


@pytest.mark.parametrize(
    "name",
    ["logistic", "logitraw", "squared", "poisson", "gamma", "tweedie", "softprob", "targets", "forest", "dart", "one_hot",
     "partition", "best_iteration", "one_node"],
)  # fmt: skip
def test_xgboosts_margins_are_made_up_of_the_values(name):
    path, rows, margins = of_xgboost(name)
    explainer = shap.TreeExplainer(path)
    adds_up(explainer.shap_values(rows), explainer.expected_value, margins)


@pytest.mark.parametrize("version", ["1.7.6", "2.1.4", "3.0.5"])
def test_the_base_score_is_read_as_every_version_writes_it(version):
    """shap took the probability for a margin, or failed, whenever XGBoost wrote it in another way."""
    path, rows, margins = of_xgboost("logistic_base_score", version)
    explainer = shap.TreeExplainer(path)
    adds_up(explainer.shap_values(rows), explainer.expected_value, margins)


@pytest.mark.parametrize("name", ["logloss", "multiclass", "rmse", "scale_and_bias", "nan_max", "depthwise"])
def test_catboosts_margins_are_made_up_of_the_values(name):
    rows, margins, _ = recorded(name, "catboost")
    explainer = shap.TreeExplainer(f"fixtures/trees/catboost/{name}.json")
    adds_up(explainer.shap_values(rows), explainer.expected_value, margins)


@pytest.mark.parametrize(("path", "name"), [(BINARY, "binary"), (THREE, "multiclass")])
def test_a_background_gives_the_values_of_the_definition(path, name):
    rows = recorded(name)[0]
    background, model = rows[20:60], pellucid.load(path)
    explainer = shap.TreeExplainer(path, background)
    values = explainer.shap_values(rows[:4]).reshape(4, 5, -1)
    for row in range(4):
        np.testing.assert_allclose(values[row], by_coalitions(model.outputs, rows[row], background), atol=1e-6)
    np.testing.assert_allclose(np.ravel(explainer.expected_value), model.outputs(background).mean(axis=0), atol=1e-6)


def test_missing_cells_count_as_the_model_counts_them():
    path = "fixtures/trees/lightgbm/missing_nan.txt"
    rows = recorded("missing_nan")[0]
    holed = rows[np.isnan(rows).any(axis=1)][:3]
    values = shap.TreeExplainer(path, rows[:30]).shap_values(holed)
    for row, own in zip(holed, values):
        np.testing.assert_allclose(own, by_coalitions(pellucid.load(path).outputs, row, rows[:30])[:, 0], atol=1e-6)


def test_a_zero_that_is_missing_counts_so():
    """shap sends it down the wrong side and finds that its values add up."""
    path = "fixtures/trees/lightgbm/missing_zero.txt"
    rows, margins, _ = recorded("missing_zero")
    assert (rows == 0).any()
    explainer = shap.TreeExplainer(path, rows)
    adds_up(explainer.shap_values(rows), explainer.expected_value, margins)


def test_a_dart_models_weights_count_with_a_background():
    """shap leaves out the weights of dropped trees."""
    path, rows, margins = of_xgboost("dart")
    explainer = shap.TreeExplainer(path, rows)
    adds_up(explainer.shap_values(rows), explainer.expected_value, margins)
    np.testing.assert_allclose(explainer.expected_value, margins.mean(), atol=1e-5)


def test_a_random_forest_of_lightgbm_is_a_mean():
    """shap's values, and LightGBM's own, add up to the sum of the trees, which nobody predicts."""
    rows, predictions, _ = recorded("rf_regression", margins="prediction")
    explainer = shap.TreeExplainer("fixtures/trees/lightgbm/rf_regression.txt")
    adds_up(explainer.shap_values(rows), explainer.expected_value, predictions)


def test_every_background_row_counts():
    """shap takes 100 of them and does not say so."""
    rows = np.random.default_rng(1).normal(size=(1000, 5)) * [1, 1, 2, 1, 20]
    model = pellucid.load(BINARY)
    whole = model.outputs(rows).mean()
    assert abs(whole - model.outputs(shap.sample(rows, 100)).mean()) > 1e-3
    for data in [rows, shap.maskers.Independent(rows)]:
        np.testing.assert_allclose(shap.TreeExplainer(BINARY, data).expected_value, whole, atol=1e-9)
    few = shap.TreeExplainer(BINARY, shap.maskers.Independent(rows, max_samples=100))
    np.testing.assert_allclose(few.expected_value, model.outputs(shap.sample(rows, 100)).mean(), atol=1e-9)


@pytest.mark.parametrize("background", [None, 25])
@pytest.mark.parametrize(("path", "name"), [(BINARY, "binary"), (THREE, "multiclass")])
def test_interactions_are_shared_in_halves_and_sum_to_the_values(path, name, background):
    """With a background shap's are zeros, without a word."""
    rows = recorded(name)[0]
    explainer = shap.TreeExplainer(path, None if background is None else rows[:background])
    pairs = explainer.shap_interaction_values(rows[:6])
    values = explainer.shap_values(rows[:6])
    assert pairs.shape == (6, 5, 5) + values.shape[2:]
    np.testing.assert_allclose(pairs, pairs.swapaxes(1, 2), atol=1e-9)
    np.testing.assert_allclose(pairs.sum(axis=2), values, atol=1e-6)
    assert np.abs(pairs - pairs * np.eye(5).reshape((1, 5, 5) + (1,) * (pairs.ndim - 3))).max() > 1e-3


def test_a_pairs_interaction_is_that_of_the_definition():
    rows = recorded("binary")[0]
    row, background, outputs = rows[0], rows[10:30], pellucid.load(BINARY).outputs
    pairs = shap.TreeExplainer(BINARY, background).shap_interaction_values(row[None])[0]
    for i, j in itertools.combinations(range(5), 2):
        # Half of the mean, over coalitions of the others, of what both add beyond each.
        others = [feature for feature in range(5) if feature not in (i, j)]
        total = 0.0
        for size in range(4):
            for chosen in itertools.combinations(others, size):
                worth = {
                    extra: outputs(np.where(np.isin(range(5), chosen + extra), row, background)).mean()
                    for extra in [(), (i,), (j,), (i, j)]
                }
                weight = math.factorial(size) * math.factorial(3 - size) / math.factorial(4)
                total += weight * (worth[(i, j)] - worth[(i,)] - worth[(j,)] + worth[()])
        np.testing.assert_allclose(pairs[i, j], total / 2, atol=1e-6)


def test_a_vector_is_one_row():
    rows = recorded("binary")[0]
    explainer = shap.TreeExplainer(BINARY)
    assert np.array_equal(explainer.shap_values(rows[3]), explainer.shap_values(rows)[3])
    assert explainer.shap_interaction_values(rows[3]).shape == (5, 5)
    assert explainer(rows[3]).shape == (1, 5)


def test_a_call_gives_an_explanation():
    rows, margins, _ = recorded("binary")
    explainer = shap.TreeExplainer(BINARY)
    e = explainer(rows)
    assert np.array_equal(e.values, explainer.shap_values(rows)) and np.array_equal(e.data, rows, equal_nan=True)
    assert e.base_values.shape == (len(rows),) and set(e.base_values) == {explainer.expected_value}
    adds_up(e.values, e.base_values, margins)
    assert e.output_names is None and len(e.feature_names) == 5 and e.compute_time > 0


def test_a_call_of_several_outputs_has_a_base_value_for_each():
    rows, margins, _ = recorded("multiclass")
    explainer = shap.TreeExplainer(THREE)
    e = explainer(rows)
    assert e.shape == (len(rows), 5, 3) and e.base_values.shape == (len(rows), 3)
    assert e.output_names == ["Output 0", "Output 1", "Output 2"]
    adds_up(e.values, e.base_values, margins)
    assert np.array_equal(e.base_values[0], explainer.expected_value)


def test_a_call_gives_interactions_too():
    rows = recorded("multiclass")[0][:4]
    explainer = shap.TreeExplainer(THREE)
    e = explainer(rows, interactions=True)
    assert np.array_equal(e.values, explainer.shap_interaction_values(rows))
    assert np.array_equal(e[:, 1, 2, 0].values, e.values[:, 1, 2, 0])


def test_names_may_be_given():
    names = ["age", "hours", "gain", "loss", "years"]
    e = shap.TreeExplainer(BINARY, feature_names=names)(recorded("binary")[0])
    assert e.feature_names == names
    assert np.array_equal(e[:, "gain"].values, e.values[:, 2])


def test_approximate_values_are_saabas():
    rows = recorded("binary")[0]
    values = shap.TreeExplainer(BINARY).shap_values(rows, approximate=True)
    assert np.array_equal(values, pellucid.explain(BINARY, rows, "saabas", target="all").values)
    assert np.abs(values - shap.TreeExplainer(BINARY).shap_values(rows)).max() > 1e-3


def test_sums_are_checked_whatever_check_additivity_says():
    rows = recorded("binary")[0]
    explainer = shap.TreeExplainer(BINARY)
    assert np.array_equal(explainer.shap_values(rows, check_additivity=False), explainer.shap_values(rows))


class Liar:
    """A model whose predictions are not those of the file that is explained."""

    def __init__(self, off):
        self.off = off

    def predict(self, X):
        return pellucid.load(BINARY).predict(X) + self.off


@pytest.mark.parametrize("off", [0.0, 0.01, np.nan])
def test_the_models_own_predictions_are_what_values_are_checked_against(off):
    """shap compares with its own copy of the model, so that what it reads wrongly cancels out."""
    rows = recorded("binary")[0]
    explainer = shap.TreeExplainer(BINARY)
    explainer._source = Liar(off)
    if off == 0.0:
        explainer.shap_values(rows)
        return
    with pytest.raises(pellucid.CheckError, match="row 0: the model's own library predicts"):
        explainer.shap_values(rows)
    explainer.shap_values(rows, check_additivity=False)


def test_an_explainer_is_found_for_a_model():
    rows = recorded("binary")[0]
    without, with_rows = shap.Explainer(BINARY), shap.Explainer(BINARY, rows)
    assert type(without) is shap.TreeExplainer and without.feature_perturbation == "tree_path_dependent"
    assert type(with_rows) is shap.TreeExplainer and with_rows.feature_perturbation == "interventional"
    assert np.array_equal(without(rows).values, shap.TreeExplainer(BINARY).shap_values(rows))
    assert np.array_equal(with_rows(rows).values, shap.TreeExplainer(BINARY, rows).shap_values(rows))
    named = shap.Explainer(THREE, output_names=["low", "middle", "high"])
    assert named(rows)[..., "high"].output_names == "high"


def test_exact_values_are_those_of_all_coalitions():
    rows = recorded("binary")[0]
    explainer = shap.ExactExplainer(BINARY, rows[:50])
    expected = by_coalitions(pellucid.load(BINARY).outputs, rows[70], rows[:50])
    np.testing.assert_allclose(explainer(rows[70:71]).values[0], expected[:, 0], atol=1e-6)
    assert type(shap.Explainer(BINARY, rows, algorithm="exact")) is shap.ExactExplainer


def test_values_in_probabilities_are_those_of_the_definition():
    """shap rescales a row's margins, which is another game's solution."""
    rows = recorded("binary")[0]
    explainer = shap.TreeExplainer(BINARY, rows[10:30], model_output="probability")
    e = explainer(rows[:3])
    for row in range(3):
        expected = by_coalitions(pellucid.load(BINARY).predict, rows[row], rows[10:30])
        np.testing.assert_allclose(e.values[row], expected[:, 0], atol=1e-6)
    assert e.output_space == "probability"


def log_loss_of(classes):
    """The loss of one row of class `classes` as a function of rows."""
    model = pellucid.load(THREE)
    return lambda rows: -np.log(model.predict(rows)[:, [classes]])


def test_values_of_the_loss_are_those_of_the_definition():
    rows, y = recorded("multiclass")[0], [0, 2, 1]
    explainer = shap.TreeExplainer(THREE, rows[10:30], model_output="log_loss")
    e = explainer(rows[:3], y)
    assert np.array_equal(explainer.shap_values(rows[:3], y), e.values) and e.shape == (3, 5)
    for row, label in enumerate(y):
        expected = by_coalitions(log_loss_of(label), rows[row], rows[10:30])
        np.testing.assert_allclose(e.values[row], expected[:, 0], atol=1e-6)
        total = e.values[row].sum() + e.base_values[row]
        np.testing.assert_allclose(total, log_loss_of(label)(rows[row : row + 1])[0, 0], atol=1e-6)
    with pytest.raises(pellucid.InputError, match="depends on a row's class"):
        _ = explainer.expected_value


def test_path_dependent_values_may_count_covers_from_rows():
    """With data and by paths, absent features follow the rows of data, not those of the training."""
    rows = recorded("binary")[0]
    explainer = shap.TreeExplainer(BINARY, rows[:40], feature_perturbation="tree_path_dependent")
    e = explainer(rows[:5])
    np.testing.assert_allclose(e.base_values, pellucid.load(BINARY).outputs(rows[:40]).mean(), atol=1e-6)
    assert not np.allclose(e.values, shap.TreeExplainer(BINARY)(rows[:5]).values)
    np.testing.assert_allclose(e.values.sum(axis=1) + e.base_values, pellucid.load(BINARY).outputs(rows[:5])[:, 0], atol=1e-6)


def test_linear_models_have_their_closed_form():
    coefficients, rows = np.array([2.0, -1.0, 0.5]), np.random.default_rng(3).normal(size=(40, 3))
    explainer = shap.LinearExplainer((coefficients, 1.5), rows)
    np.testing.assert_allclose(explainer.shap_values(rows), coefficients * (rows - rows.mean(axis=0)), atol=1e-5)
    np.testing.assert_allclose(explainer.expected_value, rows.mean(axis=0) @ coefficients + 1.5, atol=1e-5)
    by_mean = shap.LinearExplainer((coefficients, 1.5), (rows.mean(axis=0), np.eye(3)))
    np.testing.assert_allclose(by_mean.shap_values(rows), explainer.shap_values(rows), atol=1e-5)
    e = explainer(rows)
    np.testing.assert_allclose(e.values.sum(axis=1) + e.base_values, rows @ coefficients + 1.5, atol=1e-5)


def test_linear_models_of_several_outputs():
    coefficients, rows = np.array([[1.0, 0.0], [2.0, -1.0], [0.0, 3.0]]), np.random.default_rng(4).normal(size=(9, 2))
    explainer = shap.LinearExplainer((coefficients, np.zeros(3)), rows)
    values = explainer.shap_values(rows)
    assert values.shape == (9, 2, 3)
    np.testing.assert_allclose(values.transpose(0, 2, 1), coefficients * (rows - rows.mean(axis=0))[:, None], atol=1e-5)
    assert explainer(rows)[..., 2].shape == (9, 2) and explainer.expected_value.shape == (3,)


@pytest.mark.parametrize(
    "name",
    ["AdditiveExplainer", "CoalitionExplainer", "GPUTreeExplainer", "datasets", "models", "approximate_interactions",
     "violin_plot", "text_plot", "image_plot"],
)  # fmt: skip
def test_what_is_not_there_yet_says_what_is(name):
    with pytest.raises(pellucid.UnsupportedError, match=f"shap.*{name.removesuffix('_plot')}.*") as caught:
        getattr(shap, name)(BINARY, np.zeros((2, 5)))
    assert "there is" in str(caught.value) or "give" in str(caught.value)


def loss_of(of_rows, y):
    rows = recorded("binary")[0]
    return shap.TreeExplainer(BINARY, rows[10:30], model_output="log_loss").shap_values(rows[of_rows], y)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: shap.TreeExplainer("fixtures/models/mnist_cnn.onnx"), pellucid.InputError, "no tree model"),
        (lambda: shap.Explainer("fixtures/models/mnist_cnn.onnx"), pellucid.UnsupportedError, "integrated_gradients"),
        (lambda: shap.Explainer(len), pellucid.InputError, "masker"),
        (lambda: shap.Explainer(BINARY, algorithm="deep"), pellucid.UnsupportedError, "permutation"),
        (lambda: shap.Explainer(BINARY, algorithm="permutation"), pellucid.InputError, "masker"),
        (lambda: shap.Explainer(BINARY, algorithm="linear"), pellucid.InputError, "take `tree`"),
        (lambda: shap.Explainer(BINARY, link=shap.links.logit), pellucid.UnsupportedError, "link"),
        (lambda: shap.ExactExplainer(BINARY, None), pellucid.InputError, "masker"),
        (lambda: shap.LinearExplainer(BINARY, np.zeros((2, 5))), pellucid.InputError, "no linear model"),
        (lambda: shap.TreeExplainer(BINARY, model_output="loss"), pellucid.UnsupportedError, "raw, probability, log_loss"),
        (lambda: loss_of([0, 1], None), pellucid.InputError, "give y"),
        (lambda: loss_of([0, 1], [0, 2]), pellucid.InputError, "2 is no class of the model; there are: 0 and 1"),
        (lambda: loss_of([0, 1], [0]), pellucid.InputError, "labels: 1 for 2 rows"),
        (lambda: shap.TreeExplainer(BINARY, model_output="log_loss")(np.zeros((2, 5)), [0, 1]), pellucid.InputError, "background"),
        (lambda: shap.TreeExplainer(BINARY, feature_perturbation="x"), pellucid.InputError, "interventional"),
        (lambda: shap.TreeExplainer(BINARY, feature_perturbation="interventional"), pellucid.InputError, "data=rows"),
        (lambda: shap.TreeExplainer(BINARY).shap_values(np.zeros((2, 4))), pellucid.InputError, "4 columns"),
        (lambda: shap.TreeExplainer(BINARY).shap_values(np.zeros((2, 5)), tree_limit=3), pellucid.UnsupportedError, "tree_limit"),
        (lambda: shap.TreeExplainer(BINARY).shap_values(np.zeros((2, 5)), y=[0, 1]), pellucid.InputError, "leave y out"),
        (lambda: shap.maskers.Text(None), pellucid.UnsupportedError, "maskers.Text"),
        (lambda: shap.nothing, AttributeError, "nothing"),
    ],
)  # fmt: skip
def test_faults_have_one_clear_line(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_samples_are_those_that_scikit_learns_resample_draws():
    """shap draws by it: recorded for ten rows, three of them, seed 0."""
    assert shap.sample(np.arange(10)[:, None], 3).ravel().tolist() == [2, 8, 4]
    assert shap.sample(np.arange(3)[:, None], 100).ravel().tolist() == [0, 1, 2]


def test_links_and_their_inverses():
    assert shap.links.identity(3.0) == shap.links.identity.inverse(3.0) == 3.0
    np.testing.assert_allclose(shap.links.logit(np.array([0.25, 0.5])), [-math.log(3), 0.0])
    np.testing.assert_allclose(shap.links.logit.inverse(shap.links.logit(0.1)), 0.1)


def test_explanations_are_pickled():
    e = shap.TreeExplainer(BINARY)(recorded("binary")[0][:3])
    again = pickle.loads(pickle.dumps(e))
    assert np.array_equal(again.values, e.values) and again.feature_names == e.feature_names
