"""Explanations of rows in memory: the command line's numbers, to the bit."""

import json
import pickle

import numpy as np
import pytest

import pellucid

ADULT = "fixtures/trees/demo/adult.txt"
BINARY = "fixtures/trees/lightgbm/binary.txt"
THREE = "fixtures/trees/lightgbm/multiclass.txt"
MNIST = "fixtures/models/mnist_cnn.onnx"


def told(name):
    """Rows, margins, and contributions of the first rows, as the source library gave them."""
    with open(f"fixtures/trees/{name}.expected.json") as file:
        told = json.load(file)
    rows = np.array([[np.nan if cell is None else float(cell) for cell in row] for row in told["rows"]])
    return rows, np.array(told["raw"]), np.array(told["contributions"])


def recorded(name):
    """Rows and margins that can be explained: infinities are refused, and f32 ends where some of the rows go on."""
    rows, margins, _ = told(name)
    kept = ~(np.abs(rows) > 1e30).any(axis=1)
    return rows[kept], margins[kept]


def digits(n):
    images = np.load("fixtures/models/mnist_test_500.npz")["images"][:n]
    return (((images / 255.0) - 0.1307) / 0.3081).astype(np.float32)[:, None]


def same_as_command(cli, tmp_path, model, rows, explanation, *arguments):
    """The document that the command line writes for the same rows, but for the file's name."""
    path = tmp_path / "rows.npy"
    np.save(path, rows)
    theirs = json.loads(cli("explain", model, path, "--json", *arguments))
    ours = json.loads(explanation.to_json())
    for row in theirs["inputs"]:
        row["file"] = ""
    assert ours == theirs


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("target", ["top-1", "all"])
def test_a_table_is_explained_as_by_the_command(cli, tmp_path, dtype, target):
    rows = recorded("lightgbm/multiclass")[0].astype(dtype)
    explanation = pellucid.explain(THREE, rows, target=target)
    same_as_command(cli, tmp_path, THREE, rows, explanation, "--target", target)


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients", "grad_cam", "smoothgrad"])
def test_images_are_explained_as_by_the_command(cli, tmp_path, method):
    rows = digits(3)
    explanation = pellucid.explain(MNIST, rows, method, seed=7)
    same_as_command(cli, tmp_path, MNIST, rows, explanation, "--method", method, "--seed", "7")


@pytest.mark.parametrize("name", ["lightgbm/binary", "lightgbm/multiclass", "lightgbm/missing_nan"])
def test_values_are_the_source_librarys(name):
    rows, margins, contributions = told(name)
    rows, margins = rows[: len(contributions)], margins[: len(contributions)]
    explanation = pellucid.explain(f"fixtures/trees/{name}.txt", rows, target="all")
    contributions = contributions.reshape(len(rows), margins.shape[1], -1)
    values = explanation.values.reshape(len(rows), rows.shape[1], -1)
    np.testing.assert_allclose(values.transpose(0, 2, 1), contributions[:, :, :-1], atol=1e-6)
    np.testing.assert_allclose(explanation.base_values.reshape(len(rows), -1), contributions[:, :, -1], atol=1e-6)
    np.testing.assert_allclose(explanation.outputs.reshape(len(rows), -1), margins, atol=1e-6)


@pytest.mark.parametrize("options", [{"interactions": True}, {"background": "rows"}])
def test_options_of_tree_methods_are_taken(options):
    rows = recorded("lightgbm/binary")[0]
    if "background" in options:
        options = {"background": rows[:10]}
    explanation = pellucid.explain(BINARY, rows, **options)
    summed = explanation.values.reshape(len(rows), -1).sum(axis=1) + explanation.base_values
    np.testing.assert_allclose(summed, explanation.outputs, atol=1e-6)
    assert explanation.values.ndim == (3 if "interactions" in options else 2)


