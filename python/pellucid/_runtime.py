"""Where the ONNX Runtime library is: inside the installed package, which is not imported for it."""

import functools
import importlib.util
import os
import pathlib

_NAMED = ("PELLUCID_ORT", "ORT_DYLIB_PATH")


@functools.cache
def library() -> str | None:
    """The folder of the library inside the `onnxruntime` package; `None` where somebody named another library."""
    if any(os.environ.get(name) for name in _NAMED):
        return None
    try:
        spec = importlib.util.find_spec("onnxruntime")
    except (ImportError, ValueError):
        return None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "capi"
    return str(folder) if folder.is_dir() else None


def announce() -> None:
    """Tells the command line, which knows environment variables, of the library."""
    folder = library()
    if folder is not None:
        os.environ["PELLUCID_ORT"] = folder
