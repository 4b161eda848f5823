"""Models of the libraries people train with predict here what they predict there, and are explained completely."""

import numpy as np
import pytest

import pellucid

sklearn = pytest.importorskip("sklearn")

from sklearn import ensemble, linear_model, neural_network, svm, tree  # noqa: E402
from sklearn.compose import ColumnTransformer  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: E402

RANDOM = np.random.default_rng(7)
X = RANDOM.standard_normal((300, 6)).astype(np.float32).astype(np.float64)
VALUE = X[:, 0] * 3 + np.abs(X[:, 1]) * X[:, 2] + RANDOM.standard_normal(300) * 0.1
TWO = (VALUE > 0).astype(int)
THREE = np.digitize(VALUE, [-1.5, 1.5])
WEIGHTS = RANDOM.uniform(0.5, 2.0, 300)
HOLES = np.where(RANDOM.uniform(size=X.shape) < 0.1, np.nan, X)


def check(estimator, rows=X, *, exact=True, tolerance=1e-9):
    """Predictions are the estimator's own, and values add up to them."""
    model = pellucid.load(estimator)
    expected = estimator.predict_proba(rows) if hasattr(estimator, "predict_proba") else estimator.predict(rows)
    found = model.predict(rows)
    if found.shape[1] == 1 and np.ndim(expected) == 2:
        expected = expected[:, 1]
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), rtol=tolerance, atol=tolerance)
    explanation = pellucid.explain(model, rows, target="all")
    n_rows = len(rows)
    values = explanation.values.reshape(n_rows, explanation.data.shape[1], -1).sum(axis=1)
    gap = values + explanation.base_values.reshape(n_rows, -1) - explanation.outputs.reshape(n_rows, -1)
    assert np.abs(gap).max() < 1e-6 * max(1.0, np.abs(VALUE).max())
    np.testing.assert_array_equal(explanation.outputs.reshape(n_rows, -1), model.outputs(rows))
    return model, explanation


TREES = [
    tree.DecisionTreeRegressor(max_depth=5, random_state=0),
    tree.ExtraTreeRegressor(random_state=0),
    ensemble.RandomForestRegressor(20, max_depth=6, random_state=0),
    ensemble.ExtraTreesRegressor(20, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=30, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=30, loss="huber", subsample=0.7, random_state=0),
    ensemble.GradientBoostingRegressor(n_estimators=5, init="zero", random_state=0),
    ensemble.HistGradientBoostingRegressor(max_iter=30, random_state=0),
]
CLASSIFIERS = [
    tree.DecisionTreeClassifier(max_depth=5, random_state=0),
    tree.ExtraTreeClassifier(random_state=0),
    ensemble.RandomForestClassifier(20, max_depth=6, random_state=0),
    ensemble.ExtraTreesClassifier(20, random_state=0),
    ensemble.GradientBoostingClassifier(n_estimators=30, random_state=0),
    ensemble.HistGradientBoostingClassifier(max_iter=30, random_state=0),
]


def fitted(estimator, labels, **options):
    return sklearn.clone(estimator).fit(X, labels, **options)


@pytest.mark.parametrize("estimator", TREES, ids=str)
def test_trees_of_values(estimator):
    check(fitted(estimator, VALUE))
    check(fitted(estimator, VALUE, sample_weight=WEIGHTS))


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=str)
def test_trees_of_classes(estimator, labels):
    model, _ = check(fitted(estimator, labels))
    check(fitted(estimator, labels, sample_weight=WEIGHTS))
    if model.n_outputs > 1:
        assert model.output_names == [str(label) for label in sorted(set(labels))]


def test_exponential_loss_and_counts():
    check(fitted(ensemble.GradientBoostingClassifier(n_estimators=9, loss="exponential", random_state=0), TWO))
    counts = np.round(np.exp(X[:, 0]))
    model, _ = check(fitted(ensemble.HistGradientBoostingRegressor(loss="poisson", max_iter=9, random_state=0), counts))
    assert model.predict(X).min() > 0


def test_several_values_at_once():
    both = np.stack([VALUE, -VALUE + X[:, 3]], axis=1)
    for estimator in [tree.DecisionTreeRegressor(max_depth=5, random_state=0), ensemble.RandomForestRegressor(9)]:
        check(fitted(estimator, both))


