"""lime's explainers: its signatures, shapes and defaults."""

import numpy as np
import pandas
import pytest

import pellucid
from pellucid.lime import LimeImageExplainer, LimeTabularExplainer, LimeTextExplainer, lime_tabular

TRAIN = np.random.default_rng(0).normal(size=(500, 3))
WEIGHTS = np.array([1.0, -2.0, 0.0])


def regression(rows):
    return rows @ WEIGHTS + 0.5


def classes(rows):
    p = 1 / (1 + np.exp(-3 * regression(rows)))
    return np.stack([1 - p, p / 2, p / 2], axis=1)


def test_a_linear_function_is_its_own_surrogate():
    explainer = LimeTabularExplainer(TRAIN, mode="regression", discretize_continuous=False, random_state=1)
    e = explainer.explain_instance(TRAIN[0], regression)
    weights = dict(e.as_map()[1])
    # Of standardized numbers; the ridge of lime takes a little away.
    np.testing.assert_allclose([weights[i] for i in range(3)], WEIGHTS * TRAIN.std(axis=0), atol=0.02)
    assert [name for name, _ in e.as_list()][:2] == ["1", "0"]
    assert e.score[1] > 0.999 and e.intercept[1] == pytest.approx(regression(TRAIN).mean(), abs=0.02)
    assert e.local_pred[1] == pytest.approx([e.predicted_value], abs=0.05)
    assert e.predicted_value == pytest.approx(regression(TRAIN[:1])[0])
    assert dict(e.as_map()[0]) == {feature: -weight for feature, weight in weights.items()}
    with pytest.raises(pellucid.InputError, match="no labels"):
        e.available_labels()


def test_labels_are_chosen_and_features_described():
    explainer = LimeTabularExplainer(
        pandas.DataFrame(TRAIN, columns=["age", "pay", "job"]), class_names=["a", "b", "c"]
    )
    e = explainer.explain_instance(TRAIN[0], classes, num_features=2, num_samples=1000)
    assert e.available_labels() == [1] and len(e.as_list()) == 2 and len(e.as_list(label=1)) == 2
    quartiles = np.percentile(TRAIN[:, 1], [25, 50, 75])
    (name,) = [name for name, _ in e.as_list() if "pay" in name]
    number = np.searchsorted(quartiles, TRAIN[0, 1])
    assert name == [
        f"pay <= {quartiles[0]:.2f}", f"{quartiles[0]:.2f} < pay <= {quartiles[1]:.2f}",
        f"{quartiles[1]:.2f} < pay <= {quartiles[2]:.2f}", f"pay > {quartiles[2]:.2f}",
    ][number]  # fmt: skip
    top = explainer.explain_instance(TRAIN[0], classes, top_labels=2, num_samples=500)
    outputs = classes(TRAIN[:1])[0]
    assert top.available_labels() == np.argsort(outputs)[::-1][:2].tolist() and len(top.local_exp) == 2
    np.testing.assert_allclose(top.predict_proba, outputs)
    both = explainer.explain_instance(TRAIN[0], classes, labels=(0, 2), num_samples=500)
    assert sorted(both.as_map()) == [0, 2] and set(both.score) == set(both.intercept) == set(both.local_pred) == {0, 2}
    sizes = [abs(weight) for _, weight in both.as_map()[0]]
    assert sizes == sorted(sizes, reverse=True)


def test_categories_are_shared_or_not():
    rows = np.random.default_rng(1).integers(0, 3, size=(300, 2)).astype(float)
    explainer = LimeTabularExplainer(
        rows, "regression", feature_names=["color", "size"], categorical_features=[0, 1], categorical_names={0: ["red", "green", "blue"]}
    )
    e = explainer.explain_instance(np.array([1.0, 2.0]), lambda rows: (rows[:, 0] == 1) * 5.0)
    (first, weight), (second, other) = e.as_list()
    assert (first, second) == ("color=green", "size=2.0") and weight == pytest.approx(5, abs=0.3) and abs(other) < 0.1


def test_the_same_seed_gives_the_same_weights():
    one, two, other = (LimeTabularExplainer(TRAIN, "regression", random_state=seed) for seed in (3, 3, 4))
    first = one.explain_instance(TRAIN[0], regression).as_list()
    assert first == one.explain_instance(TRAIN[0], regression).as_list() == two.explain_instance(TRAIN[0], regression).as_list()
    assert first != other.explain_instance(TRAIN[0], regression).as_list()


def test_models_serve_as_functions():
    explainer = lime_tabular.LimeTabularExplainer(np.random.default_rng(2).normal(size=(100, 5)), "regression")
    found = explainer.explain_instance(np.zeros(5), "fixtures/trees/lightgbm/binary.txt", num_samples=200)
    assert 0 < len(found.as_list()) <= 5


def good(texts):
    assert isinstance(texts, list)
    return np.array([[0.9, 0.1] if "good" not in text else [0.2, 0.8] for text in texts])


