"""Tables of every kind give what the same table gives as a file."""

import csv
import json

import numpy as np
import pytest

import pellucid

pandas = pytest.importorskip("pandas")
polars = pytest.importorskip("polars")

ADULT = "fixtures/trees/demo/adult.txt"
TABLE = "fixtures/data/adult_test.csv"


@pytest.fixture(scope="module")
def from_file(cli):
    """What the command line says of the table."""
    return json.loads(cli("explain", ADULT, TABLE, "--json", "--out", "out/test_tables"))


@pytest.fixture(scope="module")
def attributions(from_file):
    with open("out/test_tables/attributions.csv") as file:
        lines = list(csv.reader(file))
    model_features = lines[0][-13:]
    return model_features, np.array([[float(cell) for cell in line[-13:]] for line in lines[1:]])


def frame():
    return pandas.read_csv(TABLE, keep_default_na=False)


def categorical():
    table = frame()
    texts = [name for name in table.columns if table[name].dtype.kind not in "if"]
    return table.astype(dict.fromkeys(texts, "category"))


def with_missing():
    """Missing cells of every kind that pandas has."""
    table = categorical()
    table["age"] = table["age"].astype("Int64")
    table.loc[0, "age"] = pandas.NA
    table.loc[1, "workclass"] = None
    return table


KINDS = {
    "pandas": frame,
    "categories of pandas": categorical,
    "polars": lambda: polars.read_csv(TABLE),
    "categories of polars": lambda: polars.read_csv(TABLE).cast({polars.String: polars.Categorical}),
    "Arrow": lambda: OnlyArrow(polars.read_csv(TABLE)),
    "categories of Arrow": lambda: OnlyArrow(polars.read_csv(TABLE).cast({polars.String: polars.Categorical})),
    "batches of Arrow": lambda: OnlyArrow(polars.concat([polars.read_csv(TABLE)[:700], polars.read_csv(TABLE)[700:]], rechunk=False)),
    "other order": lambda: frame()[reversed(frame().columns)],
}


class OnlyArrow:
    """A table of which nothing is known but Arrow's interface."""

    def __init__(self, table):
        self._table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_explained_as_its_file(kind, attributions):
    names, values = attributions
    explanation = pellucid.explain(ADULT, KINDS[kind]())
    assert explanation.feature_names == names
    assert np.array_equal(explanation.values, values)
    assert any("income" in warning for warning in explanation.warnings), "a column that is no feature is told of"


def test_missing_cells_are_missing():
    explanation = pellucid.explain(ADULT, with_missing())
    data = explanation.data
    before = pellucid.explain(ADULT, categorical()).data
    assert np.isnan(data[0, explanation.feature_names.index("age")])
    assert np.isnan(data[1, explanation.feature_names.index("workclass")])
    assert np.isnan(data).sum() == np.isnan(before).sum() + 2


def test_categories_are_named_in_pictures():
    svg = pellucid.explain(ADULT, frame()[:1]).plot.waterfall(0, max_features=20).svg()
    assert "Married-civ-spouse" in svg


def test_unseen_categories_are_told_of():
    table = frame()[:3]
    table.loc[0, "workclass"] = "Astronaut"
    explanation = pellucid.explain(ADULT, table)
    assert any("Astronaut" in warning for warning in explanation.warnings)


def test_a_lacking_column_is_named():
    with pytest.raises(pellucid.InputError, match="lacks 1 of the model's 13 features: `age`"):
        pellucid.explain(ADULT, frame().drop(columns="age"))


def test_a_word_that_is_no_number_is_named():
    table = frame()
    table["age"] = "old"
    with pytest.raises(pellucid.InputError, match="`age`: `old` is no number"):
        pellucid.explain(ADULT, table)


def test_a_background_is_a_table_too():
    table = frame()
    shuffled = table[reversed(table.columns)]
    first = pellucid.explain(ADULT, table[:5], background=table[:100])
    second = pellucid.explain(ADULT, table[:5], background=shuffled[:100])
    assert np.array_equal(first.values, second.values)
    assert first.parameters["n_background_rows"] == 100


