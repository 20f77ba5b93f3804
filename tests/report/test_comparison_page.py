"""The page that compares models."""

import pytest

from cnnkit.report import Comparison, write_comparison
from cnnkit.report._tradeoff import front


def test_it_says_who_is_better_and_shows_the_flips(compared, digits, tmp_path):
    path = write_comparison(tmp_path / "out", compared, images_root=digits.root)
    page = path.read_text()
    assert "<h1>whole is better than upper half" in page
    assert "whole is right, upper half is wrong" in page
