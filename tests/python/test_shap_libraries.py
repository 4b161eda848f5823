"""Models of the libraries people train with, through shap's names; and shap itself, where it is right."""

import warnings

import numpy as np
import pellucid
import pellucid.shap as ours
import pytest

sklearn = pytest.importorskip("sklearn")
pandas = pytest.importorskip("pandas")

from sklearn import ensemble, linear_model, tree  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

RANDOM = np.random.default_rng(11)
X = RANDOM.standard_normal((240, 5)).astype(np.float32).astype(np.float64)
VALUE = X[:, 0] * 2 + np.abs(X[:, 1]) * X[:, 2] + RANDOM.standard_normal(240) * 0.1
TWO, THREE = (VALUE > 0).astype(int), np.digitize(VALUE, [-1.0, 1.0])
TABLE = pandas.DataFrame(X, columns=["age", "hours", "gain", "loss", "years"])
HOLES = np.where(RANDOM.uniform(size=X.shape) < 0.15, np.nan, X)


def adds_up(e, margins, tolerance=1e-6):
    """Values and base values make up the margins, but for a share of the largest of them."""
    summed = (e.values.sum(axis=1) + e.base_values).reshape(len(e), -1)
    margins = np.reshape(margins, summed.shape)
    np.testing.assert_allclose(summed, margins, rtol=0, atol=tolerance * max(1.0, np.abs(margins).max()))


def by_coalitions(outputs, row, background):
    """Interventional Shapley values of one output by their definition, feature by feature, over all orders' prefixes."""
    import itertools
    import math

    n = len(row)
    masks = np.array(list(itertools.product([False, True], repeat=n)))
    worth = np.array([np.mean(outputs(np.where(mask, row, background)), axis=0) for mask in masks])
    weights = [math.factorial(k - 1) * math.factorial(n - k) / math.factorial(n) if k else 0.0 for k in range(n + 1)]
    values = []
    for feature in range(n):
        bit = 1 << (n - 1 - feature)
        with_it = [index for index in range(len(masks)) if masks[index][feature]]
        values.append(sum(weights[masks[index].sum()] * (worth[index] - worth[index - bit]) for index in with_it))
    return np.array(values)


FORESTS = [
    tree.DecisionTreeClassifier(max_depth=4, random_state=0),
    ensemble.RandomForestClassifier(12, max_depth=5, random_state=0),
    ensemble.ExtraTreesClassifier(12, max_depth=5, random_state=0),
]


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("estimator", FORESTS, ids=str)
def test_forests_of_classes_have_a_probability_for_each(estimator, labels):
    """Two classes have two outputs, as in shap: `values[:, :, 1]` is the second."""
    estimator = sklearn.clone(estimator).fit(X, labels)
    explainer = ours.TreeExplainer(estimator)
    e = explainer(X)
    assert e.shape == (240, 5, len(set(labels))) and e.base_values.shape == (240, len(set(labels)))
    assert e.output_names == [str(label) for label in sorted(set(labels))]
    adds_up(e, estimator.predict_proba(X))
    np.testing.assert_allclose(explainer.expected_value.sum(), 1.0)


@pytest.mark.parametrize(
    "estimator",
    [
        tree.DecisionTreeRegressor(max_depth=4, random_state=0),
        ensemble.RandomForestRegressor(12, max_depth=5, random_state=0),
        ensemble.GradientBoostingRegressor(n_estimators=20, random_state=0),
        ensemble.HistGradientBoostingRegressor(max_iter=20, random_state=0),
    ],
    ids=str,
)
def test_regressors_have_one_output(estimator):
    estimator = sklearn.clone(estimator).fit(TABLE, VALUE)
    explainer = ours.TreeExplainer(estimator)
    e = explainer(TABLE)
    assert e.shape == (240, 5) and isinstance(explainer.expected_value, float)
    assert e.feature_names == list(TABLE.columns)
    adds_up(e, estimator.predict(TABLE))


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
@pytest.mark.parametrize("kind", [ensemble.GradientBoostingClassifier, ensemble.HistGradientBoostingClassifier])
def test_boosting_has_margins(kind, labels):
    """Of three classes too, which shap refuses for gradient boosting."""
    size = {"max_iter": 15} if kind is ensemble.HistGradientBoostingClassifier else {"n_estimators": 15}
    estimator = kind(random_state=0, **size).fit(X, labels)
    e = ours.TreeExplainer(estimator)(X)
    assert e.shape == ((240, 5) if len(set(labels)) == 2 else (240, 5, 3))
    adds_up(e, estimator.decision_function(X))


