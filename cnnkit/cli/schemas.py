"""The JSON schemas of suites and comparisons: `python -m cnnkit.cli.schemas docs`."""

import json
import sys
from pathlib import Path
from typing import Any


def schemas() -> dict[str, dict[str, Any]]:
    """By the name of the file in docs/."""
    from cnnkit.comparison import comparison_schema
    from cnnkit.suites import suite_schema

    return {
        "comparison.schema.json": comparison_schema(),
        "suite.schema.json": suite_schema(),
    }


def written(schema: dict[str, Any]) -> str:
    """As the file holds it."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | schema, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name, schema in schemas().items():
        (Path(sys.argv[1]) / name).write_text(written(schema), encoding="utf-8")
