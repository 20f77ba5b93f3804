"""torch to one .onnx file with its spec inside: exported, checked, verified, then written."""

from cnnkit.exporting._attach import attach
from cnnkit.exporting._attempts import Exported
from cnnkit.exporting._export import DEFAULT_OPSET, check_request, export, export_source
from cnnkit.exporting._exporters import draft
from cnnkit.exporting._int8 import Gate

__all__ = ["DEFAULT_OPSET", "Exported", "Gate", "attach", "check_request", "draft", "export", "export_source"]
