"""lime for texts."""

from __future__ import annotations

import re

import numpy as np

from .. import _pellucid
from .._load import load
from .._pellucid import InputError, UnsupportedError
from .._progress import limits
from ._surrogates import Explanation, Settings, labels_of, refuse

__all__ = ["LimeTextExplainer"]


class LimeTextExplainer(Settings):
    """Explains texts by linear surrogates over the presence of their words.

    ``bow=True`` takes a word away wherever it stands; with ``bow=False`` each place of a word is on its own, and
    ``mask_string`` (``"UNKWORDZ"``) stands where it was.

    >>> import numpy as np
    >>> from pellucid.lime import LimeTextExplainer
    >>> predict = lambda texts: np.array([[0.9, 0.1] if "good" not in text else [0.2, 0.8] for text in texts])
    >>> LimeTextExplainer().explain_instance("a good day", predict, num_features=1, num_samples=200).as_list()[0][0]
    'good'
    """

    def __init__(
        self,
        kernel_width: float = 25,
        kernel=None,
        verbose: bool = False,
        class_names=None,
        feature_selection: str = "auto",
        split_expression: str = r"\W+",
        bow: bool = True,
        mask_string: str | None = None,
        random_state=None,
        char_level: bool = False,
    ):
        # lime measures cosine distances in hundredths.
        super().__init__(kernel_width / 100, kernel, feature_selection, random_state)
        if not isinstance(split_expression, str):
            raise UnsupportedError("split_expression: functions are not supported; give a regular expression")
        self.class_names = class_names
        self._separator = "" if char_level else split_expression
        self._by_word = bow
        self._mask = mask_string if mask_string is not None else ("" if bow else "UNKWORDZ")

    def explain_instance(
        self,
        text_instance: str,
        classifier_fn,
        labels=(1,),
        top_labels: int | None = None,
        num_features: int = 10,
        num_samples: int = 5000,
        distance_metric: str = "cosine",
        model_regressor=None,
    ) -> Explanation:
        """The surrogates of one text; ``classifier_fn`` takes a list of texts and gives ``[texts, classes]``."""
        refuse(distance_metric, "cosine", model_regressor)
        pieces, players, words = self._pieces(text_instance)

        def predict(present: np.ndarray):
            return classifier_fn([self._joined(pieces, players, coalition) for coalition in present])

        row = np.ones(len(words))
        model = load(predict, example_inputs=row[None])
        outputs = model.predict(row[None])[0]
        chosen, top = labels_of(outputs, labels, top_labels)
        wishes = self._wishes(num_features, num_samples, by_removal_count=True)
        groups = np.arange(len(words), dtype=np.int64)
        found = _pellucid.surrogate_of_groups(
            model._core, row, groups, np.zeros(len(words)), chosen, wishes, limits(batch_size=256)
        )
        explanation = Explanation(words, "classification", self.class_names)
        explanation._take(chosen, found)
        explanation.top_labels, explanation.predict_proba = top, outputs
        return explanation

    def _pieces(self, text: str) -> tuple[list[str], list[int | None], list[str]]:
        """The text in pieces, whose player each is (none between words), and the word of each player."""
        if self._separator:
            pieces = [piece for piece in re.split(f"({self._separator})", text) if piece]
            between = re.compile(self._separator)
        else:
            pieces, between = list(text), re.compile(r"(?!)")
        players: list[int | None] = []
        words: list[str] = []
        known: dict[str, int] = {}
        for piece in pieces:
            if between.fullmatch(piece):
                players.append(None)
                continue
            player = known.get(piece) if self._by_word else None
            if player is None:
                player = known[piece] = len(words)
                words.append(piece)
            players.append(player)
        if not words:
            raise InputError("text_instance: has no words; there is nothing to explain")
        return pieces, players, words

    def _joined(self, pieces, players, present) -> str:
        kept = (piece if player is None or present[player] else self._mask for piece, player in zip(pieces, players))
        return "".join(kept)
