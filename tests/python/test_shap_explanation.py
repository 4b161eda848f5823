"""shap's `Explanation`: every index, mean and sum acts on values, data, base values and names together."""

import numpy as np
import pellucid
import pytest
from pellucid.shap import Cohorts, Explanation

NAMES = ["age", "hours", "gain"]
VALUES = np.array([[1.0, -2.0, 0.5], [3.0, 4.0, -0.5], [-1.0, 0.0, 2.5], [0.0, -6.0, 1.5]])
DATA = np.array([[39.0, 40.0, 0.0], [50.0, 13.0, 1.0], [28.0, np.nan, 2.0], [33.0, 60.0, 3.0]])
BASES = np.array([0.5, 0.5, 0.5, 0.5])


def of_one_output(**parts):
    return Explanation(VALUES, BASES, DATA, feature_names=NAMES, **parts)


def of_three_outputs():
    values = np.stack([VALUES, 10 * VALUES, 100 * VALUES], axis=2)
    return Explanation(
        values, np.tile([1.0, 2.0, 3.0], (4, 1)), DATA, feature_names=NAMES, output_names=["low", "middle", "high"]
    )


def test_a_row_is_values_data_and_base_value_of_it():
    row = of_one_output()[1]
    assert row.values.tolist() == [3.0, 4.0, -0.5] and row.data.tolist() == [50.0, 13.0, 1.0]
    assert row.base_values == 0.5 and row.feature_names == NAMES and row.shape == (3,)


@pytest.mark.parametrize("index", [0, -1, np.int64(2)])
def test_a_feature_is_a_column_of_everything(index):
    column = of_one_output()[:, index]
    assert np.array_equal(column.values, VALUES[:, index]) and np.array_equal(
        column.data, DATA[:, index], equal_nan=True
    )
    assert column.feature_names == NAMES[index] and np.array_equal(column.base_values, BASES)


@pytest.mark.parametrize("item", [(slice(None), "hours"), (..., "hours"), (slice(0, 4), "hours")])
def test_a_feature_is_found_by_name(item):
    assert np.array_equal(of_one_output()[item].values, VALUES[:, 1])


@pytest.mark.parametrize(
    "rows",
    [slice(1, 3), [3, 0], np.array([True, False, True, False]), [True, False, True, False], slice(None, None, -1)],
)
def test_rows_are_picked_by_slice_list_and_mask(rows):
    part = of_one_output()[rows]
    assert np.array_equal(part.values, VALUES[rows]) and np.array_equal(part.data, DATA[rows], equal_nan=True)
    assert len(part.base_values) == len(part) == len(VALUES[rows])


def test_rows_and_features_are_picked_each_on_its_own():
    part = of_one_output()[[2, 0], ["gain", "age"]]
    assert part.values.tolist() == [[2.5, -1.0], [0.5, 1.0]]
    assert part.feature_names == ["gain", "age"] and part.data.tolist() == [[2.0, 28.0], [0.0, 39.0]]


def test_a_cell_is_a_number():
    cell = of_one_output()[3, "hours"]
    assert cell.values == -6.0 and cell.data == 60.0 and cell.feature_names == "hours"
    assert of_one_output()[3]["hours"].values == of_one_output()[3, 1].values


@pytest.mark.parametrize(
    "item", [(slice(None), slice(None), 1), (..., 1), (..., "middle"), (slice(None), slice(None), "middle")]
)
def test_an_output_is_picked_by_place_and_name(item):
    part = of_three_outputs()[item]
    assert np.array_equal(part.values, 10 * VALUES) and np.array_equal(part.base_values, np.full(4, 2.0))
    assert part.output_names == "middle" and part.feature_names == NAMES


def test_a_row_of_several_outputs_keeps_them():
    row = of_three_outputs()[0]
    assert row.shape == (3, 3) and row.base_values.tolist() == [1.0, 2.0, 3.0] and row.data.tolist() == DATA[0].tolist()
    assert row["hours", "high"].values == -200.0
    assert of_three_outputs()[:, "age", 2].values.tolist() == (100 * VALUES[:, 0]).tolist()


