"""Texts → explanations of tokens and words."""

from __future__ import annotations

import os

import numpy as np

from . import _functions, _options, _pellucid
from ._explanation import Explanation
from ._load import _wishes
from ._pellucid import InputError, UnsupportedError
from ._progress import limited


class TextModel:
    """A model that reads text: an ONNX file that takes token ids, and the ``tokenizer.json`` it was trained with; or a function.

    A function, such as the ``predict_proba`` of a pipeline, takes a list of texts and gives outputs ``[texts, outputs]``. It needs no
    tokenizer, and is explained by methods for any model: ``"lime"`` by default.

    The other arguments are those of :func:`pellucid.load`.

    >>> import pellucid
    >>> model = pellucid.TextModel("fixtures/models/glasslm_en.onnx", "fixtures/models/glasslm_en_tokenizer.json")
    >>> e = model.explain("Alice was", method="saliency", target="very")
    >>> e.tokens
    ['Alice', '▁was']
    >>> mood = pellucid.TextModel(lambda texts: ["good" in text and "not" not in text for text in texts])
    >>> e = mood.explain("It is good", "feature-ablation")
    >>> dict(zip(e.words, e.word_values.tolist()))
    {'It': 0.0, 'is': 0.0, 'good': 1.0}
    """

    __slots__ = ("_core", "_function", "_output_names")

    def __init__(
        self,
        model,
        tokenizer=None,
        *,
        output: str | None = None,
        explain_probability: bool = False,
        output_names=None,
        runtime: str | None = None,
        threads: int | None = None,
    ):
        self._core, self._function, self._output_names = None, None, output_names
        if _functions.is_one(model):
            others = {"tokenizer": tokenizer, "output": output, "explain_probability": explain_probability}
            others |= {"runtime": runtime, "threads": threads}
            _options.refuse(others, "is of a model file; a function reads texts as they are")
            self._function = model
            return
        if not isinstance(model, (str, os.PathLike)):
            raise UnsupportedError("a text model is given as the path of its ONNX file, or as a function of texts")
        if tokenizer is None:
            raise InputError("tokenizer: needed for texts; give the path of the model's tokenizer.json")
        wishes = _wishes(None, output, explain_probability, output_names, runtime, threads)
        self._core = _pellucid.TextModelCore.open(os.fspath(model), os.fspath(tokenizer), wishes)

    def explain(
        self,
        texts,
        method: str | None = None,
        target="top-1",
        *,
        contrast=None,
        token: int | None = None,
        log_probability: bool = False,
        seed: int = 0,
        batch_size: int | None = None,
        max_memory: int | None = None,
        threads: int | None = None,
        progress: bool = True,
        **options,
    ):
        """The explanation of a text, or a list of them for a list of texts.

        ``target`` is ``"top-1"``, ``"top-5"``, an index, a label, or for language models the next word (``"of"``) or a
        token as the vocabulary writes it (``"token:of"``); ``contrast`` is an output to take off it: why this and not
        that? ``token`` is the place whose outputs are explained where a model
        has outputs for every token: for language models the mask or else the last one unless given. ``log_probability``
        explains the logarithm of the probability instead of the logit. ``baseline`` is ``"pad"`` (the default),
        ``"mask"``, ``"zero"``, ``"mean"`` or ``"empty"``; methods and their other options are those of
        :func:`pellucid.explain`.

        Of methods for any model, such as ``"lime"``, ``"kernel_shap"``, ``"owen"``, ``"occlusion"`` or ``"feature_ablation"``, the
        words come and go, and the model is only asked. ``baseline`` is then what stands where a word is absent: ``"mask"``, ``"pad"``,
        ``"deleted"`` or ``"token:NAME"``; by default the mask, and nothing where the tokenizer has none. ``window`` and ``strides``
        count words.
        """
        single = isinstance(texts, str)
        texts = [texts] if single else list(texts)
        if not all(isinstance(text, str) for text in texts):
            raise InputError("texts: holds something that is no text")
        wishes = {"contrast": contrast, "token": token, "log_probability": log_probability}
        seed = _options.whole("seed", seed)
        with limited(batch_size, max_memory, threads, progress) as limits:
            if self._function is not None:
                cores = self._of_function(texts, method, target, wishes, seed, limits, options)
            else:
                cores = self._core.explain(texts, method, target, wishes, options, seed, limits)
        return _explained(cores, single)

    def _of_function(self, texts, method, target, of_tokens, seed, limits, options):
        _options.refuse(of_tokens, "is of token models; this is a function of texts")
        if not texts:
            return []
        call, description = _functions.of_texts(self._function, self._output_names, texts[0])
        return _pellucid.explain_text_function(call, description, texts, method or "lime", target, options, seed, limits)

    def compile(
        self,
        n_tokens: int,
        path=None,
        method: str | None = None,
        target="top-1",
        *,
        token: int | None = None,
        log_probability: bool = False,
        seed: int = 0,
        **options,
    ) -> bytes:
        """The bytes of an ONNX file that takes the ids of texts of ``n_tokens`` tokens, ``[N, n_tokens]``, on any ONNX runtime.

        Its outputs are ``output`` ``[N, outputs]`` and ``attribution`` ``[N, n_tokens]``. There is no padding: all tokens
        count. ``target`` is ``"top-1"`` (whatever is predicted), an index, a label, or the next word of a language model.
        With a ``path`` the file is written too. The rest is as in :meth:`explain`.
        """
        if self._core is None:
            raise UnsupportedError("a function cannot be compiled; give the path of an ONNX file")
        data = self._core.compile(n_tokens, method, target, token, log_probability, options, seed)
        if path is not None:
            with open(path, "wb") as file:
                file.write(data)
        return data

    def __repr__(self) -> str:
        name = getattr(self._function, "__qualname__", "function") if self._core is None else self._core.name
        return f"<pellucid.TextModel {name}>"


