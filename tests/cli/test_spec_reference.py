from pathlib import Path

from cnnkit.cli.spec_reference import schema_text, spec_reference
from cnnkit.spec import ModelSpec

DOCS = Path(__file__).resolve().parents[2] / "docs"


def test_the_page_and_the_schema_are_what_the_spec_says() -> None:
    assert (DOCS / "spec.md").read_text() == spec_reference(), "run `make docs`"
    assert (DOCS / "spec.schema.json").read_text() == schema_text(), "run `make docs`"


def test_every_field_is_explained() -> None:
    schema = ModelSpec.model_json_schema(by_alias=True)
    for name, part in [("ModelSpec", schema), *schema["$defs"].items()]:
        for field, facts in part["properties"].items():
            assert field == "op" or facts.get("description"), f"{name}.{field} has no description"
