"""Texts from Python: the command line's numbers, and what a person reads first."""

import json

import numpy as np
import onnxruntime
import pytest

import pellucid

MODEL = "fixtures/models/glasslm_en.onnx"
TOKENIZER = "fixtures/models/glasslm_en_tokenizer.json"
TEXT = "Alice was beginning to get very tired"


@pytest.fixture(scope="module")
def model():
    return pellucid.TextModel(MODEL, TOKENIZER, runtime="rten")


def test_values_are_of_tokens_and_words_are_their_sums(model):
    e = model.explain(TEXT, tolerance=0.01)
    assert "".join(e.tokens).replace("▁", " ") == TEXT
    assert e.values.shape == (len(e.tokens),)
    assert e.words == TEXT.split()
    assert np.isclose(e.word_values.sum(), e.values.sum())
    gap = e.explanation.convergence_delta[0]
    assert abs(gap) < 0.011 * abs(e.explanation.outputs[0] - e.explanation.base_values[0])
    assert [TEXT[start:end].strip() for start, end in e.token_spans] == [t.replace("▁", "") for t in e.tokens]


def test_the_command_line_gives_the_same_document(model, cli):
    asked = ["--method", "saliency", "--target", "of", "--runtime", "rten", "--json"]
    printed = json.loads(cli("explain", MODEL, "--tokenizer", TOKENIZER, "--text", TEXT, *asked))
    document = json.loads(model.explain(TEXT, method="saliency", target="of").to_json())
    assert document == printed


def test_explain_takes_texts_with_a_tokenizer():
    one, two = pellucid.explain(MODEL, [TEXT, "Alice was"], tokenizer=TOKENIZER, method="saliency")
    assert len(one.tokens) > len(two.tokens)
    assert "<span" in two._repr_html_() and "<svg" in two.to_svg()


def test_why_this_word_and_not_that(model):
    this, that = (model.explain(TEXT, target=word) for word in ("of", "with"))
    both = model.explain(TEXT, target="of", contrast="with")
    difference = this.explanation.outputs[0] - that.explanation.outputs[0]
    assert np.isclose(both.explanation.outputs[0], difference, atol=1e-4)


def test_attention_has_layers_and_heads(model):
    e = model.explain(TEXT, method="attention", layer=1, head=2)
    n = len(e.tokens)
    assert e.attention.shape == (4, 4, n, n)
    assert np.allclose(e.values, e.attention[1, 2, n - 1], atol=1e-6)
    assert any("not what made it decide" in warning for warning in e.explanation.warnings)


def test_attention_is_checked_by_deletion_and_shown_head_by_head(model):
    e = model.explain(TEXT, method="attention_rollout")
    check = json.loads(e.to_json())["texts"][0]["explanation"]["deletion"][0]
    assert 0 <= check["auc"] <= 1 and check["random_standard_error"] > 0
    page = e.attention_html()
    assert f"{check['auc']:.3f}" in page and "not what made it decide" in page
    assert f"{check['auc']:.3f}" in e.to_html()
    assert model.explain(TEXT, method="saliency").attention_html() is None


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("saliency", {"absolute": False}),
        ("input_x_gradient", {}),
        ("integrated_gradients", {"n_steps": 5, "baseline": "zero"}),
        ("deep_lift", {"baseline": "mean"}),
        ("lrp", {"composite": "attnlrp"}),
        ("attention", {"layer": 1, "head": 2}),
        ("attention_rollout", {"discard_ratio": 0.2}),
        ("attention_x_gradient", {}),
    ],
)
def test_a_compiled_text_model_gives_each_token_its_value(model, method, options, tmp_path):
    texts = ["Alice was beginning", "The cat said nothing"]
    explained = [model.explain(text, method=method, target="of", progress=False, **options) for text in texts]
    of_length = {len(e.tokens): e for e in explained}
    for n, e in of_length.items():
        data = model.compile(n, tmp_path / "compiled.onnx", method, "of", **options)
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        output, attribution = session.run(None, {session.get_inputs()[0].name: np.array([e.token_ids, e.token_ids])})
        assert attribution.shape == (2, n)
        np.testing.assert_allclose(attribution[1], e.values, atol=2e-4 * np.abs(e.values).max())
        assert np.abs(output[0] - e.explanation.outputs[0]).min() < 1e-3


def test_what_cannot_be_is_refused(model):
    with pytest.raises(pellucid.InputError, match="is empty"):
        model.explain(" ")
    with pytest.raises(pellucid.InputError, match="at most 128"):
        model.explain("Alice " * 300)
    with pytest.raises(pellucid.InputError, match="no text"):
        model.explain([3])
    with pytest.raises(pellucid.UnsupportedError, match="tokenizer"):
        pellucid.load(MODEL)


def test_words_by_predictions_alone(model, cli):
    asked = ["--method", "lime", "--n-samples", "300", "--target", "of", "--runtime", "rten", "--json"]
    printed = json.loads(cli("explain", MODEL, "--tokenizer", TOKENIZER, "--text", TEXT, *asked))
    e = model.explain(TEXT, method="lime", n_samples=300, target="of")
    assert json.loads(e.to_json()) == printed
    assert e.word_errors.shape == e.word_values.shape and (e.word_errors > 0).all()
    assert any("R²" in warning for warning in e.explanation.warnings)
    exact = model.explain(TEXT, method="exact_shap", target="of", baseline="pad")
    total = exact.explanation.outputs[0] - exact.explanation.base_values[0]
    assert np.isclose(exact.word_values.sum(), total) and not exact.word_errors.any()
    assert model.explain(TEXT, method="feature_ablation", target="of").word_errors is None
    with pytest.raises(pellucid.InputError, match="mask, pad, deleted"):
        model.explain(TEXT, method="lime", baseline="zero")
    with pytest.raises(pellucid.InputError, match="journal"):
        model.explain(TEXT, method="lime", journal="x")


def test_functions_of_texts_are_explained_word_by_word():
    asked = []

    def mood(texts):
        asked.extend(texts)
        return np.array([[1.0 - ("good" in t) + ("not good" in t), ("good" in t) - ("not good" in t)] for t in texts])

    e = pellucid.explain(mood, "It is not good.", "exact-shap", target=1)
    assert e.words == ["It", "is", "not", "good", "."]
    # v = good − good · not: half of the product is taken from each.
    assert np.allclose(e.word_values, [0, 0, -0.5, 0.5, 0])
    assert "It is  good." in asked and len(asked) == 2 + len(set(asked)), "each text once, the whole one as example and for itself too"
    one, two = pellucid.TextModel(mood, output_names=["sad", "happy"]).explain(["good, good", "not good"], target="all")
    assert one.word_values.shape == (3, 2) and one.explanation.output_names == ["sad", "happy"]
    assert two.explanation.method == "lime" and (two.word_errors > 0).all() and "<span" in two.to_html()
    masked = pellucid.explain(mood, "not good", "feature-ablation", target=1, baseline="token:very")
    assert "very good" in asked and masked.explanation.parameters["baseline"] == "token:very"
    for options, part in [({"baseline": "mask"}, "deleted, token:TEXT"), ({"token": 1}, "token models"), ({"segments": "3"}, "segments")]:
        with pytest.raises(pellucid.InputError, match=part):
            pellucid.explain(mood, "not good", "lime", **options)
    with pytest.raises(pellucid.InputError, match="is empty"):
        pellucid.explain(mood, " ", "lime")
    with pytest.raises(ZeroDivisionError):
        pellucid.explain(lambda texts: [1 / ("good" in t) for t in texts], "not good", "lime")