@pytest.mark.parametrize(
    "estimator",
    [
        tree.DecisionTreeClassifier(max_depth=6, random_state=0),
        ensemble.RandomForestClassifier(10, random_state=0),
        ensemble.HistGradientBoostingClassifier(max_iter=20, random_state=0),
    ],
    ids=str,
)
def test_missing_values_go_where_the_estimator_sends_them(estimator):
    check(sklearn.clone(estimator).fit(HOLES, TWO), HOLES)


def test_missing_values_are_refused_where_the_estimator_refuses_them():
    estimator = fitted(ensemble.GradientBoostingClassifier(n_estimators=3, random_state=0), TWO)
    with pytest.raises(ValueError):
        estimator.predict(HOLES)
    with pytest.raises(pellucid.InputError, match="missing"):
        pellucid.explain(estimator, HOLES)


def test_path_dependent_values_use_the_weights_of_training_rows():
    """On one split the value is known: the mean of both sides by weight, less it."""
    stump = tree.DecisionTreeRegressor(max_depth=1).fit(X[:, :1], VALUE, sample_weight=WEIGHTS)
    explanation = pellucid.explain(stump, X[:, :1])
    mean = np.average(stump.predict(X[:, :1]), weights=WEIGHTS)
    np.testing.assert_allclose(explanation.base_values, mean)
    np.testing.assert_allclose(explanation.values[:, 0], stump.predict(X[:, :1]) - mean)


LINEAR = [
    (linear_model.LinearRegression(), VALUE),
    (linear_model.Ridge(), VALUE),
    (linear_model.Lasso(alpha=0.01), VALUE),
    (linear_model.ElasticNet(alpha=0.01), VALUE),
    (linear_model.SGDRegressor(random_state=0), VALUE),
    (linear_model.LogisticRegression(), TWO),
    (linear_model.LogisticRegression(), THREE),
]


@pytest.mark.parametrize(("estimator", "labels"), LINEAR, ids=str)
def test_linear_models_have_exact_shapley_values(estimator, labels):
    estimator = fitted(estimator, labels)
    background = X[:50]
    explanation = pellucid.explain(estimator, X, background=background, target=0)
    sign = 1.0 if np.ndim(estimator.coef_) == 1 or len(estimator.coef_) > 1 else 1.0
    coefficients = np.atleast_2d(estimator.coef_)[0] * sign
    np.testing.assert_allclose(explanation.values, coefficients * (X - background.mean(axis=0)), atol=1e-4)
    assert np.abs(explanation.convergence_delta).max() < 1e-4


@pytest.mark.parametrize(("estimator", "labels"), LINEAR, ids=str)
def test_linear_models_predict_as_they_do(estimator, labels):
    estimator = fitted(estimator, labels)
    expected = estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)
    found = pellucid.load(estimator).predict(X)
    expected = expected[:, 1] if found.shape[1] == 1 and np.ndim(expected) == 2 else expected
    np.testing.assert_allclose(found, np.reshape(expected, found.shape), atol=1e-5)


def test_a_linear_support_vector_machine_has_margins():
    estimator = svm.LinearSVC().fit(X, TWO)
    np.testing.assert_allclose(pellucid.load(estimator).outputs(X)[:, 0], estimator.decision_function(X), atol=1e-5)


def test_a_pipeline_explains_its_last_step():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "color": RANDOM.choice(["red", "blue"], 300)})
    before = ColumnTransformer([("scaled", StandardScaler(), ["a", "b"]), ("coded", OneHotEncoder(), ["color"])])
    pipeline = make_pipeline(before, ensemble.RandomForestClassifier(10, random_state=0)).fit(table, TWO)
    explanation = pellucid.explain(pipeline, table, target=1)
    assert explanation.feature_names == ["scaled__a", "scaled__b", "coded__color_blue", "coded__color_red"]
    np.testing.assert_allclose(explanation.outputs, pipeline.predict_proba(table)[:, 1])


