"""docs/data.md says what the code does."""

from pathlib import Path

from cnnkit.data import COUNTED, IMAGE_SUFFIXES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text()


def test_the_suffixes_are_published() -> None:
    listed = PAGE.split("The suffixes: `")[1].split("`")[0]
    assert set(listed.split()) == IMAGE_SUFFIXES


def test_everything_that_is_counted_is_explained() -> None:
    for name, treatment in COUNTED.items():
        assert f"| `{name}` | {treatment} |" in PAGE