def test_rows_do_not_depend_on_their_neighbors():
    rows = np.repeat(recorded("lightgbm/binary")[0], 2000, axis=0)
    whole = pellucid.explain(BINARY, rows).values
    parts = [pellucid.explain(BINARY, part).values for part in np.array_split(rows, 7)]
    assert np.array_equal(whole, np.concatenate(parts))


def test_layouts_give_the_same_bits():
    rows = recorded("lightgbm/binary")[0]
    expected = pellucid.explain(BINARY, rows).values
    for other in [np.asfortranarray(rows), np.repeat(rows, 2, axis=1)[:, ::2], rows.tolist()]:
        assert np.array_equal(pellucid.explain(BINARY, other).values, expected)


@pytest.mark.parametrize(
    ("target", "expected"),
    [(2, [2, 2, 2]), ("1", [1, 1, 1]), ([0, 2, 1], [0, 2, 1]), (np.array([2, 0, 0]), [2, 0, 0])],
)
def test_targets_are_an_index_or_one_a_row(target, expected):
    rows = recorded("lightgbm/multiclass")[0][:3]
    every = pellucid.explain(THREE, rows, target="all").values
    values = pellucid.explain(THREE, rows, target=target).values
    assert np.array_equal(values, np.stack([every[row, :, index] for row, index in enumerate(expected)]))


def test_a_difference_of_outputs_is_explained():
    rows = recorded("lightgbm/multiclass")[0][:3]
    every = pellucid.explain(THREE, rows, target="all").values
    values = pellucid.explain(THREE, rows, target={2: 1.0, 0: -1.0}).values
    np.testing.assert_allclose(values, every[:, :, 2] - every[:, :, 0], atol=1e-12)


def test_a_baseline_is_a_number_or_a_row():
    rows = digits(2)
    number = pellucid.explain(MNIST, rows, baseline=0.5, n_steps=8)
    row = pellucid.explain(MNIST, rows, baseline=np.full((1, 28, 28), 0.5, np.float32), n_steps=8)
    assert np.array_equal(number.values, row.values)
    assert number.parameters["baseline"] == "value:0.5" and row.parameters["baseline"] == "array"


def test_arrays_cannot_be_changed():
    explanation = pellucid.explain(BINARY, recorded("lightgbm/binary")[0])
    for array in [explanation.values, explanation.base_values, explanation.data]:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1.0


def test_what_was_explained_stays_though_rows_change():
    rows = recorded("lightgbm/binary")[0].copy()
    explanation = pellucid.explain(BINARY, rows)
    before = rows.copy()
    rows[:] = -1.0
    np.testing.assert_array_equal(explanation.data, before)


def test_rows_of_an_explanation_are_taken_by_index_slice_and_mask():
    rows = recorded("lightgbm/multiclass")[0]
    explanation = pellucid.explain(THREE, rows)
    for picked in [2, slice(1, 5), [3, 0], np.arange(len(rows)) % 3 == 0, -1]:
        part = explanation[picked]
        expected = np.atleast_2d(np.asarray(explanation.values)[picked])
        assert np.array_equal(part.values, expected)
        document, whole = json.loads(part.to_json()), json.loads(explanation.to_json())
        places = np.atleast_1d(np.arange(len(rows))[picked])
        assert document["inputs"] == [whole["inputs"][place] for place in places]
        assert part[0].target_indices == [explanation.target_indices[places[0]]]
    assert [len(part) for part in explanation] == [1] * len(rows)
    with pytest.raises(IndexError):
        explanation[len(rows)]


@pytest.mark.parametrize("ending", ["json", "npz"])
def test_explanations_come_back_from_files(tmp_path, ending):
    for explanation in [pellucid.explain(MNIST, digits(2), n_steps=4), pellucid.explain(BINARY, np.zeros((2, 5)))]:
        path = tmp_path / f"explanation.{ending}"
        explanation.save(path)
        assert pellucid.Explanation.load(path).to_json() == explanation.to_json()