def _explained(cores, single: bool):
    explained = [TextExplanation(core) for core in cores]
    return explained[0] if single else explained


class TextExplanation:
    """The explanation of one text: a value for each token, and for each word the sum over its tokens.

    A notebook shows the text with its words colored: red for the target, blue against it.
    """

    __slots__ = ("_core", "_explanation")

    def __init__(self, core: _pellucid.TextCore):
        self._core = core
        self._explanation = Explanation(core.explanation())

    @property
    def text(self) -> str:
        """The text."""
        return self._core.text

    @property
    def tokens(self) -> list[str]:
        """Its tokens as the vocabulary has them."""
        return self._core.tokens

    @property
    def token_ids(self) -> list[int]:
        """Their numbers in the vocabulary."""
        return self._core.token_ids

    @property
    def token_spans(self) -> list[tuple[int, int]]:
        """Where each token begins and ends in :attr:`text`; special ones are nowhere, at ``(0, 0)``."""
        return self._core.token_spans

    @property
    def is_special(self) -> list[bool]:
        """Which tokens the tokenizer put in by itself."""
        return self._core.is_special

    @property
    def values(self) -> np.ndarray:
        """The value of each token, ``[tokens]``, or ``[tokens, targets]``."""
        return self._explanation.values[0]

    @property
    def words(self) -> list[str]:
        """The words of the text, punctuation by itself."""
        return self._core.words

    @property
    def word_spans(self) -> list[tuple[int, int]]:
        """Where each word begins and ends in :attr:`text`."""
        return self._core.word_spans

    @property
    def word_values(self) -> np.ndarray:
        """The value of each word, ``[words]``, or ``[words, targets]``."""
        if self.values.ndim == 1:
            return self._core.word_values(0)
        return np.stack([self._core.word_values(k) for k in range(self.values.shape[1])], axis=1)

    @property
    def word_errors(self) -> np.ndarray | None:
        """The standard error of each word's value, of sampled methods: 0 where it is exact, of weighted sums at most this."""
        if self._core.word_errors(0) is None:
            return None
        if self.values.ndim == 1:
            return self._core.word_errors(0)
        return np.stack([self._core.word_errors(k) for k in range(self.values.shape[1])], axis=1)

    @property
    def token(self) -> int | None:
        """The token whose outputs are explained, for models with outputs for every token."""
        return self._core.token

    @property
    def attention(self) -> np.ndarray | None:
        """For attention methods the weights, ``[layers, heads, tokens, tokens]``: who looks, and at whom."""
        return self._core.attention()

    @property
    def explanation(self) -> Explanation:
        """Everything else: outputs, base values, parameters, warnings; its features are the tokens of its only row."""
        return self._explanation

    def to_html(self, target: int = 0, by_token: bool = False) -> str:
        """The text as a page with its words, or its tokens, colored."""
        return self._core.html(target, by_token)

    def to_svg(self, target: int = 0, by_token: bool = False) -> str:
        """The same as a drawing."""
        return self._core.svg(target, by_token)

    def attention_html(self) -> str | None:
        """For attention methods a page with all layers and heads to choose from; ``None`` for others and for very long texts."""
        return self._core.attention_html()

    def to_json(self) -> str:
        """The document that ``pellucid explain --json`` prints for this text."""
        return self._core.to_json()

    def _repr_html_(self) -> str:
        return self._core.fragment(0, False)

    def __repr__(self) -> str:
        return f"<pellucid.TextExplanation of {len(self.tokens)} tokens, {len(self.words)} words>"
