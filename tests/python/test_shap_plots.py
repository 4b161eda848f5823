"""shap's plots: what is asked for is in the drawing, and what is not drawn is refused."""

import csv
import io
import re

import numpy as np
import pellucid
import pellucid.shap as shap
import pytest

ADULT = "fixtures/trees/demo/adult.txt"
NAMES = ["age", "hours", "gain"]
VALUES = np.array([[1.0, -2.0, 0.5], [3.0, 4.0, -0.5], [-1.0, 0.25, 2.5], [0.75, -6.0, 1.5]])
DATA = np.array([[39.0, 40.0, 0.0], [50.0, 13.0, 1.0], [28.0, np.nan, 2.0], [33.0, 60.0, 3.0]])


def explained(**parts):
    return shap.Explanation(VALUES, np.full(4, 0.5), DATA, feature_names=NAMES, **parts)


def several():
    return shap.Explanation(np.stack([VALUES, -VALUES], axis=2), np.zeros((4, 2)), DATA, feature_names=NAMES)


@pytest.fixture(scope="module")
def adult():
    """Explanations of real rows, of which some features have names for their numbers."""
    with open("fixtures/data/adult_test.csv") as file:
        table = list(csv.DictReader(file))[:60]
    model = pellucid.load(ADULT)
    kinds = model._core.feature_categories

    def code(feature, cell):
        if not kinds[feature]:
            return float(cell)
        return kinds[feature].index(cell) if cell in kinds[feature] else np.nan

    codes = [[code(feature, row[name]) for feature, name in enumerate(model.feature_names)] for row in table]
    return shap.TreeExplainer(ADULT)(np.array(codes))


def text(drawing):
    """The words of a drawing, in their order."""
    return re.findall(r">([^<>]+)<", drawing.svg())


def places(drawing, words):
    found = text(drawing)
    return [min(place for place, line in enumerate(found) if word in line) for word in words]


def test_a_waterfall_tells_values_and_cells():
    words = " ".join(text(shap.plots.waterfall(explained()[1])))
    for word in ["age = 50", "hours = 13", "gain = 1", "4", "0.5"]:
        assert word in words


def test_a_waterfall_is_of_the_row_that_was_taken():
    drawings = [shap.plots.waterfall(explained()[row]).svg() for row in range(4)]
    assert len(set(drawings)) == 4 and "hours = 60" in drawings[3] and "hours = missing" in drawings[2]


def test_max_display_bounds_the_features_that_are_named():
    words = " ".join(text(shap.plots.waterfall(explained()[1], max_display=1)))
    assert "hours = 13" in words and "gain = 1" not in words


def test_categories_are_named(adult):
    told = [shap.plots.waterfall(row, max_display=None).svg() for row in adult]
    assert sum("Married-civ-spouse" in svg for svg in told) > 10


@pytest.mark.parametrize("draw", [shap.plots.bar, shap.plots.beeswarm, shap.plots.heatmap, shap.decision_plot])
def test_many_rows_are_drawn_with_all_features(draw):
    words = " ".join(text(draw(explained())))
    assert all(name in words for name in NAMES)


def test_bars_are_ordered_by_size_and_those_of_means_are_the_same():
    bars = shap.plots.bar(explained())
    order = places(bars, ["hours", "age", "gain"])
    assert order == sorted(order)
    assert "3.06" in " ".join(text(bars)), "the mean of |hours|"
    assert "3.06" in " ".join(text(shap.plots.bar(explained().abs.mean(0))))


def test_bars_of_cohorts_stand_side_by_side():
    groups = explained().cohorts(["men", "women", "men", "men"])
    for drawn in [groups, groups.abs.mean(0), groups.cohorts]:
        words = " ".join(text(shap.plots.bar(drawn)))
        assert "men" in words and "women" in words and "hours" in words


def test_a_slice_of_features_is_drawn_alone():
    words = " ".join(text(shap.plots.beeswarm(explained()[:, ["age", "gain"]])))
    assert "age" in words and "gain" in words and "hours" not in words


def test_a_scatter_is_of_one_feature():
    drawing = shap.plots.scatter(explained()[:, "age"])
    words = " ".join(text(drawing))
    assert "age" in words and "hours" not in words


def test_a_scatter_is_colored_by_another_feature():
    drawing = shap.plots.scatter(explained()[:, "age"], color=explained()[:, "gain"])
    words = " ".join(text(drawing))
    assert "age" in words and "gain" in words and "hours" not in words
    assert "age" in " ".join(text(shap.plots.scatter(explained()[:, "age"], color=explained())))


@pytest.mark.parametrize("ind", ["hours", 1, "rank(0)"])
def test_dependence_is_drawn_by_name_number_and_rank(ind):
    drawing = shap.dependence_plot(ind, VALUES, DATA, feature_names=NAMES, interaction_index=None)
    assert "hours" in " ".join(text(drawing)) and "age" not in " ".join(text(drawing))
    assert "gain" in " ".join(
        text(shap.dependence_plot(ind, VALUES, DATA, feature_names=NAMES, interaction_index="gain"))
    )


def test_a_force_plot_is_of_parts_or_of_an_explanation():
    of_parts = shap.force_plot(0.5, VALUES[1], DATA[1], feature_names=NAMES)
    assert of_parts.svg() == shap.plots.force(explained()[1]).svg()
    assert "hours" in " ".join(text(of_parts))


