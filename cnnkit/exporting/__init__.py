"""torch to one .onnx file with its spec inside: exported, checked, verified, then written."""

from cnnkit.exporting._export import DEFAULT_OPSET, Exported, export, export_source
from cnnkit.exporting._exporters import draft

__all__ = ["DEFAULT_OPSET", "Exported", "draft", "export", "export_source"]
