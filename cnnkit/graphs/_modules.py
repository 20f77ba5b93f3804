"""Which part of a torch module a node came from."""

import ast
from typing import Any

NAME_SCOPES = "pkg.torch.onnx.name_scopes"


def module_of(node: Any) -> str | None:
    """The module's dotted name as `named_modules` gives it, "" for the whole; None where the file does not say.

    torch's dynamo exporter notes it at each node; its TorchScript exporter makes the node's name of it.
    """
    for entry in node.metadata_props:
        if entry.key == NAME_SCOPES:
            scopes = ast.literal_eval(entry.value)
            return str(scopes[-2]) if len(scopes) > 1 else ""
    if node.name.startswith("/"):
        return _from_path(node.name.strip("/").split("/")[:-1])
    return None


def _from_path(parts: list[str]) -> str:
    """`layer1/layer1.0/conv1` is `layer1.0.conv1`: a container's child repeats the container's name."""
    joined: list[str] = []
    for part in parts:
        if joined and part.startswith(f"{joined[-1]}."):
            joined.pop()
        joined.append(part)
    return ".".join(joined)