def test_the_word_that_decides_has_the_weight():
    e = LimeTextExplainer(class_names=["no", "yes"], random_state=1).explain_instance("A good, good day: not bad.", good, num_samples=500)
    assert e.available_labels() == [1]
    (word, weight), *others = e.as_list()
    assert word == "good" and weight == pytest.approx(0.7, abs=0.1) and all(abs(other) < 0.1 for _, other in others)
    assert {word for word, _ in e.as_list()} == {"A", "good", "day", "not", "bad"}
    apart = LimeTextExplainer(bow=False).explain_instance("A good, good day", good, num_samples=500)
    assert [word for word, _ in apart.as_list()].count("good") == 2
    seen = []
    LimeTextExplainer(bow=False).explain_instance("ein Wort", lambda texts: seen.extend(texts) or good(texts), num_samples=20)
    assert {"ein Wort", "UNKWORDZ Wort", "UNKWORDZ UNKWORDZ"} <= set(seen)
    with pytest.raises(pellucid.InputError, match="no words"):
        LimeTextExplainer().explain_instance("...", good)


def test_segments_of_an_image_have_weights():
    image = np.zeros((20, 20, 3), np.uint8)
    image[:10, :10] = 200
    quarters = (np.arange(20) >= 10).astype(int)
    seen = []

    def bright(images):
        seen.append((images.dtype, images.shape[1:], len(images)))
        corner = images[:, 2, 2, 0] / 255
        return np.stack([1 - corner, corner], axis=1)

    e = LimeImageExplainer(random_state=0).explain_instance(
        image, bright, top_labels=2, hide_color=0, num_samples=200, segmentation_fn=lambda image: 5 + 2 * quarters[:, None] + quarters
    )
    assert e.top_labels == [1, 0] and e.local_exp[1][0][0] == 0 and len(e.local_exp[1]) == 4
    assert e.local_exp[1][0][1] == pytest.approx(200 / 255, abs=0.05)
    assert {(dtype, shape) for dtype, shape, _ in seen} == {(np.dtype(np.uint8), (20, 20, 3))}
    assert max(n for *_, n in seen) <= 10
    shown, mask = e.get_image_and_mask(1, num_features=1, hide_rest=True)
    assert mask.sum() == 100 and mask[:10, :10].all() and shown[mask == 0].max() == 0 and shown.dtype == np.uint8
    assert e.get_image_and_mask(0, positive_only=False, num_features=1)[1].min() == -1


def test_segments_are_found_where_none_are_given():
    image = np.random.default_rng(0).random((24, 24, 3))
    e = LimeImageExplainer().explain_instance(image, lambda images: images.mean(axis=(1, 2)), num_samples=30, top_labels=1)
    assert e.segments.shape == (24, 24) and len(e.local_exp[e.top_labels[0]]) == e.segments.max() + 1


def regression_of_two(rows):
    return np.stack([rows[:, 0], rows[:, 1]], axis=1)


def fails(rows):
    if len(rows) > 1:
        raise ZeroDivisionError("half-way")
    return classes(rows)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda e: e.explain_instance(TRAIN[0], fails), ZeroDivisionError, "half-way"),
        (lambda e: e.explain_instance(TRAIN[0], regression), pellucid.InputError, "regression"),
        (lambda e: e.explain_instance(TRAIN[0], lambda rows: classes(rows) * np.nan), pellucid.InputError, "NaN"),
        (lambda e: e.explain_instance(TRAIN[0, :2], regression_of_two), pellucid.Error, "training rows"),
        (lambda e: e.explain_instance(TRAIN[0], classes, labels=(7,)), pellucid.InputError, "no 7"),
        (lambda e: e.explain_instance(TRAIN[0], classes, distance_metric="cosine"), pellucid.UnsupportedError, "distance_metric"),
        (lambda e: e.explain_instance(TRAIN[0], classes, model_regressor=3), pellucid.UnsupportedError, "ridge"),
        (lambda e: e.explain_instance(TRAIN[0], classes, num_samples=1), pellucid.InputError, "at least 2"),
        (lambda e: e.explain_instance(TRAIN[0], classes, num_samples=50).as_list(2), pellucid.InputError, "not explained"),
        (lambda e: e.explain_instance(TRAIN[0], classes, num_samples=50).show_in_notebook(), pellucid.UnsupportedError, "plot"),
        (lambda e: LimeTabularExplainer(TRAIN * np.nan), pellucid.InputError, "NaN"),
        (lambda e: LimeTabularExplainer(TRAIN, kernel=abs), pellucid.UnsupportedError, "kernel"),
        (lambda e: LimeTabularExplainer(TRAIN, feature_selection="lasso_path"), pellucid.UnsupportedError, "lasso_path"),
        (lambda e: LimeTabularExplainer(TRAIN, feature_names=["a"]), pellucid.InputError, "1 names for 3"),
        (lambda e: LimeTabularExplainer(TRAIN, discretizer="entropy"), pellucid.InputError, "labels"),
        (lambda e: LimeTabularExplainer(TRAIN, mode="rank"), pellucid.InputError, "mode"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(call, error, text):
    with pytest.raises(error, match=text):
        call(LimeTabularExplainer(TRAIN))
