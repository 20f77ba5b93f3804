"""Other toolkits' metadata, configuration files and transforms -> parts of a spec. Nothing of theirs is imported."""

from cnnkit.importers._found import Found
from cnnkit.importers.files import find_description
from cnnkit.importers.huggingface import from_huggingface
from cnnkit.importers.timm import from_timm
from cnnkit.importers.transforms import from_transform
from cnnkit.importers.ultralytics import from_ultralytics

__all__ = ["Found", "find_description", "from_huggingface", "from_timm", "from_transform", "from_ultralytics"]
