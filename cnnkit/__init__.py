"""A trained PyTorch image model becomes one .onnx file that knows how to read an image.

The names below are imported when they are first used, so that `import cnnkit` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnkit import models
    from cnnkit.evaluation import compare, evaluate
    from cnnkit.exporting import export
    from cnnkit.inference import infer
    from cnnkit.pipeline import open_model as load
    from cnnkit.spec import ModelSpec
    from cnnkit.training import train

__version__ = "0.1.0"

__all__ = ["ModelSpec", "compare", "evaluate", "export", "infer", "load", "models", "train"]

_HOMES = {
    "ModelSpec": ("cnnkit.spec", "ModelSpec"),
    "compare": ("cnnkit.evaluation", "compare"),
    "evaluate": ("cnnkit.evaluation", "evaluate"),
    "export": ("cnnkit.exporting", "export"),
    "infer": ("cnnkit.inference", "infer"),
    "load": ("cnnkit.pipeline", "open_model"),
    "models": ("cnnkit.models", None),
    "train": ("cnnkit.training", "train"),
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnnkit' has no attribute {name!r}; it has {', '.join(__all__)}")
    module, attribute = _HOMES[name]
    home = importlib.import_module(module)
    value = home if attribute is None else getattr(home, attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
