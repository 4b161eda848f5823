"""lime's names over Pellucid: ``from pellucid.lime import LimeTabularExplainer`` is the whole migration.

Surrogates are lime's, with its defaults; what changes is that a result depends on the seed and the row alone, not on the
calls before. lime's modules are there under their names too: ``pellucid.lime.lime_tabular.LimeTabularExplainer``.

>>> import numpy as np
>>> from pellucid.lime import LimeTabularExplainer
>>> train = np.random.default_rng(0).normal(size=(200, 2))
>>> explainer = LimeTabularExplainer(train, mode="regression", feature_names=["age", "pay"], discretize_continuous=False)
>>> explanation = explainer.explain_instance(train[0], lambda rows: 3 * rows[:, 1])
>>> explanation.as_list()[0][0]
'pay'
"""

from . import _image as lime_image
from . import _tabular as lime_tabular
from . import _text as lime_text
from ._image import ImageExplanation, LimeImageExplainer
from ._surrogates import Explanation
from ._tabular import LimeTabularExplainer
from ._text import LimeTextExplainer

__all__ = [
    "Explanation",
    "ImageExplanation",
    "LimeImageExplainer",
    "LimeTabularExplainer",
    "LimeTextExplainer",
    "lime_image",
    "lime_tabular",
    "lime_text",
]
