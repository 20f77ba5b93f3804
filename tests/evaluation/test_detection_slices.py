"""Slices of detectors: by hand, against pycocotools and hotcoco on the images of a slice alone, in every format."""

import json

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from cnnkit.data import convert
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import evaluate
from cnnkit.results import read_results

NAMES = ("cat", "dog", "bird")
N = 48
FAST = {"resamples": 100, "report": False, "details": False}


def coco_truth(images, objects):
    """`images` are names, `objects` (image, class, xywh) by position."""
    return {
        "images": [{"id": at, "file_name": name, "width": 100, "height": 100} for at, name in enumerate(images, 1)],
        "annotations": [
            {"id": at, "image_id": image + 1, "category_id": label + 1, "bbox": box, "area": box[2] * box[3]}
            | {"iscrowd": int(at % 17 == 0 and len(images) == N)}
            for at, (image, label, box) in enumerate(objects, 1)
        ],
        "categories": [{"id": at, "name": name} for at, name in enumerate(NAMES, 1)],
    }


def coco_found(rows):
    return [
        {"image_id": image + 1, "category_id": label + 1, "bbox": box, "score": score}
        for image, label, box, score in rows
    ]


@pytest.fixture
def write(tmp_path):
    def write(truth, found, name="set"):
        paths = tmp_path / f"{name}-found.json", tmp_path / f"{name}-truth.json"
        for path, told in zip(paths, (found, truth), strict=True):
            path.write_text(json.dumps(told))
        return paths

    return write


@pytest.fixture
def attributes(tmp_path):
    def write(columns):
        path = tmp_path / "attributes.csv"
        keys = list(next(iter(columns.values())))
        lines = [f"key,{','.join(columns)}", *(f"{key},{','.join(c[key] for c in columns.values())}" for key in keys)]
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


def crowd_of_boxes(seed=5):
    """N images with some objects each; a detector that finds most of them, well or badly, and others besides."""
    random = np.random.default_rng(seed)
    names = [f"{('north', 'south')[at % 3 == 0]}/{at:02d}.png" for at in range(N)]
    objects, rows = [], []
    for image in range(N):
        for _ in range(random.integers(0, 5)):
            label, box = (
                int(random.choice(3, p=[0.6, 0.3, 0.1])),
                [*random.integers(0, 50, 2), *random.integers(9, 50, 2)],
            )
            box = [float(each) for each in box]
            objects.append((image, label, box))
            if random.random() < 0.8:
                moved = [box[0] + float(random.integers(0, 6)), *box[1:]]
                rows.append((image, label, moved, round(float(random.random()), 1)))
        for _ in range(random.integers(0, 3)):
            rows.append(
                (image, int(random.integers(3)), [1.0, 1.0, 30.0, 30.0], round(0.7 * float(random.random()), 1))
            )
    return names, objects, rows


def by_value(results):
    return {each.value: each for each in results.slices}


def test_two_cameras_by_hand(write, attributes):
    # camera a: each of 12 objects found, b: every second, none wrongly. AP 1 and 51/101: recall 0.5 reaches 51 levels
    names = [f"{at:02d}.png" for at in range(24)]
    box = [10.0, 10.0, 20.0, 20.0]
    rows = [(at, 0, box, 0.9) for at in range(24) if at < 12 or at % 2]
    paths = write(coco_truth(names, [(at, 0, box) for at in range(24)]), coco_found(rows))
    file = attributes({"camera": {name: "ab"[at >= 12] for at, name in enumerate(names)}})
    results = evaluate(*paths, slices=file, report=False)

    a, b = by_value(results)["a"], by_value(results)["b"]
    assert (a.by, a.measure, a.figure.n, a.figure.n_positives, a.n_classes) == ("camera", "coco_AP", 12, 12, 1)
    assert (a.figure.value, a.figure.method) == (1.0, "wilson")
    assert (b.figure.value, b.figure.method) == (pytest.approx(51 / 101), "bootstrap")
    assert b.figure.low < 51 / 101 < b.figure.high
    assert (b.rest.value, b.rest.n, b.rest.n_positives) == (1.0, 12, 12)
    # both halves are as big, so chance favours neither; 12 of 12 against 6 of 12 comes about in 1 of 73 random halves
    assert abs(b.by_chance) < 0.02
    assert b.difference.value == pytest.approx(51 / 101 - 1 - b.by_chance)
    assert (b.difference.method, b.difference.n) == ("permutation", 24)
    assert b.difference.low < b.difference.value < b.difference.high < 0
    assert a.p_value == b.p_value
    assert b.p_value == pytest.approx(2 * 2 * 924 / 134596, abs=0.02)  # Fisher's, and twice that after Holm
    assert b.figure.note == "fewer than 30 images and 30 objects"
    assert results.sliced_by[0].n == 24


