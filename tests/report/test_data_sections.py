"""Slices and labels on the page: what they say, and that names stay text."""

from cnnkit.report import write_report

NBSP = "\u00a0"
HOSTILE = '<img src=x onerror="alert(1)">|*'


def written(digits, tmp_path) -> str:
    return write_report(tmp_path, digits.results, rows=digits.rows, images_root=digits.root).read_text()


def figure(value: float, n: int, **more: object) -> dict[str, object]:
    return {"value": value, "low": value - 0.05, "high": min(value + 0.05, 1), "n": n, "method": "wilson", **more}


def test_a_slice_says_how_far_it_is_from_the_rest(digits, tmp_path):
    digits.facts["slices"] = [
        {
            "by": "camera",
            "value": HOSTILE,
            "figure": figure(0.5, 20, note="fewer than 30 images"),
            "rest": figure(0.9, 800),
            "difference": {"value": -0.4, "low": -0.45, "high": -0.31, "n": 820, "method": "newcombe"},
            "p_value": 0.0004,
        },
        {"by": "camera", "value": "b", "figure": figure(0.9, 800), "rest": figure(0.5, 20), "p_value": 0.4},
    ]
    digits.facts["sliced_by"] = [
        {"by": "camera", "source": "cams.csv", "n": 820, "n_without": 77, "n_unknown": 1, "edges": [2.5, 4]}
    ]
    page = written(digits, tmp_path)
    assert HOSTILE not in page
    assert f"\u221240.0{NBSP}points" in page
    assert "\u221245.0 to \u221231.0" in page
    assert "differs from the rest; fewer than 30 images" in page
    assert "77 without a value, in none of its slices, cut at 2.5 and 4" in page
    assert f"1{NBSP}row of cams.csv about other images" in page
    text = (tmp_path / "report.md").read_text()
    assert "camera" in text
    assert "<img" not in text


def test_the_summary_names_the_slices_that_stand_out(digits, tmp_path):
    difference = {"value": -0.4, "low": -0.45, "high": -0.31, "n": 820, "method": "newcombe"}
    slices = [
        {"by": "camera", "value": name, "figure": figure(0.5, 20), "rest": figure(0.9, 800), "p_value": p}
        for name, p in (("a", 0.001), ("b", 0.3))
    ]
    digits.facts["slices"] = [each | {"difference": difference} for each in slices]
    page = written(digits, tmp_path)
    assert f"Of 2{NBSP}groups of images 1 differs from the others beyond chance: camera a (50.0{NBSP}% right" in page
    digits.facts["slices"][0]["p_value"] = 0.2
    assert f"None of 2{NBSP}groups of images that were tested differs" in written(digits, tmp_path)


def test_doubted_labels_and_duplicates_are_shown_with_their_pictures(digits, tmp_path):
    key = digits.rows.column("key")[0].as_py()
    digits.facts["health"] = {
        "n_suspects": 3,
        "suspects": [{"key": key, "label": 0, "suggested": 7, "p": 0.01, "p_suggested": 0.98, "threshold": 0.9}],
        "compared": "pixels",
        "n_extra": 1,
        "n_conflicts": 1,
        "n_near": 0,
        "n_trained_on": 2,
        "duplicates": [
            {
                "kind": "pixels",
                "n": 2,
                "conflict": True,
                "images": [{"key": key, "label": "0"}, {"key": HOSTILE, "label": HOSTILE, "trained_on": True}],
            }
        ],
        "mutual": [{"first": 4, "second": 9, "n_first": 5, "n_second": 3}],
        "n_read": 897,
        "n_trained_on_read": 900,
        "trained_on": "../train",
    }
    page = written(digits, tmp_path)
    assert HOSTILE not in page
    assert f"2{NBSP}scored images are also among those that the model was trained on: the figures flatter it." in page
    assert f"1{NBSP}picture is there under different labels." in page
    assert f"1{NBSP}scored image is there twice" in page
    assert f"3{NBSP}labels may be wrong" in page
    assert '<section class="gallery" id="suspects"' in page
    assert '<section class="gallery" id="twice"' in page
    assert f"897{NBSP}scored images and 900{NBSP}images of train were compared pixel by pixel." in page
    assert "Classes taken for each other both ways" in page
    text = (tmp_path / "report.md").read_text()
    assert "## Labels" in text
    assert "<img" not in text


def test_a_page_without_either_has_no_such_section(digits, tmp_path):
    digits.facts["slices"] = []
    page = written(digits, tmp_path)
    assert 'id="slices"' not in page
    assert 'id="health"' not in page
