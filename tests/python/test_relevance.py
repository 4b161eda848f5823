"""Layer-wise relevance propagation, and Chefer relevance."""

import numpy as np
import pytest

import pellucid

CNN = "fixtures/models/mnist_cnn.onnx"
TRANSFORMER = "fixtures/models/vit_tiny_mnist.onnx"


@pytest.fixture(scope="module")
def rows():
    images = np.load("fixtures/models/mnist_test_500.npz")["images"][:3]
    return (images[:, None] / 255).astype(np.float32)


@pytest.mark.parametrize("composite", ["epsilon", "epsilon_plus", "epsilon-plus-flat", "attnlrp"])
def test_relevance_and_what_biases_absorbed_are_the_output(rows, composite):
    e = pellucid.explain(CNN, rows, "lrp", composite=composite, target=3, progress=False)
    assert e.values.shape == rows.shape
    assert np.abs(e.convergence_delta).max() < 0.01 * np.abs(e.values).sum(axis=(1, 2, 3)).min()
    np.testing.assert_allclose(e.values.sum(axis=(1, 2, 3)) - e.convergence_delta, e.outputs - e.base_values, rtol=1e-4)


def test_bounds_and_rules_are_taken(rows, tmp_path):
    boxed = pellucid.explain(CNN, rows, "lrp", composite="epsilon_gamma_box", low=0, high=[1.0], progress=False)
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nop = "Conv"\nfirst = true\nrule = "box"\nlow = 0\nhigh = 1\n\n[[rule]]\nop = "Conv"\nrule = "gamma"')
    own = pellucid.explain(CNN, rows, "lrp", composite="epsilon", rules=rules, progress=False)
    np.testing.assert_array_equal(own.values, boxed.values)
    rules.write_text('[[rule]]\nname = "layer9*"\nrule = "flat"')
    with pytest.raises(pellucid.InputError, match="fits no node"):
        pellucid.explain(CNN, rows, "lrp", rules=rules, progress=False)


def test_a_transformer_is_explained_by_its_attention(rows):
    e = pellucid.explain(TRANSFORMER, rows, "chefer", start_layer=1, progress=False)
    assert e.values.shape == (3, 28, 28) and (e.values >= 0).all() and e.values.max() > 0
    relevance = pellucid.explain(TRANSFORMER, rows, "lrp", composite="attnlrp", progress=False)
    assert relevance.values.shape == rows.shape and np.isfinite(relevance.values).all()


def test_conservation_accounts_for_all_relevance(rows):
    flow = pellucid.conservation(CNN, rows, target=3, composite="epsilon")
    explained = pellucid.explain(CNN, rows, "lrp", composite="epsilon", target=3, progress=False)
    assert len(flow["node"]) == len(flow["op"]) == len(flow["arrived"]) and set(flow["row"]) == {0, 1, 2}
    for row in range(3):
        of_row = flow["row"] == row
        # What arrives first is the output, what is sent last the input's relevance.
        assert flow["arrived"][of_row][0] == pytest.approx(explained.outputs[row], rel=1e-4)
        assert flow["absorbed"][of_row].sum() == pytest.approx(explained.base_values[row], rel=1e-3, abs=1e-4)
    with pytest.raises(pellucid.InputError, match="no such option"):
        pellucid.conservation(CNN, rows, n_steps=3)
