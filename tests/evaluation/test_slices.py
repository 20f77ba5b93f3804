"""Groups of images: by hand, against scipy and statsmodels called live, and by what always holds."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFilter
from scipy.stats import fisher_exact
from statsmodels.stats.multitest import multipletests

from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import evaluate
from cnnkit.evaluation._attributes import binned, grouped
from cnnkit.evaluation._jpeg_quality import jpeg_quality
from cnnkit.evaluation._pixel_attributes import blur, brightness
from cnnkit.metrics import wilson
from cnnkit.results import Results, Slice

MakeRun = Callable[..., Path]
NAMES = ["cat", "dog"]


def pets(right: str) -> dict[str, list[float]]:
    """`right` says of each image, cats and dogs in turn, whether the answer is right (1) or not (0)."""
    answers = {}
    for at, hit in enumerate(right):
        label = at % 2
        answers[f"{NAMES[label]}/{at:03d}.png"] = [0.9, 0.1] if (label == 0) == (hit == "1") else [0.1, 0.9]
    return answers


def attributes(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "attributes.csv"
    path.write_text(text)
    return path


def camera_file(tmp_path: Path, keys: list[str], cameras: str) -> Path:
    rows = [f"{key},{camera}" for key, camera in zip(keys, cameras, strict=True) if camera != "-"]
    return attributes(tmp_path, "\n".join(["key,camera", *rows]) + "\n")


def by_value(results: Results) -> dict[str, Slice]:
    return {each.value: each for each in results.slices}


def test_two_cameras_by_hand(make_run: MakeRun, tmp_path: Path) -> None:
    # camera a: 12 of 12 right; camera b: 6 of 12
    answers = pets("1" * 12 + "10" * 6)
    keys = list(answers)
    file = camera_file(tmp_path, keys, "a" * 12 + "b" * 12)
    results = evaluate(make_run(answers, NAMES), tmp_path / "images", slices=file, report=False)

    a, b = by_value(results)["a"], by_value(results)["b"]
    assert (a.by, a.measure, a.figure.n, a.figure.value) == ("camera", "top1_accuracy", 12, 1.0)
    assert (a.figure.low, a.figure.high) == wilson(12, 12)
    assert b.figure.value == 0.5
    assert b.rest is not None
    assert (b.rest.n, b.rest.value) == (12, 1.0)
    assert b.difference is not None
    assert (b.difference.value, b.difference.method) == (-0.5, "newcombe")
    # 18 right of 24; all 12 of one camera right: 2 x C(12,6) / C(24,6) and twice that after Holm
    assert a.p_value == b.p_value == pytest.approx(2 * 2 * 924 / 134596)
    assert a.figure.note == "fewer than 30 images"
    facts = results.sliced_by[0]
    assert (facts.by, facts.source, facts.n, facts.n_without, facts.n_unknown) == ("camera", "attributes.csv", 24, 0, 0)


def test_a_missing_row_an_empty_cell_and_an_unknown_key_are_counted(make_run: MakeRun, tmp_path: Path) -> None:
    answers = pets("1" * 24)
    keys = list(answers)
    file = camera_file(tmp_path, keys, "a" * 11 + "b" * 11 + "--")
    file.write_text(file.read_text() + f"{keys[22]},\nowl/1.png,a\n")
    results = evaluate(make_run(answers, NAMES), tmp_path / "images", slices=file, report=False)

    facts = results.sliced_by[0]
    assert (facts.n, facts.n_without, facts.n_unknown) == (22, 2, 1)
    a = by_value(results)["a"]
    assert a.rest is not None
    assert (a.figure.n, a.rest.n) == (11, 11)


def test_groups_too_small_to_differ_are_shown_and_not_tested(make_run: MakeRun, tmp_path: Path) -> None:
    answers = pets("1" * 20 + "0" * 4)
    file = camera_file(tmp_path, list(answers), "a" * 20 + "b" * 4)
    slices = by_value(evaluate(make_run(answers, NAMES), tmp_path / "images", slices=file, report=False))
    assert [slices[each].p_value for each in "ab"] == [None, None]
    assert slices["b"].figure.value == 0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None, suppress_health_check=[])
def test_the_tests_are_scipys_and_the_correction_is_statsmodels(seed: int) -> None:
    from cnnkit.evaluation._slices import _judge, corrected

    random = np.random.default_rng(seed)
    right = random.random(300) < 0.7
    column = random.choice(["a", "b", "c", "d"], 300).tolist()
    attribute = grouped(column, by="camera", source="computed")
    slices = corrected(_judge(attribute, right, "top1_accuracy"))

    groups = np.array(column)
    expected = []
    for value in attribute.values:
        inside = right[groups == value], right[groups != value]
        expected.append(fisher_exact([[each.sum(), (~each).sum()] for each in inside]).pvalue)
    assert [each.p_value for each in slices] == pytest.approx(multipletests(expected, method="holm")[1], rel=1e-6)
    # the slices of one attribute part the images among them
    assert sum(each.figure.n for each in slices) == 300
    assert sum(each.figure.n * (each.figure.value or 0) for each in slices) == pytest.approx(right.sum())
    assert all(each.rest is not None and each.figure.n + each.rest.n == 300 for each in slices)


@given(st.lists(st.one_of(st.just(np.nan), st.floats(-1e6, 1e6)), min_size=1, max_size=200))
@settings(max_examples=100, deadline=None)
def test_bins_part_the_numbers_at_their_edges(values: list[float]) -> None:
    numbers = np.array(values)
    if np.isnan(numbers).all():
        return
    found = binned(numbers, by="x", source="computed")
    known = np.isfinite(numbers)
    assert (found.group[~known] == -1).all()
    assert found.facts.n == known.sum()
    assert sorted(set(found.group[known].tolist())) == list(range(len(found.values)))
    assert list(found.facts.edges) == sorted(set(found.facts.edges))
    for group, number in zip(found.group[known], numbers[known], strict=True):
        name = found.values[group]
        if name.startswith("below "):
            assert number < found.facts.edges[0]
        elif name.endswith(" and above"):
            assert number >= found.facts.edges[-1]


def test_a_column_of_numbers_is_cut_at_its_quartiles(make_run: MakeRun, tmp_path: Path) -> None:
    answers = pets("1" * 40)
    text = "file;age\n" + "".join(f"{key};{at}\n" for at, key in enumerate(answers))
    results = evaluate(make_run(answers, NAMES), tmp_path / "images", slices=attributes(tmp_path, text), report=False)
    names = np.array([each.value for each in results.slices])
    assert names.tolist() == ["below 9", "9 to 19", "19 to 29", "29 and above"]
    assert results.sliced_by[0].edges == (9, 19, 29)
    assert [each.figure.n for each in results.slices] == [9, 10, 10, 11]


def test_a_column_that_names_images_is_left_out_and_said(make_run: MakeRun, tmp_path: Path) -> None:
    answers = pets("1" * 24)
    text = "key,photo,camera\n" + "".join(f"{key},p{at},a\n" for at, key in enumerate(answers))
    results = evaluate(make_run(answers, NAMES), tmp_path / "images", slices=attributes(tmp_path, text), report=False)
    assert [each.by for each in results.sliced_by] == ["camera"]
    assert any("'photo' has 24 values on 24 images: it names images" in each for each in results.warnings)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("key,camera\n", "no attributes in it; expected a header such as key,camera"),
        ("photo,camera\ncat/000.png,a\n", "no column of keys: its header has photo, camera"),
        ("key\ncat/000.png\n", "has keys and nothing else"),
        ("key,camera\ncat/000.png\n", "line 2 has 1 columns, expected 2"),
        ("key,camera\ncat/000.png,a\ncat/000.png,b\n", "has other values on line 3 than on line 2"),
        ("key,camera,camera\ncat/000.png,a,b\n", "names a column 'camera' twice"),
        ("key,camera,\ncat/000.png,a,b\n", "column 3 of its header has no name"),
        ("key,camera\nnone.png,a\n", "none of its 1 keys is an image"),
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(make_run: MakeRun, tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(DataError, match=told):
        evaluate(make_run(pets("11"), NAMES), tmp_path / "images", slices=attributes(tmp_path, text), report=False)


def test_a_property_that_there_is_not_is_refused(make_run: MakeRun, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be grouped by 'colour'; they can by folder, size"):
        evaluate(make_run(pets("11"), NAMES), tmp_path / "images", slice_by=["colour"], report=False)


def test_folders_inside_class_folders(make_run: MakeRun, tmp_path: Path) -> None:
    answers = {f"{label}/{day}/{at}.png": [0.9, 0.1] for label in NAMES for day in ("mon", "tue") for at in range(6)}
    run = make_run(answers, NAMES)
    results = evaluate(run, tmp_path / "images", slice_by=["folder"], report=False)
    assert [(each.value, each.figure.n) for each in results.slices] == [("mon", 12), ("tue", 12)]


def test_class_folders_alone_are_no_slices(make_run: MakeRun, tmp_path: Path) -> None:
    results = evaluate(make_run(pets("1111"), NAMES), tmp_path / "images", slice_by=["folder"], report=False)
    assert results.slices == ()
    assert any("every image lies in its class folder itself" in each for each in results.warnings)


def test_pixels_say_brightness_shape_and_size(
    run_cnnkit, colours: Path, write_colour: Callable[..., Path], tmp_path: Path
) -> None:
    data, out = tmp_path / "data", tmp_path / "out"
    for at in range(12):
        write_colour(data / "red" / f"{at}.png", "red" if at % 3 else "#400000", size=(12, 10))
        write_colour(data / "green" / f"{at}.png", "lime", size=(10, 30))
    asked = [word for name in ("brightness", "aspect", "size", "jpeg_quality") for word in ("--slice-by", name)]
    said = run_cnnkit("eval", colours, data, "-o", out, "--progress", "none", *asked).stderr

    from cnnkit.results import read_results

    results = read_results(out)
    shapes = {each.value: each.figure.n for each in results.slices if each.by == "aspect"}
    assert shapes == {"portrait": 12, "landscape": 12}
    # 255 x 0.299 = 76 for red, 64 x 0.299 = 19 for dark red, 255 x 0.587 = 150 for green
    assert [each.value for each in results.slices if each.by == "brightness"] == [
        "below 76",
        "76 to 150",
        "150 and above",
    ]
    assert "Slices against all other images" in said
    assert "The same for every image: size (all alike), jpeg_quality (no JPEG)." in said
    page = (out / "report.html").read_text()
    assert "brightness (mean grey level, 0 to 255): 24\u00a0images, cut at 76 and 150." in page


def test_brightness_and_blur_of_pictures() -> None:
    grey = np.full((20, 30, 3), 77, np.uint8)
    assert brightness(grey) == 77
    assert blur(grey) == 0
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8))
    values = [blur(np.asarray(noise.filter(ImageFilter.GaussianBlur(radius)))) for radius in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True)


def test_the_quality_of_a_jpeg_is_what_it_was_written_with() -> None:
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8))
    for quality in range(1, 101):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        assert jpeg_quality(file.getvalue()) == quality
    file = io.BytesIO()
    picture.save(file, "PNG")
    assert jpeg_quality(file.getvalue()) is None
    assert jpeg_quality(b"\xff\xd8\xff\xdb\x00\x05\x00\x10") is None


def test_a_picture_that_has_changed_is_in_no_slice(
    run_cnnkit, colours: Path, write_colour: Callable[..., Path], tmp_path: Path
) -> None:
    for at in range(3):
        write_colour(tmp_path / "data" / "red" / f"{at}.png", "red")
        write_colour(tmp_path / "data" / "blue" / f"{at}.png", "blue")
    run_cnnkit("infer", colours, tmp_path / "data", "-o", tmp_path / "run", "--progress", "none")
    write_colour(tmp_path / "data" / "blue" / "0.png", "navy")
    (tmp_path / "data" / "red" / "1.png").unlink()
    results = evaluate(tmp_path / "run", tmp_path / "data", slice_by=["brightness"], report=False)
    assert results.sliced_by[0].n_without == 2
    assert any("2 of 6 images are gone, unreadable or changed" in each for each in results.warnings)


def test_slices_of_several_labels_are_of_exact_matches(make_run: MakeRun, tmp_path: Path) -> None:
    answers = {f"{at:02d}.png": [0.9, 0.8] if at % 2 else [0.9, 0.1] for at in range(20)}
    truth = tmp_path / "truth.csv"
    truth.write_text("key,label\n" + "".join(f"{key},cat|dog\n" for key in answers))
    file = attributes(tmp_path, "key,half\n" + "".join(f"{key},{int(key < '10.png')}\n" for key in answers))
    run = make_run(answers, NAMES, activation="sigmoid")
    how = {"truth": truth, "multilabel": True, "slices": file, "report": False}
    results = evaluate(run, tmp_path / "images", **how)
    assert {each.measure for each in results.slices} == {"exact_match_accuracy"}
    assert [each.figure.value for each in results.slices] == [0.5, 0.5]
    assert results.slices[0].p_value == 1
