"""docs/spec.md, generated from the schema of the spec: `python -m cnnkit.cli.spec_reference`."""

import json
import sys
from typing import Any

from cnnkit import spec
from cnnkit.spec import ModelSpec

EXAMPLE = ModelSpec(
    input=spec.ModelInput(size=(224, 224)),
    preprocess=(
        spec.Resize(size=256),
        spec.CenterCrop(size=(224, 224)),
        spec.Rescale(scale=1 / 255),
        spec.Normalize(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    ),
    output=spec.ClassificationOutput(),
    classes=(spec.ClassName(name="tench", aliases=("n01440764",)), spec.ClassName(name="goldfish")),
)
OPENING = """# The spec, field by field

Generated from the schema by `make docs`; the schema itself is [spec.schema.json](spec.schema.json).

An .onnx file made by `cnnkit export`, or given one by `cnnkit attach`, carries its spec as JSON in `metadata_props`
under the key `cnnkit.spec`. `cnnkit inspect MODEL.onnx` shows it, `cnnkit inspect MODEL.onnx --json` prints it, and
`--spec FILE` gives another one to `infer`, `eval`, `export` and `attach`. Unknown fields are refused.

The first `rescale` or `normalize` divides the preprocessing: before it pixels are moved, uint8 to uint8; from it on
they become the model's numbers. `to_gray` stands first, exactly when the input's channels are GRAY.

For a photograph classifier:
"""


def spec_reference() -> str:
    """Every part of the spec with its fields, as Markdown."""
    schema = ModelSpec.model_json_schema(by_alias=True)
    parts = [OPENING + f"\n```json\n{_example()}\n```", _part("The whole", schema)]
    definitions = schema["$defs"]
    order = ["ModelInput", "Decode", "Resize", "CenterCrop", "Pad", "ToGray", "Rescale", "Normalize"]
    order += ["ClassificationOutput", "DetectionOutput", "ClassName"]
    assert sorted(order) == sorted(definitions), "a part of the spec is missing here"
    parts += [_part(_title(name, definitions[name]), definitions[name]) for name in order]
    return "\n\n".join(parts) + "\n"


def _example() -> str:
    """The example with a line for each field, and one for each operation and class."""
    lines = []
    for name, value in EXAMPLE.to_dict().items():
        inner = [json.dumps(each) for each in value] if isinstance(value, list) else [json.dumps(value)]
        text = "[\n    " + ",\n    ".join(inner) + "\n  ]" if isinstance(value, list) else inner[0]
        lines.append(f"  {json.dumps(name)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}"


def schema_text() -> str:
    return json.dumps(ModelSpec.model_json_schema(by_alias=True), indent=2, ensure_ascii=False) + "\n"


def _title(name: str, part: dict[str, Any]) -> str:
    operation = part["properties"].get("op", {}).get("const")
    return f"{name} (`{operation}`)" if operation else name


def _part(title: str, part: dict[str, Any]) -> str:
    required = part.get("required", [])
    rows = [
        f"| `{name}` | {_type(field)} | {_default(name, field, required)} | {_escaped(field.get('description', ''))} |"
        for name, field in part["properties"].items()
        if name != "op"
    ]
    table = ["| field | value | if left out | |", "|---|---|---|---|", *rows] if rows else ["It has no fields."]
    return "\n".join([f"## {title}", "", part.get("description", ""), "", *table])


def _type(field: dict[str, Any]) -> str:
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if not _is_operation(name) else name
    for key in ("anyOf", "oneOf"):
        if key in field:
            kinds = [_type(each) for each in field[key] if each.get("type") != "null"]
            return " or ".join(kinds)
    if "enum" in field or "const" in field:
        return " ".join(f"`{value}`" for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        inner = field.get("prefixItems")
        return f"{len(inner)} of {_type(inner[0])}" if inner else f"list of {_type(field['items'])}"
    return {"integer": "whole number", "number": "number", "boolean": "true or false", "string": "text"}.get(
        str(field.get("type")), "object"
    )


def _is_operation(name: str) -> bool:
    return "op" in getattr(spec, name).model_fields


def _default(name: str, field: dict[str, Any], required: list[str]) -> str:
    if name in required:
        return "must be given"
    default = field.get("default")
    return "nothing" if default is None else f"`{json.dumps(default)}`"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(schema_text() if sys.argv[1:] == ["--schema"] else spec_reference())
