"""lime's names. LIME itself is not there yet: they raise :class:`pellucid.UnsupportedError` and say what is.

>>> import pellucid.lime
>>> pellucid.lime.LimeTextExplainer()
Traceback (most recent call last):
pellucid.UnsupportedError: pellucid.lime.LimeTextExplainer is not supported yet; ...
"""

from .. import _absent

# lime's name → what there is.
_INSTEAD = {
    "LimeTabularExplainer": "of tree models there is pellucid.explain(model, rows, method='tree_shap'), of networks "
    "method='integrated_gradients'",
    "LimeTextExplainer": "for texts there is pellucid.TextModel, with a value for each token and word",
    "LimeImageExplainer": "of a network there are pellucid.explain(model, images, method='integrated_gradients') and "
    "method='grad_cam'",
}


def __getattr__(name: str):
    return _absent.named(__name__, name, _INSTEAD)
