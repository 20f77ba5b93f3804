"""torch to one .onnx file with its spec inside: exported, checked, verified, then written."""

from cnnkit.exporting._attach import attach
from cnnkit.exporting._attempts import Exported
from cnnkit.exporting._export import DEFAULT_OPSET, export, export_source, refuse_existing
from cnnkit.exporting._exporters import draft
from cnnkit.exporting._int8 import Gate

__all__ = ["DEFAULT_OPSET", "Exported", "Gate", "attach", "draft", "export", "export_source", "refuse_existing"]
