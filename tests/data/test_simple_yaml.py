"""The part of YAML that data.yaml files use."""

from pathlib import Path
from typing import Any

import pytest

from cnnkit.data._simple_yaml import parse_simple_yaml
from cnnkit.errors import DataError

COCO8 = """\
# Ultralytics, comment
---
path: ../datasets/coco8 # dataset root dir
train: images/train # train images (relative to 'path') 4 images
test: # test images (optional)

# Classes
names:
  0: person
  1: "traffic: light"
  2: 'it''s # one'

# Download script
download: |
  import os
  url: x
nc: 3
"""


def test_a_file_as_ultralytics_writes_it() -> None:
    assert parse_simple_yaml(COCO8, Path("data.yaml")) == {
        "path": "../datasets/coco8",
        "train": "images/train",
        "test": "",
        "names": {"0": "person", "1": "traffic: light", "2": "it's # one"},
        "download": "",
        "nc": "3",
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("v: [a, 'b, c', \"d\"]", ["a", "b, c", "d"]),
        ("v: [a,\n    b,   # last\n\n    c]", ["a", "b", "c"]),
        ("v: []", []),
        ("v:\n- a\n- 'b: c'", ["a", "b: c"]),
        ("v:\n  - a\n  - b", ["a", "b"]),
        ("v: {0: a, 1: 'b'}", {"0": "a", "1": "b"}),
        ("v: a b#c", "a b#c"),
        ("v: http://x.org/y", "http://x.org/y"),
        ('"v": "say \\"hi\\""', 'say "hi"'),
        ("v: >-\n  long\n  text", ""),
    ],
)
def test_values(text: str, value: Any) -> None:
    assert parse_simple_yaml(text, Path("x")) == {"v": value}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\njust words", "x: line 2 is not understood: 'just words'"),
        ("  a: 1", "line 1 is not understood"),
        ("a: &anchor b", "line 1 is not understood: '&anchor b'"),
        ("a: [b", r"line 1 is not understood: '\[b'"),
        ("a:\n  b:\n    c: d", "line 2 is not understood"),
        ("a:\n  - b\n  c: d", "line 2 is not understood"),
    ],
)
def test_what_is_not_understood_is_an_error_with_its_line(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_simple_yaml(text, Path("x"))
