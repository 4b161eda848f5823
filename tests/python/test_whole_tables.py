"""Effects, importances, surrogate trees and counterfactuals: of functions, served models, networks and trees."""

import json

import numpy as np
import pandas
import pytest

import pellucid

ADULT = "fixtures/trees/demo/adult.txt"
ROWS = np.stack([np.arange(200) % 40, np.arange(200) % 7, np.arange(200) % 3], axis=1).astype(float)


def adult(n_rows):
    table = pandas.read_csv("fixtures/data/adult_test.csv", nrows=n_rows)
    return table.drop(columns="income"), table["income"]


def product(rows):
    return rows[:, 0] * rows[:, 1] + rows[:, 2]


@pytest.mark.parametrize(
    ("option", "call"),
    [
        ("features", lambda: pellucid.effects(product, ROWS, 0)),
        ("features", lambda: pellucid.effects(product, ROWS, None)),
        ("categorical", lambda: pellucid.effects(product, ROWS, "Feature 0", categorical=0)),
        ("n_points", lambda: pellucid.effects(product, ROWS, "Feature 0", n_points=-3)),
        ("kind", lambda: pellucid.effects(product, ROWS, "Feature 0", kind=3)),
        ("held_out", lambda: pellucid.surrogate_tree(product, ROWS, held_out="x")),
        ("n_repeats", lambda: pellucid.importance(product, ROWS, ROWS[:, 0], n_repeats="x")),
        *(
            (option, lambda option=option, given=given: pellucid.counterfactuals(product, ROWS[:1], ROWS, (0, None), **{option: given}))
            for option, given in [
                ("n_counterfactuals", "2"), ("n_counterfactuals", -1), ("max_changes", 1.5), ("threshold", "x"), ("seed", -1),
                ("immutable", 0), ("only_up", 5), ("only_down", 5), ("ranges", [1]), ("ranges", {"Feature 0": 5}),
                ("ranges", {"Feature 0": ("a", "b")}), ("allowed", "x"), ("allowed", {"Feature 0": 5}),
            ]
        ),
        ("outcome", lambda: pellucid.counterfactuals(product, ROWS[:1], ROWS, (1, 2, 3))),
        ("outcome", lambda: pellucid.counterfactuals(product, ROWS[:1], ROWS, ("a", None))),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_the_options_name(option, call):
    with pytest.raises(pellucid.InputError, match=f"^{option}: "):
        call()


def test_effects_are_those_of_the_command_line(cli, tmp_path):
    people, _ = adult(50)
    path = tmp_path / "rows.csv"
    people.to_csv(path, index=False)
    for kind in ["partial-dependence", "ale"]:
        told = json.loads(cli("effects", ADULT, path, "--feature", "age", "--kind", kind, "--json"))
        found = pellucid.effects(ADULT, people, "age", kind)
        assert found["grid"] == told["grid"] and found["mean"] == told["mean"]
        assert found["standard_error"] == told["standard_error"]
    assert (found["standard_error"] is not None) and "<svg" in found.plot().svg()
    assert json.loads(found.to_json()) == found


def test_effects_of_a_function_are_its_means():
    found = pellucid.effects(product, ROWS, "Feature 0", "ice", n_curves=5)
    grid, mean = np.array(found["grid"])[:, 0], np.array(found["mean"])[:, 0]
    np.testing.assert_allclose(mean, grid * ROWS[:, 1].mean() + ROWS[:, 2].mean())
    spread = np.array([product(np.column_stack([np.full(200, x), ROWS[:, 1:]])).std(ddof=1) for x in grid])
    np.testing.assert_allclose(np.array(found["standard_error"])[:, 0], spread / np.sqrt(200))
    assert np.shape(found["curves"]["values"]) == (5, len(grid), 1)
    steps = pellucid.effects(product, ROWS, "Feature 2", "ale", categorical=["Feature 2"])
    np.testing.assert_allclose(np.diff(np.array(steps["mean"])[:, 0]), 1.0)
    assert steps["features"][0]["name"] == "Feature 2" and len(steps["rows_in_bins"]) == 3
    frame = pandas.DataFrame(ROWS, columns=["a", "b", "c"])
    both = pellucid.effects(lambda table: (table["a"] * table["b"]).to_numpy(), frame, ["a", "b"], "ale")
    assert [feature["name"] for feature in both["features"]] == ["a", "b"]


def test_importance_by_labels_is_the_growth_of_the_loss():
    labels = product(ROWS)
    found = pellucid.importance(product, ROWS, labels, n_repeats=40, seed=3)
    assert (found["loss"], found["loss_of_rows"], found["n_rows"]) == ("squared_error", 0.0, 200)
    # Of a term that stands alone, twice its variance.
    third = found["groups"][2]
    assert third["increase"] == pytest.approx(2 * ROWS[:, 2].var(), rel=0.05)
    assert third["low"] < third["increase"] < third["high"] and len(third["by_repeat"]) == 40
    grouped = pellucid.importance(product, ROWS, labels, feature_groups="Feature 0+Feature 1")
    assert [group["name"] for group in grouped["groups"]] == ["Feature 0 + Feature 1", "Feature 2"]
    assert "<svg" in grouped.plot().svg()


def test_trees_are_judged_by_their_probabilities():
    people, income = adult(150)
    found = pellucid.importance(ADULT, people, income, n_repeats=2)
    outputs = pellucid.load(ADULT).predict(people)[:, 0]
    loss = -np.log(np.where(income == 1, outputs, 1 - outputs)).mean()
    assert found["loss"] == "log_loss" and found["loss_of_rows"] == pytest.approx(loss)
    by_name = np.where(income == 1, "income above $50,000", "0")
    assert pellucid.importance(ADULT, people, by_name, n_repeats=2) == found


def test_a_surrogate_tree_says_how_well_it_imitates(cli, tmp_path):
    found = pellucid.surrogate_tree(lambda rows: np.where(rows[:, 0] > 19, 5.0, 1.0), ROWS)
    assert found["fidelity"]["value"] == 1.0 and len(found["rules"]) == 2
    people, _ = adult(400)
    path = tmp_path / "rows.csv"
    people.to_csv(path, index=False)
    told = json.loads(cli("surrogate", ADULT, path, "--max-depth", "2", "--json"))
    assert pellucid.surrogate_tree(ADULT, people, max_depth=2) == told


def test_counterfactuals_are_those_of_the_command_line(cli, tmp_path):
    people, _ = adult(120)
    rows, seen = people.iloc[[1]], people.iloc[20:]
    for name, table in [("rows.csv", rows), ("seen.csv", seen)]:
        table.to_csv(tmp_path / name, index=False)
    told = cli(
        *["counterfactuals", ADULT, tmp_path / "rows.csv", "--background", tmp_path / "seen.csv", "--json"],
        *["--immutable", "race,sex", "--column-range", "hours_per_week:20..50", "--max-changes", "2"],
    )
    found = pellucid.counterfactuals(
        ADULT, rows, seen, immutable=["race", "sex"], ranges={"hours_per_week": (20, 50)}, max_changes=2
    )
    assert found == json.loads(told)
    own = pellucid.counterfactuals(lambda rows: rows @ [1.0, 2.0, 0.0], ROWS[:1], ROWS, (8, None), only_up="Feature 0")
    assert all(one["outputs"][0] >= 8 for one in own["rows"][0]["counterfactuals"])


def test_what_cannot_be_is_said():
    def says(words, call):
        with pytest.raises(pellucid.InputError, match=words):
            call()

    says("no feature `age`", lambda: pellucid.effects(product, ROWS, "age"))
    says("constant", lambda: pellucid.effects(product, ROWS * [1, 0, 1], "Feature 1", "ale"))
    says("kind", lambda: pellucid.effects(product, ROWS, "Feature 1", "mean"))
    says("out of range", lambda: pellucid.effects(product, ROWS, "Feature 1").plot(2))
    says("goes with labels", lambda: pellucid.importance(ADULT, loss="zero_one"))
    says("background", lambda: pellucid.importance(product, ROWS, ROWS[:, 0], background=ROWS))
    says("labels: 5 for 200 rows", lambda: pellucid.importance(product, ROWS, ROWS[:5, 0]))
    says("too few", lambda: pellucid.surrogate_tree(product, ROWS[:12]))
    says("no column `height`", lambda: pellucid.counterfactuals(product, ROWS[:1], ROWS, (1, 2), immutable="height"))


def test_what_a_function_raises_comes_out_as_it_is():
    def broken(rows):
        if len(rows) > 1:
            raise ZeroDivisionError("by nobody")
        return rows[:, 0]

    for call in [
        lambda: pellucid.effects(broken, ROWS, "Feature 0", "ale"),
        lambda: pellucid.importance(broken, ROWS, ROWS[:, 0]),
        lambda: pellucid.surrogate_tree(broken, ROWS),
        lambda: pellucid.counterfactuals(broken, ROWS[:1], ROWS, (1, 2)),
    ]:
        with pytest.raises(ZeroDivisionError, match="by nobody"):
            call()