def pycocotools_ap(truth, found):
    ground = COCO()
    ground.dataset = truth
    ground.createIndex()
    evaluator = COCOeval(ground, ground.loadRes(found), "bbox")
    evaluator.evaluate()
    evaluator.accumulate()
    precision = evaluator.eval["precision"][:, :, :, 0, -1]
    return float(precision[precision > -1].mean())


def test_a_slice_has_the_figure_of_its_images_alone(write, attributes):
    names, objects, rows = crowd_of_boxes()
    truth, found = coco_truth(names, objects), coco_found(rows)
    weather = {name: ("sun", "rain", "fog", "")[at % 4] for at, name in enumerate(names)}
    file = attributes({"weather": weather, "all": dict.fromkeys(names, "same")})
    results = evaluate(*write(truth, found), slices=file, slice_by=["folder"], **FAST)

    groups = {value: {name for name in names if weather[name] == value} for value in ("sun", "rain", "fog")}
    groups |= {value: {name for name in names if name.startswith(value)} for value in ("north", "south")}
    for value, inside in groups.items():
        each = by_value(results)[value]
        everyone = {name for name in names if weather[name]} if value in weather.values() else set(names)
        for figure, chosen in ((each.figure, inside), (each.rest, everyone - inside)):
            ids = {at for at, name in enumerate(names, 1) if name in chosen}
            own = truth | {
                "images": [image for image in truth["images"] if image["id"] in ids],
                "annotations": [note for note in truth["annotations"] if note["image_id"] in ids],
            }
            mine = [record for record in found if record["image_id"] in ids]
            alone = evaluate(*write(own, mine, value), **FAST).figures["coco_AP"]
            assert figure.value == pytest.approx(alone.value, abs=1e-12)
            assert (figure.n, figure.n_positives) == (alone.n, alone.n_positives)
            assert figure.value == pytest.approx(pycocotools_ap(own, mine), abs=1e-12)
    facts = {each.by: each for each in results.sliced_by}
    assert (facts["weather"].n, facts["weather"].n_without) == (36, 12)
    whole = by_value(results)["same"]
    assert whole.figure.value == pytest.approx(results.figures["coco_AP"].value, abs=1e-12)
    assert (whole.rest, whole.difference, whole.p_value) == (None, None, None)
    assert whole.figure.n_positives == results.detection.n_objects
    for each in results.slices:
        if each.difference is not None:
            expected = each.figure.value - each.rest.value - each.by_chance
            assert each.difference.value == pytest.approx(expected, abs=1e-12)


def test_few_images_have_a_higher_ap_by_chance_and_do_not_stand_out_for_it(write, attributes):
    names, objects, rows = crowd_of_boxes()
    drawn = np.random.default_rng(2).permutation(N)
    parts = {name: "small" if drawn[at] < 12 else "large" for at, name in enumerate(names)}
    paths = write(coco_truth(names, objects), coco_found(rows))
    slices = by_value(evaluate(*paths, slices=attributes({"part": parts}), **FAST))
    assert slices["small"].by_chance > 0.01
    assert slices["large"].by_chance == pytest.approx(-slices["small"].by_chance)
    assert slices["small"].p_value == 1
    assert slices["small"].difference.low < 0 < slices["small"].difference.high


def test_slices_with_next_to_nothing_in_them_are_marked_and_not_judged(write, attributes):
    names, objects, rows = crowd_of_boxes()
    objects = [each for each in objects if each[0] >= 12]
    kinds = {
        name: ("empty", "few", "middle", "rest")[np.searchsorted([12, 15, 30], at, side="right")]
        for at, name in enumerate(names)
    }
    results = evaluate(*write(coco_truth(names, objects), coco_found(rows)), slices=attributes({"kind": kinds}), **FAST)
    empty, few = by_value(results)["empty"], by_value(results)["few"]
    assert (empty.figure.value, empty.figure.low, empty.figure.n, empty.figure.n_positives) == (None, None, 12, 0)
    assert (empty.figure.note, empty.n_classes, empty.p_value, empty.difference) == ("no object to find", 0, None, None)
    assert few.figure.note == "fewer than 10 images and 10 objects"
    assert few.figure.value is not None
    assert (few.figure.low, few.difference, few.by_chance, few.p_value) == (None, None, None, None)
    assert by_value(results)["rest"].p_value is not None  # ten objects and more on both sides