def test_names_of_columns_are_the_estimators():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(X, columns=list("abcdef"))
    forest = ensemble.RandomForestRegressor(5, random_state=0).fit(table, VALUE)
    explanation = pellucid.explain(forest, table[list("fedcba")])
    assert explanation.feature_names == list("abcdef")
    np.testing.assert_allclose(explanation.outputs, forest.predict(table))


def test_categories_inside_an_estimator_are_refused_by_name():
    table = X.copy()
    table[:, 0] = RANDOM.integers(0, 4, 300)
    estimator = ensemble.HistGradientBoostingClassifier(categorical_features=[0]).fit(table, TWO)
    with pytest.raises(pellucid.UnsupportedError, match="categorical"):
        pellucid.load(estimator)


def test_other_estimators_go_by_way_of_onnx():
    estimator = neural_network.MLPClassifier((8,), max_iter=50, random_state=0).fit(X, THREE)
    if __import__("importlib.util").util.find_spec("skl2onnx") is None:
        with pytest.raises(pellucid.UnsupportedError, match="skl2onnx"):
            pellucid.load(estimator)
        return
    model = pellucid.load(estimator)
    np.testing.assert_allclose(model.predict(X), estimator.predict_proba(X), atol=1e-5)
    assert pellucid.explain(model, X[:2]).values.shape == (2, 6)


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
def test_lightgbm(labels):
    lightgbm = pytest.importorskip("lightgbm")
    estimator = lightgbm.LGBMClassifier(n_estimators=15, min_child_samples=5, verbose=-1).fit(X, labels)
    for model in [estimator, estimator.booster_]:
        loaded = pellucid.load(model)
        expected = estimator.predict_proba(X)
        expected = expected[:, 1:] if loaded.n_outputs == 1 else expected
        np.testing.assert_allclose(loaded.predict(X), expected, atol=1e-9)
        explanation = pellucid.explain(loaded, X, target="all")
        theirs = estimator.predict_proba(X, pred_contrib=True).reshape(300, loaded.n_outputs, 7)
        ours = explanation.values.reshape(300, 6, -1).transpose(0, 2, 1)
        np.testing.assert_allclose(ours, theirs[:, :, :-1], atol=1e-6)


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
def test_xgboost(labels):
    xgboost = pytest.importorskip("xgboost")
    estimator = xgboost.XGBClassifier(n_estimators=15, max_depth=4).fit(X, labels)
    for model in [estimator, estimator.get_booster()]:
        loaded = pellucid.load(model)
        expected = estimator.predict_proba(X)
        expected = expected[:, 1:] if loaded.n_outputs == 1 else expected
        np.testing.assert_allclose(loaded.predict(X), expected, atol=1e-6)
        explanation = pellucid.explain(loaded, X, target="all")
        theirs = estimator.get_booster().predict(xgboost.DMatrix(X), pred_contribs=True).reshape(300, -1, 7)
        ours = explanation.values.reshape(300, 6, -1).transpose(0, 2, 1)
        np.testing.assert_allclose(ours, theirs[:, :, :-1], atol=2e-5)
    assert pellucid.load(estimator).output_names == (None if loaded.n_outputs == 1 else ["0", "1", "2"])


def test_xgboosts_early_stopping_missing_value_and_categories():
    xgboost = pytest.importorskip("xgboost")
    pandas = pytest.importorskip("pandas")
    stopped = xgboost.XGBRegressor(n_estimators=200, early_stopping_rounds=2, missing=-1.0)
    rows = np.where(np.isnan(HOLES), -1.0, HOLES)
    stopped.fit(rows[:200], VALUE[:200], eval_set=[(rows[200:], VALUE[200:])], verbose=False)
    assert stopped.best_iteration < 199
    np.testing.assert_allclose(pellucid.load(stopped).predict(rows)[:, 0], stopped.predict(rows), atol=1e-5)
    table = pandas.DataFrame({"a": X[:, 0], "color": pandas.Categorical(RANDOM.choice(["red", "blue", "tan"], 300))})
    by_color = xgboost.XGBRegressor(n_estimators=9, enable_categorical=True).fit(table, VALUE)
    explanation = pellucid.explain(by_color, table)
    np.testing.assert_allclose(explanation.outputs, by_color.predict(table), atol=1e-5)
    assert explanation.feature_names == ["a", "color"]