def test_a_decision_plot_is_of_parts_or_of_an_explanation():
    assert shap.decision_plot(0.5, VALUES, DATA, NAMES).svg() == shap.plots.decision(explained()).svg()


@pytest.mark.parametrize(
    ("plot_type", "draw"), [(None, shap.plots.beeswarm), ("dot", shap.plots.beeswarm), ("bar", shap.plots.bar)]
)
def test_a_summary_is_a_beeswarm_or_bars(plot_type, draw):
    drawing = shap.summary_plot(VALUES, DATA, feature_names=NAMES, plot_type=plot_type)
    e = shap.Explanation(VALUES, data=DATA, feature_names=NAMES)
    assert drawing.svg() == draw(e).svg()


def test_a_summary_of_interactions_is_their_matrix():
    pairs = np.einsum("ri,rj->rij", VALUES, VALUES)
    words = " ".join(text(shap.summary_plot(pairs, DATA, feature_names=NAMES)))
    assert all(name in words for name in NAMES)


def test_features_without_names_have_numbers():
    assert "Feature 1" in " ".join(text(shap.summary_plot(VALUES)))
    assert "Feature 2 = 1" in " ".join(text(shap.plots.waterfall(shap.Explanation(VALUES, 0.5, DATA)[1])))


def test_arithmetic_is_drawn():
    words = " ".join(text(shap.plots.waterfall((explained() * 100)[1])))
    assert "400" in words and "hours = 13" in words


def test_the_rows_of_a_model_are_drawn(adult):
    for drawing in [
        shap.plots.beeswarm(adult),
        shap.plots.bar(adult.abs.mean(0)),
        shap.plots.scatter(adult[:, "age"], color=adult),
        shap.plots.heatmap(adult),
        shap.plots.decision(adult),
    ]:
        assert "age" in " ".join(text(drawing))
    # The chart of the same numbers is the package's own.
    own = pellucid.explain(ADULT, adult.data).plot
    assert text(shap.plots.bar(adult, max_display=5))[:3] == text(own.bar(max_features=5))[:3]


def test_notebooks_show_explanations():
    assert explained()._repr_html_().startswith("<svg") and explained()[0]._repr_html_().startswith("<svg")
    assert several()._repr_html_().startswith("<pre"), "several outputs are no one chart"


def test_drawings_are_saved(tmp_path):
    drawing = shap.plots.waterfall(explained()[0], show=False)
    shap.save_html(tmp_path / "page.html", drawing)
    assert "<svg" in (tmp_path / "page.html").read_text()
    page = io.StringIO()
    shap.save_html(page, drawing)
    assert page.getvalue() == (tmp_path / "page.html").read_text()
    assert shap.initjs() is None


@pytest.mark.parametrize("draw", [shap.plots.beeswarm, shap.plots.bar, shap.plots.heatmap, shap.plots.decision])
def test_options_of_looks_are_taken_and_others_refused(draw):
    plain = draw(explained(), show=False).svg()
    assert draw(explained(), show=True, plot_size=(8, 4), color="red").svg() == plain
    with pytest.raises(pellucid.UnsupportedError, match="`order`"):
        draw(explained(), order=[0])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: shap.plots.waterfall(explained()), pellucid.InputError, r"e\[0\]"),
        (lambda: shap.plots.force(explained()), pellucid.InputError, r"e\[0\]"),
        (lambda: shap.plots.beeswarm(explained()[0]), pellucid.InputError, "many rows"),
        (lambda: shap.plots.beeswarm(several()), pellucid.InputError, "2 outputs"),
        (lambda: shap.plots.waterfall(several()[0]), pellucid.InputError, "2 outputs"),
        (lambda: shap.plots.scatter(explained()), pellucid.InputError, "one feature"),
        (lambda: shap.plots.bar(VALUES), pellucid.InputError, "Explanation"),
        (lambda: shap.plots.bar(explained()[0]), pellucid.UnsupportedError, "waterfall"),
        (lambda: shap.plots.scatter(explained()[:, "age"], color="red"), pellucid.UnsupportedError, "color"),
        (lambda: shap.plots.waterfall(explained()[0] * np.nan), pellucid.InputError, "not finite"),
        (lambda: shap.summary_plot([VALUES, VALUES]), pellucid.InputError, "2 outputs"),
        (lambda: shap.summary_plot(np.stack([VALUES, -VALUES], axis=2)), pellucid.InputError, "2 outputs"),
        (lambda: shap.summary_plot(VALUES, plot_type="violin"), pellucid.UnsupportedError, "violin"),
        (lambda: shap.dependence_plot("height", VALUES, DATA, NAMES), pellucid.InputError, "no `height`"),
        (lambda: shap.force_plot([0.1, 0.2], VALUES[0]), pellucid.InputError, "one output"),
        (lambda: shap.plots.violin(explained()), pellucid.UnsupportedError, "plots.beeswarm"),
        (lambda: shap.plots.text(explained()), pellucid.UnsupportedError, "plots.text"),
    ],
)
def test_what_cannot_be_drawn_is_told(call, error, text):
    with pytest.raises(error, match=text):
        call()