def test_attributions_go_to_arrow(attributions):
    names, values = attributions
    explanation = pellucid.explain(ADULT, frame())
    table = polars.DataFrame(explanation.to_arrow())
    assert table.columns == ["output", "base_value", *names]
    assert np.array_equal(table.select(names).to_numpy(), values)
    assert np.array_equal(table["output"].to_numpy(), explanation.outputs)
    three = pellucid.explain("fixtures/trees/lightgbm/multiclass.txt", np.eye(5), target="all")
    table = polars.DataFrame(three.to_arrow())
    assert table.height == 15 and table["target"][:3].to_list() == ["output 0", "output 1", "output 2"]
    of_first = table.filter(polars.col("target") == "output 0").drop("target", "output", "base_value")
    assert np.array_equal(of_first.to_numpy(), three.values[:, :, 0])


def keyed():
    """The table with a column of keys."""
    table = polars.read_csv(TABLE)
    return table.with_columns(polars.Series("key", [f"row {i}" for i in range(table.height)]))


@pytest.mark.parametrize("height", [301, 5000])
def test_cutting_a_table_changes_nothing(attributions, height):
    names, values = attributions
    pieces = (OnlyArrow(piece) for piece in keyed().iter_slices(height))
    made = polars.DataFrame(pellucid.explain_stream(ADULT, pieces, keep="key"))
    assert made.columns == ["key", "output", "base_value", *names]
    assert np.array_equal(made.select(names).to_numpy(), values)
    assert made["key"].equals(keyed()["key"])


def test_a_stream_is_explained_as_it_is_read():
    taken = []

    def pieces():
        for piece in keyed().iter_slices(500):
            taken.append(piece)
            yield piece

    stream = pellucid.explain_stream(ADULT, pieces())
    assert not taken
    assert next(iter(stream)).n_rows == 500 and len(taken) == 1
    # What is left, as a stream.
    assert polars.DataFrame(stream).height == 1500 and len(taken) == 4


def test_several_targets_and_kept_columns_are_refused():
    rows = OnlyArrow(polars.DataFrame({f"Column_{i}": [0.0, 1.0] for i in range(5)} | {"key": ["a", "b"]}))
    model = pellucid.load("fixtures/trees/lightgbm/multiclass.txt")
    assert polars.DataFrame(pellucid.explain_stream(model, rows, target="all")).height == 6
    with pytest.raises(pellucid.InputError, match="keep: several targets make several lines"):
        list(pellucid.explain_stream(model, rows, target="all", keep="key"))


def test_a_stream_without_rows_ends_at_once():
    assert list(pellucid.explain_stream(ADULT, [])) == []
    assert list(pellucid.explain_stream(ADULT, keyed()[:0])) == []
    with pytest.raises(pellucid.InputError, match="holds no rows"):
        pellucid.explain_stream(ADULT, []).__arrow_c_stream__()


def test_what_a_stream_says_of_its_rows_is_kept():
    stream = pellucid.explain_stream(ADULT, keyed().with_columns(occupation=polars.lit("Astronaut")).iter_slices(900))
    assert stream.warnings == []
    list(stream)
    assert len([warning for warning in stream.warnings if "Astronaut" in warning]) == 1


@pytest.mark.parametrize(
    ("tables", "options", "message"),
    [
        (7, {}, "give an Arrow stream"),
        ([7], {}, "int is no Arrow table"),
        (keyed, {"keep": "name"}, "column `name` is to be kept and is not there"),
        (keyed, {"keep": ["age"]}, "column `age` is to be kept, and a column of the attributions"),
        (lambda: keyed().drop("age"), {}, "lacks 1 of the model's 13 features: `age`"),
    ],
)
def test_a_stream_says_what_is_wrong(tables, options, message):
    stream = pellucid.explain_stream(ADULT, tables() if callable(tables) else tables, **options)
    with pytest.raises(pellucid.InputError, match=message):
        list(stream)


def test_what_is_wrong_reaches_the_reader_of_a_stream():
    """An error of a later piece comes out of whoever reads, and the piece before it has been given."""
    pieces = [keyed()[:5], keyed()[:5].drop("age")]
    with pytest.raises(Exception, match="lacks 1 of the model's 13 features: `age`"):
        polars.DataFrame(pellucid.explain_stream(ADULT, pieces))


def test_sparse_rows_are_as_the_model_takes_them():
    scipy = pytest.importorskip("scipy.sparse")
    rows = np.array([[0.0, 1.5, 0.0, 0.0, 46.0], [0.0, 0.0, 0.0, 2.0, 0.0]])
    binary = "fixtures/trees/lightgbm/binary.txt"
    expected = pellucid.explain(binary, rows).values
    assert np.array_equal(pellucid.explain(binary, scipy.csr_matrix(rows)).values, expected)