def test_a_forest_with_a_background_has_the_values_of_the_definition():
    forest = ensemble.RandomForestClassifier(6, max_depth=4, random_state=0).fit(X, TWO)
    explainer = ours.TreeExplainer(forest, X[:40])
    values = explainer.shap_values(X[100:103])
    for row, own in zip(X[100:103], values):
        np.testing.assert_allclose(own, by_coalitions(forest.predict_proba, row, X[:40]), atol=1e-6)


def test_missing_cells_go_where_the_estimator_sends_them():
    estimator = ensemble.HistGradientBoostingClassifier(max_iter=15, random_state=0).fit(HOLES, TWO)
    adds_up(ours.TreeExplainer(estimator)(HOLES), estimator.decision_function(HOLES))


def test_frames_are_explained_in_the_order_of_their_columns():
    """shap pairs cells with features by place alone."""
    forest = ensemble.RandomForestRegressor(8, max_depth=4, random_state=0).fit(TABLE, VALUE)
    explainer = ours.TreeExplainer(forest)
    turned = TABLE[TABLE.columns[::-1]]
    assert np.array_equal(explainer.shap_values(turned, check_additivity=False), explainer.shap_values(TABLE)[:, ::-1])
    e = explainer(turned, check_additivity=False)
    assert e.feature_names == list(turned.columns) and np.array_equal(e.data, turned.to_numpy())
    with pytest.raises(pellucid.InputError, match="income are no features"):
        explainer.shap_values(TABLE.assign(income=VALUE), check_additivity=False)


def test_a_row_of_a_frame_is_one_row():
    forest = ensemble.RandomForestRegressor(8, max_depth=4, random_state=0).fit(TABLE, VALUE)
    explainer = ours.TreeExplainer(forest)
    assert np.array_equal(explainer.shap_values(TABLE.iloc[3]), explainer.shap_values(TABLE)[3])
    assert explainer(TABLE.iloc[[3]]).shape == (1, 5)


def test_cohorts_and_top_features_of_a_frame():
    forest = ensemble.RandomForestRegressor(8, max_depth=4, random_state=0).fit(TABLE, VALUE)
    e = ours.Explainer(forest)(TABLE)
    groups = e.cohorts(np.where(TABLE["age"] > 0, "old", "young")).abs.mean(0).cohorts
    np.testing.assert_allclose(groups["old"].values, np.abs(e.values[TABLE["age"] > 0]).mean(axis=0))
    top = e[:, e.abs.mean(0).argsort.flip[:2]]
    assert set(top.feature_names) <= set(TABLE.columns) and "age" in top.feature_names
    assert sum(len(group) for group in e.cohorts(3).cohorts.values()) == 240


@pytest.mark.parametrize(
    ("estimator", "labels"),
    [
        (linear_model.LinearRegression(), VALUE),
        (linear_model.LogisticRegression(), TWO),
        (linear_model.LogisticRegression(), THREE),
    ],
    ids=str,
)
def test_linear_models(estimator, labels):
    estimator = sklearn.clone(estimator).fit(TABLE, labels)
    explainer = ours.Explainer(estimator, TABLE)
    assert type(explainer) is ours.LinearExplainer
    e = explainer(TABLE)
    coefficients = np.atleast_2d(estimator.coef_)
    expected = (coefficients[:, None] * (X - X.mean(axis=0))).transpose(1, 2, 0)
    np.testing.assert_allclose(e.values.reshape(expected.shape), expected, atol=1e-4)
    margins = (
        estimator.decision_function(TABLE) if hasattr(estimator, "decision_function") else estimator.predict(TABLE)
    )
    adds_up(e, margins, 1e-4)


