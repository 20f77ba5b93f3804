"""The page as a file: what it says, what it holds, and that it holds nothing else."""

from cnnkit.report import write_report


def test_it_says_the_accuracy_first(digits, tmp_path):
    path = write_report(tmp_path / "out", digits.results, rows=digits.rows, images_root=digits.root)
    page = path.read_text()
    assert "<h1>digits is right on " in page
