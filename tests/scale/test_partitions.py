"""A table in pieces gets the values of the table as a whole, to the bit: the recipes of docs/scale.md, run on this machine."""

import pathlib
import re
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLOCKS = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs/scale.md").read_text(), flags=re.M | re.S)


def run(part, names, replaced=()):
    """Runs a block of the page, found by what it says, where names and files are those of this test."""
    (block,) = [block for block in BLOCKS if part in block]
    for old, new in replaced:
        assert old in block, f"docs/scale.md says `{old}` no more"
        block = block.replace(old, new)
    # As in a script: what is defined there goes to the workers by value.
    exec(block, names)


@pytest.fixture
def names():
    """What all recipes share."""
    names = {"__name__": "__main__"}
    run("def explained", names, [('"fixtures/trees/demo/adult.txt"', repr(str(ROOT / "fixtures/trees/demo/adult.txt")))])
    return names


@pytest.fixture(scope="module")
def table():
    table = pyarrow.csv.read_csv(ROOT / "fixtures/data/adult_test.csv")
    return table.append_column("row", pa.array(range(len(table)), pa.int64()))


@pytest.fixture
def whole(names, table):
    return names["explained"](names["MODEL"], table)


@pytest.fixture
def file(table, tmp_path):
    pyarrow.csv.write_csv(table, tmp_path / "people.csv")
    return [('"people.csv"', repr(str(tmp_path / "people.csv")))]


def assert_same_bits(parts: pa.Table, whole: pa.Table):
    # Spark reads the key as a shorter integer.
    parts = parts.select(whole.column_names).cast(whole.schema).sort_by("row")
    assert parts.num_rows == whole.num_rows == 2000
    for name in whole.column_names:
        assert parts[name].to_numpy().tobytes() == whole[name].to_numpy().tobytes(), name


def test_the_values_add_up_to_what_the_source_library_says(whole, table):
    columns = [whole[name].to_numpy() for name in whole.column_names if name not in ("row", "output")]
    margins = np.load(ROOT / "fixtures/trees/demo/adult.margins.npy").ravel()
    np.testing.assert_allclose(np.sum(columns, axis=0), margins, atol=1e-5)


@pytest.mark.parametrize(("n_parts", "batch_size"), [(1, 2000), (7, 173)])
def test_ray_changes_no_bit(names, whole, file, n_parts, batch_size):
    import ray

    cut = [(".map_batches", f".repartition({n_parts}).map_batches"), ("batch_size=8192", f"batch_size={batch_size}")]
    # Two for the workers of the recipe, the others to read and cut.
    ray.init(num_cpus=4, include_dashboard=False, log_to_driver=False)
    try:
        run("import ray", names, [*file, *cut])
        parts = pa.concat_tables(ray.get(names["values"].to_arrow_refs()))
    finally:
        ray.shutdown()
    assert_same_bits(parts, whole)


@pytest.mark.parametrize(("n_parts", "batch_size"), [(1, 2000), (5, 173)])
def test_spark_changes_no_bit(names, whole, file, n_parts, batch_size, monkeypatch):
    from pyspark.sql import SparkSession

    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    session = SparkSession.builder.master("local[2]").config("spark.ui.enabled", False)
    session = session.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
    spark = session.config("spark.sql.execution.arrow.maxRecordsPerBatch", batch_size).getOrCreate()
    try:
        cut = [(".mapInArrow", f".repartition({n_parts}).mapInArrow")]
        names["spark"] = spark
        run("mapInArrow", names, [*file, *cut])
        parts = names["values"].toArrow()
    finally:
        spark.stop()
    assert_same_bits(parts, whole)


@pytest.mark.parametrize("n_parts", [1, 5])
def test_dask_changes_no_bit(names, whole, file, n_parts):
    run("import dask", names, [*file, (".map_partitions", f".repartition(npartitions={n_parts}).map_partitions")])
    assert_same_bits(pa.Table.from_pandas(names["values"].compute(scheduler="threads")), whole)