def test_a_pipeline_is_explained_by_its_last_step():
    pipeline = make_pipeline(StandardScaler(), ensemble.RandomForestRegressor(8, max_depth=4, random_state=0)).fit(
        TABLE, VALUE
    )
    e = ours.TreeExplainer(pipeline)(TABLE)
    assert e.feature_names == list(TABLE.columns)
    np.testing.assert_allclose(e.data, pipeline[:-1].transform(TABLE))
    adds_up(e, pipeline.predict(TABLE))
    with_rows = ours.TreeExplainer(pipeline, TABLE[:50])
    np.testing.assert_allclose(with_rows.expected_value, pipeline.predict(TABLE[:50]).mean())


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
def test_lightgbm(labels):
    lightgbm = pytest.importorskip("lightgbm")
    estimator = lightgbm.LGBMClassifier(n_estimators=12, min_child_samples=5, verbose=-1).fit(TABLE, labels)
    explainer = ours.TreeExplainer(estimator)
    e = explainer(TABLE)
    assert e.shape == ((240, 5) if len(set(labels)) == 2 else (240, 5, 3))
    theirs = estimator.predict(TABLE, pred_contrib=True).reshape(240, -1, 6)
    np.testing.assert_allclose(e.values.reshape(240, 5, -1).transpose(0, 2, 1), theirs[:, :, :-1], atol=1e-6)
    np.testing.assert_allclose(np.ravel(explainer.expected_value), theirs[0, :, -1], atol=1e-6)


def test_lightgbm_categories_beyond_what_shap_can_hold():
    """shap packs them into a number: wrong for the first, and beyond 32."""
    lightgbm = pytest.importorskip("lightgbm")
    codes = RANDOM.integers(0, 50, 240)
    table = pandas.DataFrame(
        {"age": X[:, 0], "town": pandas.Categorical.from_codes(codes, [f"town {i}" for i in range(50)])}
    )
    estimator = lightgbm.LGBMRegressor(
        n_estimators=12, min_child_samples=3, min_data_per_group=1, cat_smooth=1, verbose=-1
    )
    estimator.fit(table, VALUE + codes % 7)
    explainer = ours.TreeExplainer(estimator)
    e = explainer(table)
    theirs = estimator.predict(table, pred_contrib=True)
    np.testing.assert_allclose(e.values, theirs[:, :-1], atol=1e-6)
    np.testing.assert_allclose(explainer.shap_interaction_values(table[:9]).sum(axis=2), e.values[:9], atol=1e-6)
    assert e.display_data[0, 1] == table["town"][0] and e.data[0, 1] == codes[0]


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
def test_xgboost(labels):
    xgboost = pytest.importorskip("xgboost")
    estimator = xgboost.XGBClassifier(n_estimators=12, max_depth=4).fit(TABLE, labels)
    booster, rows = estimator.get_booster(), xgboost.DMatrix(TABLE)
    explainer = ours.TreeExplainer(estimator)
    e = explainer(TABLE)
    theirs = booster.predict(rows, pred_contribs=True).reshape(240, -1, 6)
    np.testing.assert_allclose(e.values.reshape(240, 5, -1).transpose(0, 2, 1), theirs[:, :, :-1], atol=2e-5)
    np.testing.assert_allclose(np.ravel(explainer.expected_value), theirs[0, :, -1], atol=2e-5)
    pairs = booster.predict(rows, pred_interactions=True).reshape(240, -1, 6, 6)[:, :, :-1, :-1]
    ours_of_pairs = explainer.shap_interaction_values(TABLE).reshape(240, 5, 5, -1).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(ours_of_pairs, pairs, atol=1e-4)
    assert np.array_equal(ours.TreeExplainer(booster).shap_values(TABLE), e.values)