def answers_of(names, rows):
    answers = {name: [] for name in names}
    for image, label, (x, y, width, height), score in rows:
        answers[names[image]].append((NAMES[label], score, (x, y, x + width, y + height)))
    return answers


@pytest.mark.parametrize("form", ["coco", "voc", "yolo", "csv"])
def test_a_run_over_every_format_of_labels(make_box_run, write, tmp_path, form):
    names, objects, rows = crowd_of_boxes()
    names = [name.replace("/", "-") for name in names]
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    for at, name in enumerate(names):
        Image.new("RGB", (100, 100), "white" if at % 2 else "black").save(folder / "images" / name)
    truth = coco_truth(names, objects)
    truth["annotations"] = [each | {"iscrowd": 0} for each in truth["annotations"]]
    (folder / "truth.json").write_text(json.dumps(truth))
    converted = convert(folder, tmp_path / form, to=form, copy_images=True).folder
    prefix = "images/" if form == "voc" else ""
    answers = answers_of(names, rows)
    run = make_box_run({prefix + name: found for name, found in answers.items()}, NAMES, name="whole")
    file = tmp_path / "light.csv"
    file.write_text("key,light\n" + "".join(f"{prefix}{name},{'ab'[at % 2]}\n" for at, name in enumerate(names)))
    results = evaluate(run, converted, slices=file, **FAST)
    measure = "voc12_AP" if form == "voc" else "coco_AP"
    assert {each.measure for each in results.slices} == {measure}
    for value, at in (("a", 0), ("b", 1)):
        some = {prefix + name: answers[name] for name in names[at::2]}
        alone = evaluate(make_box_run(some, NAMES, name=value), converted, **FAST)
        assert by_value(results)[value].figure.value == pytest.approx(alone.figures[measure].value, abs=1e-12)
    for protocol, first in () if form in ("yolo", "csv") else (("voc07", "voc07_AP"), ("all", "coco_AP")):
        told = evaluate(run, converted, slices=file, protocol=protocol, **FAST)
        assert {each.measure for each in told.slices} == {first}


def test_images_without_an_answer_are_in_no_slice(make_box_run, write, attributes):
    names, objects, rows = crowd_of_boxes()
    answers = answers_of(names, rows) | {names[0]: "corrupt"}
    _, truth = write(coco_truth(names, objects), [])
    file = attributes({"at": {name: "ab"[at >= 24] for at, name in enumerate(names)}})
    results = evaluate(make_box_run(answers, NAMES), truth, slices=file, **FAST)
    assert [each.figure.n for each in results.slices] == [23, 24]
    assert results.sliced_by[0].n_unknown == 1


def test_pixels_are_read_where_the_pictures_are(write, tmp_path):
    names, objects, rows = crowd_of_boxes()
    names = [name.replace("/", "-") for name in names]
    found, truth = write(coco_truth(names, objects), coco_found(rows))
    told = (
        f"--slice-by brightness is measured in the pictures, and those of {truth} are not beside it (looked for "
        f"'{names[0]}'). Give their folder as DATA and the labels as --truth {truth}."
    )
    with pytest.raises(UsageError) as error:
        evaluate(found, truth, slice_by=["folder", "brightness"], **FAST)
    assert str(error.value) == told
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for at, name in enumerate(names):
        Image.new("RGB", (100, 60 + 40 * (at % 3)), "white" if at % 2 else "black").save(elsewhere / name)
    results = evaluate(found, elsewhere, truth=truth, slice_by=["brightness", "aspect", "size", "blur"], **FAST)
    counts = {(each.by, each.value): each.figure.n for each in results.slices}
    assert counts["brightness", "below 255"] == counts["brightness", "255 and above"] == 24
    assert (counts["aspect", "landscape"], counts["aspect", "about square"]) == (16, 16)
    elsewhere.rename(tmp_path / "images")
    beside = evaluate(found, truth, slice_by=["brightness"], **FAST)
    assert [each.figure.n for each in beside.slices] == [24, 24]


