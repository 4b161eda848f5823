"""Models of whatever kind → :class:`pellucid.Model`."""

from __future__ import annotations

import operator
import os
import tempfile

import numpy as np

from . import _functions, _options, _pellucid, _runtime, _sklearn
from ._model import Model
from ._pellucid import InputError, UnsupportedError


def load(
    model,
    *,
    example_inputs=None,
    input_shape=None,
    output: str | None = None,
    explain_probability: bool = False,
    output_names=None,
    start: str | None = None,
    fixed=None,
    feature_names=None,
    runtime: str | None = None,
    threads: int | None = None,
    token: str | None = None,
    timeout: float | None = None,
) -> Model:
    """A model ready to be explained.

    ``model`` is a path or the bytes of a model file (ONNX, XGBoost JSON or UBJ, LightGBM text, CatBoost JSON), an
    ``onnx.ModelProto``, an XGBoost, LightGBM or CatBoost model, an estimator of scikit-learn or a ``Pipeline`` that ends
    in one, or a ``torch.nn.Module`` with ``example_inputs``.

    Of these only predictions are known, which is enough for the methods that :func:`pellucid.explain` has for any model:

    - a function ``f(rows)`` of an array ``[rows, features…]`` in float64 that gives ``[rows]`` or ``[rows, outputs]``, with
      rows as ``example_inputs`` or with ``input_shape``. It is called with a data frame if the example is one, on the thread
      that asks for the explanation, with a bounded number of rows at once; what it raises comes out as it is.
    - the address of a served model, ``"http://host:8080/v2/models/NAME"`` (Open Inference Protocol) or
      ``"http://host/v1/models/NAME:predict"`` (KServe), with ``token``, which is sent along, and ``timeout``, the seconds
      that one question may take (30 by default).

    ``input_shape`` is the shape of one row, needed where a network's file leaves lengths open; ``output`` is the
    network's output by name, the first that holds floats otherwise; ``explain_probability`` explains what stands behind a final
    softmax or sigmoid instead of the logits before it. Of a network of several inputs ``start`` is the one that is explained,
    and ``fixed`` says what each other holds in every row, such as ``{"codes": [3, 1]}``; ``start`` may be a wire inside the network
    too. ``runtime`` is ``"auto"``, ``"onnxruntime"`` or ``"rten"``.

    Raises :class:`pellucid.ModelError` for a broken model, :class:`pellucid.UnsupportedError` for one that cannot be
    explained.

    >>> import pellucid
    >>> pellucid.load("fixtures/models/mnist_cnn.onnx").input_shape
    (1, 28, 28)
    >>> pellucid.load(lambda rows: rows[:, 0] * rows[:, 1], input_shape=(3,)).kind
    'function'
    """
    if isinstance(model, Model):
        return model
    wishes = _wishes(input_shape, output, explain_probability, output_names, runtime, threads, start, fixed)
    names = _texts("feature_names", feature_names)
    if isinstance(model, str) and "://" in model:
        of_files = {"explain_probability": explain_probability, "start": start, "fixed": fixed, "runtime": runtime, "threads": threads}
        _options.refuse(of_files | {"example_inputs": example_inputs}, "says nothing of a served model, which is asked as it is")
        return Model(_served(model, wishes, token, timeout), names)
    _options.refuse({"token": token, "timeout": timeout}, "is of served models, and this is none; leave it out")
    if isinstance(model, (str, os.PathLike)):
        return Model(_pellucid.ModelCore.open(os.fspath(model), wishes), names)
    if isinstance(model, (bytes, bytearray, memoryview)):
        return Model(_pellucid.ModelCore.from_bytes("model", bytes(model), wishes), names)
    return _of_object(model, wishes, names, example_inputs)


def _wishes(
    input_shape=None,
    output=None,
    explain_probability=False,
    output_names=None,
    runtime=None,
    threads=None,
    start=None,
    fixed=None,
) -> dict:
    """What the core is told of a model."""
    return {
        "input_shape": None if input_shape is None else _shape(input_shape),
        "output": output,
        "explain_probability": explain_probability,
        "output_names": _texts("output_names", output_names),
        "start": start,
        "fixed": {str(name): _row(name, values) for name, values in _options.named("fixed", fixed).items()},
        "runtime": runtime,
        "library": _runtime.library(),
        "threads": threads,
    }


def _shape(given) -> list[int]:
    try:
        return [operator.index(n) for n in given]
    except TypeError:
        raise InputError(f"input_shape: {given!r} is no shape of a row; give whole numbers, such as (3,)") from None


def _row(name, values) -> tuple[list[int], list[float]]:
    """The shape and the values of what an input holds."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"fixed: `{name}` holds no numbers: {error}") from None
    return list(array.shape), array.ravel().tolist()


def _served(address: str, wishes, token, timeout):
    if address.startswith(("http://", "https://")):
        return _pellucid.ModelCore.of_endpoint(address, token, timeout, wishes)
    raise UnsupportedError(f"{address}: served models are asked over http:// or https:// alone; give such an address, or a file")


def _of_object(model, wishes, names, example_inputs) -> Model:
    modules = _functions.libraries(model)
    if "onnx" in modules and hasattr(model, "SerializeToString"):
        return Model(_pellucid.ModelCore.from_bytes(_name(model), model.SerializeToString(), wishes), names)
    if "xgboost" in modules:
        return _xgboost(model, wishes, names)
    if "lightgbm" in modules:
        return _lightgbm(model, wishes, names)
    if "catboost" in modules:
        return _catboost(model, wishes, names)
    if "torch" in modules:
        from . import _torch

        return Model(_torch.core(model, example_inputs, wishes), names)
    if "sklearn" in modules:
        return _sklearn.load(model, wishes, names)
    if callable(model):
        return _functions.load(model, wishes, names, example_inputs)
    raise InputError(f"model: a {type(model).__name__} is none; give a path, bytes, an estimator, a Booster or a function")


def _xgboost(model, wishes, names) -> Model:
    booster = model.get_booster() if hasattr(model, "get_booster") else model
    missing = getattr(model, "missing", None)
    prepare = None if missing is None or np.isnan(missing) else _missing_as_nan(missing)
    core = _pellucid.ModelCore.from_bytes(_name(model), bytes(booster.save_raw("ubj")), _with_classes(model, wishes))
    return Model(core, names, prepare)


def _missing_as_nan(missing):
    def prepare(X):
        array = np.array(X, dtype=np.float64)
        array[array == missing] = np.nan
        return array, [str(name) for name in X.columns] if hasattr(X, "columns") else None

    return prepare


def _lightgbm(model, wishes, names) -> Model:
    booster = getattr(model, "booster_", model)
    text = booster.model_to_string()
    return Model(_pellucid.ModelCore.from_bytes(_name(model), text.encode(), _with_classes(model, wishes)), names)


def _catboost(model, wishes, names) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"{_name(model)}.json")
        model.save_model(path, format="json")
        return Model(_pellucid.ModelCore.open(path, wishes), names)


def _with_classes(model, wishes):
    """The wrapper's classes for names of the outputs, where each class has one."""
    if wishes["output_names"] is not None:
        return wishes
    try:
        classes = getattr(model, "classes_", None)
    except AttributeError:
        classes = None
    if classes is None or len(classes) < 3:
        return wishes
    return {**wishes, "output_names": _texts("output_names", classes)}


def _texts(option: str, names) -> list[str] | None:
    return None if names is None else _options.names(option, names)


def _name(model) -> str:
    return type(model).__name__