def test_xgboost_with_missing_cells_and_early_stopping():
    xgboost = pytest.importorskip("xgboost")
    estimator = xgboost.XGBRegressor(n_estimators=100, early_stopping_rounds=2, missing=-1.0)
    rows = np.where(np.isnan(HOLES), -1.0, HOLES)
    estimator.fit(rows[:160], VALUE[:160], eval_set=[(rows[160:], VALUE[160:])], verbose=False)
    adds_up(ours.TreeExplainer(estimator)(rows), estimator.predict(rows), 1e-5)
    booster = xgboost.train({"max_depth": 3}, xgboost.DMatrix(HOLES, VALUE), 9)
    adds_up(ours.TreeExplainer(booster)(HOLES), booster.predict(xgboost.DMatrix(HOLES)), 1e-5)


def test_catboost():
    catboost = pytest.importorskip("catboost")
    estimator = catboost.CatBoostClassifier(
        iterations=12, depth=4, verbose=False, random_seed=0, allow_writing_files=False
    )
    estimator.fit(TABLE, THREE)
    e = ours.TreeExplainer(estimator)(TABLE)
    assert e.shape == (240, 5, 3)
    adds_up(e, estimator.predict(TABLE, prediction_type="RawFormulaVal"))


def peers():
    """Where shap is right its numbers and shapes are ours: models, and whether there is a background."""
    found = [
        ("random forest", ensemble.RandomForestClassifier(9, max_depth=4, random_state=0).fit(X, TWO)),
        ("extra trees of three", ensemble.ExtraTreesClassifier(9, max_depth=4, random_state=0).fit(X, THREE)),
        ("regression forest", ensemble.RandomForestRegressor(9, max_depth=4, random_state=0).fit(X, VALUE)),
        ("gradient boosting", ensemble.GradientBoostingClassifier(n_estimators=9, random_state=0).fit(X, TWO)),
    ]
    return [
        pytest.param(model, background, id=f"{name}, {background}")
        for name, model in found
        for background in (None, 60)
    ]


@pytest.mark.parametrize(("model", "background"), peers())
def test_numbers_and_shapes_are_shaps_where_it_is_right(model, background):
    shap = pytest.importorskip("shap")
    data = None if background is None else X[:background]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = shap.TreeExplainer(model, data)
        expected, expected_call = theirs.shap_values(X[:30]), theirs(X[:30])
    explainer = ours.TreeExplainer(model, data)
    values, call = explainer.shap_values(X[:30]), explainer(X[:30])
    assert values.shape == expected.shape and call.base_values.shape == expected_call.base_values.shape
    np.testing.assert_allclose(values, expected, atol=1e-5)
    np.testing.assert_allclose(np.ravel(explainer.expected_value), np.ravel(theirs.expected_value), atol=1e-5)
    for item in [0, (slice(None), 2), (slice(2, 9), slice(1, 3)), [4, 1]]:
        assert call[item].shape == expected_call[item].shape
        assert np.shape(call[item].base_values) == np.shape(expected_call[item].base_values)
    np.testing.assert_allclose(call.abs.mean(0).values, expected_call.abs.mean(0).values, atol=1e-5)
    if background is None:
        pairs = theirs.shap_interaction_values(X[:5])
        np.testing.assert_allclose(explainer.shap_interaction_values(X[:5]), pairs, atol=1e-5)


def test_an_explanation_becomes_shaps_own():
    shap = pytest.importorskip("shap")
    forest = ensemble.RandomForestRegressor(8, max_depth=4, random_state=0).fit(TABLE, VALUE)
    made = pellucid.explain(forest, TABLE).to_shap()
    assert isinstance(made, shap.Explanation) and made.feature_names == list(TABLE.columns)
    assert np.array_equal(made.values, ours.TreeExplainer(forest).shap_values(TABLE))