def test_explanations_are_pickled():
    explanation = pellucid.explain(BINARY, np.zeros((2, 5)))
    assert pickle.loads(pickle.dumps(explanation)).to_json() == explanation.to_json()


def test_what_an_explanation_tells():
    explanation = pellucid.explain(THREE, np.zeros((2, 5)), target="all", seed=3)
    assert explanation.method == "tree_shap"
    assert explanation.parameters["removal"] == "path_dependent"
    assert explanation.target == "all" and explanation.seed == 3
    assert explanation.output_space == "margin"
    assert explanation.model["format"] == "lightgbm" and len(explanation.model["digest"]) == 64
    assert explanation.evaluations.tolist() == [1, 1]
    assert explanation.runtime.startswith("pellucid-trees")
    assert abs(explanation.convergence_delta).max() < 1e-6


def test_charts_are_drawn(tmp_path):
    plot = pellucid.explain(ADULT, np.zeros((20, 13))).plot
    drawings = [plot.waterfall(3), plot.force(), plot.bar(), plot.beeswarm(), plot.dependence("age"), plot.heatmap()]
    for drawing in drawings:
        assert drawing.svg().startswith("<svg") and drawing._repr_svg_() == drawing.svg()
    drawings[0].save(tmp_path / "waterfall.png")
    assert (tmp_path / "waterfall.png").read_bytes().startswith(b"\x89PNG")
    drawings[0].save(tmp_path / "waterfall.html")
    assert "Row 3. Model: adult." in (tmp_path / "waterfall.html").read_text()
    with pytest.raises(pellucid.InputError, match="ends in"):
        drawings[0].save(tmp_path / "waterfall.txt")


def test_images_have_heatmaps_and_notebooks_show_them():
    explanation = pellucid.explain(MNIST, digits(2), "grad_cam")
    assert explanation.plot.heatmap(1).svg().startswith("<svg")
    assert "<svg" in explanation._repr_html_()
    assert "<svg" in pellucid.explain(BINARY, np.zeros((1, 5)))._repr_html_()


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: pellucid.load("nowhere.onnx"), pellucid.ModelError, "nowhere.onnx"),
        (lambda: pellucid.load(b"tree\nbroken"), pellucid.ModelError, "cannot be read"),
        (lambda: pellucid.load(b""), pellucid.ModelError, "not a readable ONNX model"),
        (lambda: pellucid.load("http://host/model"), pellucid.InputError, "names no model"),
        (lambda: pellucid.load("s3://host/model"), pellucid.UnsupportedError, "http"),
        (lambda: pellucid.load(print), pellucid.InputError, "example_inputs"),
        (lambda: pellucid.load(3), pellucid.InputError, "int"),
        (lambda: pellucid.explain(BINARY, np.zeros((2, 4))), pellucid.InputError, "4 columns"),
        (lambda: pellucid.explain(BINARY, np.zeros((0, 5))), pellucid.InputError, "no rows"),
        (lambda: pellucid.explain(BINARY, np.full((2, 5), np.inf)), pellucid.InputError, "row 0, column 0"),
        (lambda: pellucid.explain(BINARY, [["a"] * 5]), pellucid.InputError, "numbers"),
        (lambda: pellucid.explain(BINARY, np.zeros((2, 5)), "limes"), pellucid.InputError, "no method `limes`"),
        (lambda: pellucid.explain(BINARY, np.zeros((2, 5)), n_steps=3), pellucid.InputError, "n_steps"),
        (lambda: pellucid.explain(BINARY, np.zeros((2, 5)), target=1), pellucid.InputError, "out of range"),
        (lambda: pellucid.explain(BINARY, np.zeros((2, 5)), target=1.5), pellucid.InputError, "target"),
        (lambda: pellucid.explain(MNIST, np.zeros((2, 5))), pellucid.InputError, "shape"),
        (lambda: pellucid.explain(MNIST, digits(1) * np.nan), pellucid.InputError, "NaN"),
        (lambda: pellucid.explain(MNIST, digits(1), n_steps="many"), pellucid.InputError, "n_steps"),
        (lambda: pellucid.load(MNIST, runtime="x"), pellucid.UnsupportedError, "runtime"),
    ],
)
def test_faults_have_one_clear_line(call, error, text):
    with pytest.raises(error, match=text) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, pellucid.Error)