def test_interactions_are_picked_by_both_names():
    values = np.arange(18.0).reshape(2, 3, 3)
    pairs = Explanation(values, np.zeros(2), DATA[:2], feature_names=NAMES)
    assert pairs[:, "age", "gain"].values.tolist() == [2.0, 11.0]
    assert pairs[0, "hours"].values.tolist() == [3.0, 4.0, 5.0]


def test_the_size_of_features_is_the_mean_of_their_values_sizes():
    sizes = of_one_output().abs.mean(0)
    assert sizes.values.tolist() == [1.25, 3.0, 1.25] and sizes.feature_names == NAMES
    assert of_one_output().abs.data is not None and np.array_equal(of_one_output().abs.data, DATA, equal_nan=True)


def test_means_keep_the_sum():
    mean = of_one_output().mean(0)
    assert mean.base_values + mean.values.sum() == np.mean(BASES + VALUES.sum(axis=1))
    assert mean.data[0] == DATA[:, 0].mean()


@pytest.mark.parametrize("name", ["sum", "max", "min"])
@pytest.mark.parametrize("axis", [0, 1])
def test_sums_and_extremes_are_numpys(name, axis):
    reduced = getattr(of_one_output(), name)(axis)
    assert np.array_equal(reduced.values, getattr(np, name)(VALUES, axis=axis))
    assert reduced.feature_names == (NAMES if axis == 0 else None)
    assert reduced.data is None, "a row that nobody saw is not made up"


def test_percentiles_are_numpys():
    assert np.array_equal(of_one_output().percentile(50, 0).values, np.percentile(VALUES, 50, 0))
    assert of_one_output().abs.percentile(90).values == np.percentile(np.abs(VALUES), 90)


def test_outputs_are_averaged_with_their_base_values():
    mean = of_three_outputs().mean(2)
    assert np.allclose(mean.values, 37 * VALUES) and mean.base_values.tolist() == [2.0] * 4
    assert np.allclose(of_three_outputs().abs.mean((0, 2)).values, 37 * np.abs(VALUES).mean(axis=0))


def test_the_largest_features_come_first_by_argsort_and_flip():
    order = of_one_output().abs.sum(0).argsort.flip
    assert order.values.tolist() == [1, 2, 0]
    assert order.feature_names is None, "a place in an order is of no feature"
    top = of_one_output()[:, order[:2]]
    assert top.feature_names == ["hours", "gain"] and np.array_equal(top.values, VALUES[:, [1, 2]])


def test_flip_turns_names_with_values():
    flipped = of_one_output()[0].flip
    assert flipped.values.tolist() == [0.5, -2.0, 1.0] and flipped.feature_names == NAMES[::-1]


def test_samples_are_rows_and_the_same_each_time():
    sample = of_one_output().sample(2)
    assert len(sample) == 2 and np.array_equal(sample.values, of_one_output().sample(2).values)
    # Recorded from shap: seed 0, two of four.
    assert np.array_equal(sample.values, VALUES[[2, 3]])
    assert len(of_one_output().sample(99)) == 4


def test_cohorts_by_labels():
    groups = of_one_output().cohorts(["men", "women", "men", "men"])
    assert {name: len(group) for name, group in groups.cohorts.items()} == {"men": 3, "women": 1}
    means = groups.abs.mean(0)
    assert isinstance(means, Cohorts) and means.cohorts["women"].values.tolist() == [3.0, 4.0, 0.5]
    assert groups[:, "gain"].cohorts["men"].values.tolist() == [0.5, 2.5, 1.5]


def test_cohorts_by_a_tree_are_told_by_their_conditions():
    if __import__("importlib.util").util.find_spec("sklearn") is None:
        with pytest.raises(pellucid.UnsupportedError, match="scikit-learn"):
            of_one_output().cohorts(2)
        return
    rows = np.arange(40.0)[:, None]
    e = Explanation(np.where(rows < 25, -1.0, 1.0), np.zeros(40), rows, feature_names=["age"])
    groups = e.cohorts(2).cohorts
    assert {name: len(group) for name, group in groups.items()} == {"age <= 24.5": 25, "age > 24.5": 15}