def test_attributes_of_other_images_and_unknown_properties_are_refused(write, attributes):
    names, objects, rows = crowd_of_boxes()
    paths = write(coco_truth(names, objects), coco_found(rows))
    with pytest.raises(DataError, match=r"none of its 1 keys is an image of .*: it has 'z.png', the images have"):
        evaluate(*paths, slices=attributes({"camera": {"z.png": "a"}}), **FAST)
    with pytest.raises(UsageError, match="cannot be grouped by 'objects'; they can by folder, size"):
        evaluate(*paths, slice_by=["objects"], **FAST)


def test_terminal_page_and_markdown_tell_of_them(run_cnnkit, write, tmp_path):
    names, objects, rows = crowd_of_boxes()
    rows = [each for each in rows if names[each[0]].startswith("north") or each[3] < 0.2]
    out = tmp_path / "out"
    said = run_cnnkit(
        "eval", *write(coco_truth(names, objects), coco_found(rows)), "--slice-by", "folder", "-o", out
    ).stderr
    south = next(each for each in read_results(out).slices if each.value == "south")
    assert south.p_value < 0.05
    row = next(line for line in said.splitlines() if "folder: south" in line)
    assert f"│ {south.figure.n_positives:7d} │ {south.figure.value:7.4f} │" in row
    assert "Slices that are held against 1,000 random ones of as many images each: 2." in said
    assert "Difference: from the other images, less what random slices of as many have" in said
    assert "p: the share of these that differ as much (permutation test), corrected by Holm over all slices" in said
    page, text = (out / "report.html").read_text(), (out / "report.md").read_text()
    assert 'id="slices"' in page
    assert "a slice is held against random slices of as many images" in page
    assert "Fisher" not in page
    assert "differs from the rest; fewer than 30 images" in page
    nbsp = "\u00a0"
    assert f"<small>{south.n_classes}{nbsp}classes</small>" in page
    assert "folder south (AP " in page
    assert "points beyond chance)" in page
    assert "| Slice | Images | Objects | Figure | Value | All others | By chance | Difference | p, corrected |" in text
    # the same input gives the same bytes
    told = (out / "results.json").read_bytes()
    run_cnnkit("eval", tmp_path / "set-found.json", tmp_path / "set-truth.json", "--slice-by", "folder", "-o", out)
    assert (out / "results.json").read_bytes() == told


@pytest.mark.slow
def test_a_published_detector_on_photos_of_coco(shared, run_cnnkit, tmp_path):
    """By random halves of 128 photos of 71 classes nothing stands out, though AP differs by points between them."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "images").symlink_to(shared / "coco128" / "images")
    truth = json.loads((shared / "coco128" / "instances_train2017.json").read_text())
    for category in truth["categories"]:
        other = {"motorcycle": "motorbike", "airplane": "aeroplane", "couch": "sofa", "tv": "tvmonitor"}
        other |= {"potted plant": "pottedplant", "dining table": "diningtable"}
        category["name"] = other.get(category["name"], category["name"])
    (data / "truth.json").write_text(json.dumps(truth))
    names = sorted(image["file_name"] for image in truth["images"])
    random = np.random.default_rng(0)
    columns = [random.permutation(np.arange(128) < 24).astype(int).tolist() for _ in range(4)]
    header = ",".join(f"half{at}" for at in range(4))
    lines = [f"{name},{','.join(str(column[at]) for column in columns)}" for at, name in enumerate(names)]
    (tmp_path / "halves.csv").write_text("\n".join([f"key,{header}", *lines]) + "\n")
    told = ("--preset", "yolox", "--decoder", "yolox", "--labels", shared / "models" / "coco_names.txt")
    out = tmp_path / "out"
    model = shared / "models" / "yolox_nano.onnx"
    run_cnnkit(
        "eval",
        model,
        data,
        *told,
        "--slices",
        tmp_path / "halves.csv",
        "--slice-by",
        "brightness",
        "--resamples",
        300,
        "-o",
        out,
    )
    slices = read_results(out).slices
    halves = [each for each in slices if each.by.startswith("half") and each.value == "1"]
    assert len(halves) == 4
    assert all(each.p_value > 0.05 for each in halves)
    assert all(each.by_chance > 0.02 for each in halves)
    assert [each.figure.n for each in slices if each.by == "brightness"] == [31, 32, 32, 33]
