"""The published schemas are those of the code."""

from pathlib import Path

import pytest

from cnnkit.cli.schemas import schemas, written

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.parametrize("name", schemas())
def test_a_published_schema_is_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == written(schemas()[name]), "run `make docs`"


def test_a_suite_names_its_cases() -> None:
    suite = schemas()["suite.schema.json"]
    assert suite["required"] == ["case"]
    assert {"name", "model", "data", "measures"} == set(suite["$defs"]["Case"]["required"])