def test_like_rows_stand_beside_like():
    if __import__("importlib.util").util.find_spec("scipy") is None:
        with pytest.raises(pellucid.UnsupportedError, match="scipy"):
            of_one_output().hclust()
        return
    order = Explanation(np.array([[0.0], [9.0], [0.1], [9.1]])).hclust().tolist()
    assert sorted(order) == [0, 1, 2, 3] and {frozenset(order[:2]), frozenset(order[2:])} == {
        frozenset({0, 2}),
        frozenset({1, 3}),
    }


def test_differences_of_explanations_are_explanations_of_the_difference():
    first, second = of_one_output(), Explanation(2 * VALUES, 3 * BASES, DATA, feature_names=NAMES)
    difference = second - first
    assert np.array_equal(difference.values, VALUES) and np.array_equal(difference.base_values, 2 * BASES)
    assert np.array_equal(difference.data, DATA, equal_nan=True), "both are of the same rows"
    assert (first - Explanation(VALUES, BASES, DATA + 1)).data is None


def test_numbers_scale_values_and_base_values():
    e = of_one_output()
    for scaled in [e * 2, 2 * e, e / 0.5]:
        assert np.array_equal(scaled.values, 2 * VALUES) and np.array_equal(scaled.base_values, 2 * BASES)
        assert np.array_equal(scaled.data, DATA, equal_nan=True)
    assert np.array_equal((-e).values, -VALUES) and np.array_equal((-e).base_values, -BASES)
    assert np.array_equal((1 - e).values, 1 - VALUES) and np.array_equal((e + 1).values, (1 + e).values)


def test_features_are_summed_in_groups():
    grouped = of_one_output().sum(1, grouping={"hours": "work", "gain": "work"})
    assert grouped.feature_names == ["age", "work"] and grouped.values.tolist() == [
        [1.0, -1.5],
        [3.0, 3.5],
        [-1.0, 2.5],
        [0.0, -4.5],
    ]
    assert np.array_equal(grouped.base_values, BASES)


def test_features_are_put_side_by_side():
    both = of_one_output()[:, :1].hstack(of_one_output()[:, 1:])
    assert np.array_equal(both.values, VALUES) and both.feature_names == NAMES


def test_other_parts_go_along():
    e = of_one_output(display_data=[["a", "b", "c"]] * 4, instance_names=["w", "x", "y", "z"], error_std=VALUES / 10)
    part = e[1:3, "gain"]
    assert part.display_data.tolist() == ["c", "c"] and part.instance_names == ["x", "y"]
    assert np.array_equal(part.error_std, VALUES[1:3, 2] / 10) and e["y", "age"].values == -1.0
    assert e.abs.error_std is None


def test_one_base_value_is_everybodys():
    assert Explanation(VALUES, 0.5)[0].base_values == 0.5
    assert Explanation(VALUES, np.array([0.5])).base_values.tolist() == [0.5] * 4
    spread = Explanation(np.zeros((4, 3, 2)), np.array([1.0, 2.0]), output_names=["no", "yes"])
    assert spread[1, :, "yes"].base_values == 2.0


def test_explanations_are_iterated_and_measured():
    assert len(of_one_output()) == 4 and of_three_outputs().shape == (4, 3, 3)
    assert [row.values.sum() for row in of_one_output()] == VALUES.sum(axis=1).tolist()
    assert ".values" in repr(of_one_output())


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda e: e["age"], pellucid.InputError, "rows of this explanation have no names"),
        (lambda e: e[:, "height"], pellucid.InputError, "no `height` among the features; there are: age, hours, gain"),
        (lambda e: e[:, :, 0], IndexError, "3 parts"),
        (lambda e: e[9], IndexError, "9"),
        (lambda e: e.cohorts(["a"]), pellucid.InputError, "1 labels for 4 rows"),
        (lambda e: of_three_outputs().cohorts(["a"] * 4), pellucid.InputError, "take one output"),
        (lambda e: e + e[:2], pellucid.InputError, "do not go together"),
        (lambda e: e.hstack(e[:2]), pellucid.InputError, "same rows"),
        (lambda e: Explanation(VALUES, np.zeros(3)), pellucid.InputError, "base_values of shape"),
    ],
)
def test_faults_are_told(call, error, text):
    with pytest.raises(error, match=text):
        call(of_one_output())
