"""Objects of libraries that are too large for `make test`: what they predict is what Pellucid explains."""

import catboost
import numpy as np
import onnx
import pytest
import skl2onnx
from sklearn import ensemble, gaussian_process, neural_network

import pellucid

RANDOM = np.random.default_rng(3)
X = RANDOM.standard_normal((300, 6)).astype(np.float32)
SCORE = X[:, 0] * 2 + np.abs(X[:, 1]) - X[:, 2] * X[:, 3]
TWO = (SCORE > 0.5).astype(int)
THREE = np.digitize(SCORE, [-0.5, 1.5])


def catboosts(**options):
    return {"iterations": 20, "depth": 4, "verbose": False, "allow_writing_files": False, "random_seed": 1} | options


@pytest.mark.parametrize("grow_policy", ["SymmetricTree", "Lossguide"])
@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
def test_catboosts_classifier(labels, grow_policy):
    model = catboost.CatBoostClassifier(**catboosts(grow_policy=grow_policy)).fit(X, labels)
    loaded = pellucid.load(model)
    expected = model.predict_proba(X)
    expected = expected[:, 1:] if loaded.n_outputs == 1 else expected
    np.testing.assert_allclose(loaded.predict(X), expected, atol=1e-9)
    explanation = pellucid.explain(loaded, X, target="all", background=X)
    raw = model.predict(X, prediction_type="RawFormulaVal").reshape(300, -1)
    np.testing.assert_allclose(explanation.outputs.reshape(300, -1), raw, atol=1e-9)
    total = explanation.values.sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(total, explanation.outputs, atol=1e-9)


def test_catboosts_path_dependent_values():
    model = catboost.CatBoostRegressor(**catboosts()).fit(X, SCORE)
    theirs = model.get_feature_importance(catboost.Pool(X), "ShapValues", shap_mode="NoPreCalc")
    explanation = pellucid.explain(model, X)
    np.testing.assert_allclose(explanation.base_values, theirs[:, -1], atol=1e-6)
    np.testing.assert_allclose(explanation.values, theirs[:, :-1], atol=1e-6)


def test_catboosts_missing_values():
    holes = X.copy()
    holes[::7, 0] = np.nan
    model = catboost.CatBoostRegressor(**catboosts()).fit(holes, SCORE)
    np.testing.assert_allclose(pellucid.load(model).predict(holes)[:, 0], model.predict(holes), atol=1e-9)


def test_catboosts_categories_are_refused_by_name():
    table = [[float(x), "red" if x > 0 else "blue" if x > -1 else f"shade {i % 40}"] for i, x in enumerate(X[:, 0])]
    model = catboost.CatBoostRegressor(cat_features=[1], **catboosts()).fit(table, SCORE)
    with pytest.raises(pellucid.UnsupportedError, match="(?i)ctr|categor"):
        pellucid.load(model)


def test_a_catboost_model_that_is_not_fitted():
    with pytest.raises((pellucid.Error, catboost.CatBoostError)):
        pellucid.load(catboost.CatBoostRegressor())


def proto(estimator) -> onnx.ModelProto:
    return skl2onnx.to_onnx(estimator, X[:1], options={"zipmap": False} if hasattr(estimator, "classes_") else None)


def test_a_forest_as_an_onnx_model():
    """Files of trees hold no covers, so that absent features need a background."""
    forest = ensemble.RandomForestClassifier(10, random_state=0).fit(X, THREE)
    explanation = pellucid.explain(proto(forest), X, target="all", background=X)
    np.testing.assert_allclose(explanation.outputs, forest.predict_proba(X), atol=1e-5)
    with pytest.raises(pellucid.UnsupportedError, match="cover"):
        pellucid.explain(proto(forest), X)


@pytest.mark.parametrize("labels", [TWO, THREE], ids=["two", "three"])
def test_a_network_as_an_onnx_model(labels):
    estimator = neural_network.MLPClassifier((8,), max_iter=200, random_state=0).fit(X, labels)
    for model in [proto(estimator), estimator]:
        loaded = pellucid.load(model)
        assert loaded.kind == "network"
        explanation = pellucid.explain(loaded, X[:20], target=0, n_steps=200, baseline=0.0)
        total = explanation.values.sum(axis=1) + explanation.base_values
        np.testing.assert_allclose(total, explanation.outputs, atol=2e-2)


def test_a_network_of_values():
    estimator = neural_network.MLPRegressor(hidden_layer_sizes=(8,), max_iter=200, random_state=0).fit(X, SCORE)
    np.testing.assert_allclose(pellucid.load(estimator).predict(X)[:, 0], estimator.predict(X), atol=1e-4)


def test_an_estimator_beyond_the_rules_is_refused():
    estimator = gaussian_process.GaussianProcessRegressor(gaussian_process.kernels.Matern(nu=0.7)).fit(X[:20], SCORE[:20])
    with pytest.raises(pellucid.UnsupportedError):
        pellucid.load(estimator)