def test_a_single_row_needs_no_leading_axis():
    rows = recorded("lightgbm/binary")[0]
    assert np.array_equal(pellucid.explain(BINARY, rows[0]).values, pellucid.explain(BINARY, rows[:1]).values)
    assert pellucid.explain(MNIST, digits(1)[0], "saliency").values.shape == (1, 1, 28, 28)


def test_a_loaded_model_is_loaded_once():
    model = pellucid.load(BINARY)
    assert pellucid.load(model) is model
    rows, margins = recorded("lightgbm/binary")
    np.testing.assert_allclose(model.outputs(rows), margins, atol=1e-6)
    # The file says that its sigmoid has the slope 0.7.
    np.testing.assert_allclose(model.predict(rows), 1 / (1 + np.exp(-0.7 * margins)), atol=1e-6)
    with open(BINARY, "rb") as file:
        assert pellucid.load(file.read()).digest == model.digest


def test_a_target_may_be_a_similarity_or_a_class_over_a_mask():
    rows = np.linspace(-1, 1, 28 * 28, dtype=np.float32).reshape(1, 1, 28, 28)
    network = "fixtures/models/mnist_cnn.onnx"
    outputs = pellucid.load(network).outputs(rows)[0]
    vector = np.arange(10, dtype=np.float32)
    like = pellucid.explain(network, rows, "saliency", {"cosine": vector}, progress=False)
    expected = outputs @ vector / np.linalg.norm(outputs) / np.linalg.norm(vector)
    np.testing.assert_allclose(like.outputs, expected, rtol=1e-5)
    itself = pellucid.explain(network, rows, "saliency", {"cosine": rows[0]}, progress=False)
    np.testing.assert_allclose(itself.outputs, 1, rtol=1e-5)
    layer = next(wire["name"] for wire in pellucid.inspect(network)["cam_layers"])
    with open(network, "rb") as file:  # not its labels, which are of ten outputs
        places = pellucid.load(file.read(), output=layer)
    mask = np.zeros((7, 7), np.float32)
    mask[2, 3] = 1
    one = pellucid.explain(places, rows, "saliency", {"class": 5, "mask": mask}, progress=False)
    np.testing.assert_allclose(one.outputs, places.outputs(rows).reshape(128, 7, 7)[5, 2, 3], rtol=1e-5, atol=1e-6)
    with pytest.raises(pellucid.InputError, match="cosine"):
        pellucid.explain(network, rows, "saliency", {"like": vector}, progress=False)


def test_of_several_inputs_one_is_explained():
    model, arrays = "fixtures/tables/tabular.script.onnx", np.load("fixtures/tables/tabular.npz")
    for row in range(3):
        loaded = pellucid.load(model, fixed={"codes": arrays["codes"][row]})
        numbers = arrays["numbers"][row : row + 1].astype(np.float32)
        found = pellucid.explain(loaded, numbers, method="saliency", absolute=False, target=int(arrays["target"][row]))
        expected = arrays["numbers_gradient"][row : row + 1]
        assert np.abs(found.values - expected).max() < 1e-5 * np.abs(expected).max()
    assert any("`codes`" in warning for warning in found.warnings)
    with pytest.raises(pellucid.UnsupportedError, match="2 inputs"):
        pellucid.load(model)
    with pytest.raises(pellucid.InputError, match="no numbers"):
        pellucid.load(model, fixed={"codes": ["a", "b", "c"]})
