"""What lies in a file, or beside it, that other toolkits wrote."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.importers._found import Found
from cnnkit.importers.huggingface import from_huggingface
from cnnkit.importers.timm import from_timm
from cnnkit.importers.ultralytics import from_ultralytics

__all__ = ["find_description"]


def find_description(path: Path, metadata: Mapping[str, str]) -> Found | None:
    """What an .onnx file's own metadata says, else the configuration files of timm or Hugging Face beside it.

    Beside it is its folder; for `onnx/model.onnx` the folder above, too. None when nothing is there.
    """
    found = from_ultralytics(metadata)
    if found is not None:
        return found
    folders = [path.parent, *([path.absolute().parent.parent] if path.absolute().parent.name == "onnx" else [])]
    for folder in folders:
        found = _of_folder(folder)
        if found is not None:
            return found
    return None


def _of_folder(folder: Path) -> Found | None:
    config = _json(folder / "config.json")
    preprocessor = _json(folder / "preprocessor_config.json")
    if config is not None and "pretrained_cfg" in config:
        return from_timm(config, origin=str(folder / "config.json"))
    if preprocessor is not None:
        return from_huggingface(preprocessor, config, origin=str(folder / "preprocessor_config.json"))
    if config is not None and "id2label" in config:
        return from_huggingface(None, config, origin=str(folder / "config.json"))
    return None


def _json(path: Path) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON: {error}") from error
    return value if isinstance(value, dict) else None
