"""A detector's run, or a detector, against labelled boxes in every format."""

import json

import numpy as np
import pytest
from PIL import Image

from cnnkit.data import convert
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import evaluate
from cnnkit.metrics import FoundBoxes, TrueBoxes, coco_scores
from cnnkit.results import read_results, read_rows

IMAGES = ("a.png", "b.png", "c.png")
CAT, DOG = (10, 10, 30, 40), (50, 20, 90, 60)  # x1, y1, x2, y2
ANSWERS = {
    "a.png": [("cat", 0.9, CAT), ("dog", 0.75, (52, 20, 90, 60)), ("cat", 0.5, (70, 70, 80, 80))],
    "b.png": [("dog", 0.8, CAT)],
    "c.png": [],
}
OBJECTS = [(0, "cat", CAT), (0, "dog", DOG), (1, "cat", CAT)]


def pictures(folder, names=IMAGES):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 100), "white").save(folder / name)
    return folder


@pytest.fixture
def coco(tmp_path):
    """A folder with images/ and a COCO file: two images with three objects and a crowd, one without."""
    folder = tmp_path / "data"
    pictures(folder / "images")
    found = [(*each, 0) for each in OBJECTS] + [(1, "dog", (0, 0, 50, 50), 1)]
    records = [
        {
            "id": at,
            "image_id": image + 1,
            "category_id": ["cat", "dog", "bird"].index(name) + 1,
            "bbox": [x1, y1, x2 - x1, y2 - y1],
            "area": (x2 - x1) * (y2 - y1),
            "iscrowd": crowd,
        }
        for at, (image, name, (x1, y1, x2, y2), crowd) in enumerate(found, 1)
    ]
    images = [{"id": at, "file_name": name, "width": 100, "height": 100} for at, name in enumerate(IMAGES, 1)]
    categories = [{"id": at, "name": name} for at, name in enumerate(["cat", "dog", "bird"], 1)]
    told = {"images": images, "annotations": records, "categories": categories}
    (folder / "truth.json").write_text(json.dumps(told))
    return folder


@pytest.fixture
def run(make_box_run):
    return make_box_run(ANSWERS, ["dog", "cat"])


def expected(names=("dog", "cat")):
    truth = TrueBoxes(
        n_images=3,
        n_classes=2,
        image=[0, 0, 1, 1],
        category=[names.index(each) for each in ("cat", "dog", "cat", "dog")],
        boxes=[[10, 10, 20, 30], [50, 20, 40, 40], [10, 10, 20, 30], [0, 0, 50, 50]],
        crowd=[False, False, False, True],
    )
    rows = [(at, *each) for at, name in enumerate(IMAGES) for each in ANSWERS[name]]
    boxes = [[x1, y1, x2 - x1, y2 - y1] for _, _, _, (x1, y1, x2, y2) in rows]
    scores = np.array([score for _, _, score, _ in rows], np.float32)
    found = FoundBoxes(
        image=[at for at, *_ in rows], category=[names.index(name) for _, name, *_ in rows], boxes=boxes, scores=scores
    )
    return coco_scores(truth, found).figures()


def test_a_run_has_cocos_figures(run, coco):
    results = evaluate(run, coco)
    figures = {name: figure.value for name, figure in results.figures.items()}
    assert figures == {f"coco_{name}": pytest.approx(value) for name, value in expected().items()}
    assert results.figures["coco_AP"].n == 3
    assert results.figures["coco_AP"].n_positives == 3
    assert results.protocol["name"] == "coco"
    assert (results.data.n, results.data.n_classes, results.data.n_classes_scored) == (3, 2, 2)
    assert [(each.name, each.n, each.n_predicted) for each in results.per_class] == [("dog", 1, 2), ("cat", 2, 2)]
    facts = results.detection
    assert (facts.n_objects, facts.n_ignored, facts.n_detections) == (3, 1, 4)
    assert facts.truth["n_empty_images"] == 1
    assert facts.errors == {
        **dict.fromkeys(("localisation", "both", "duplicate"), 0),
        "classification": 0,
        "background": 1,
        "missed": 1,
    }


def test_classes_of_few_objects_are_told(run, coco):
    few = "{} of the 2 classes have fewer than 30 objects here: AP on so few runs higher than on many images, "
    few += "which no interval mends."
    assert few.format(2) in evaluate(run, coco).warnings
    told = json.loads((coco / "truth.json").read_text())
    told["annotations"] += [told["annotations"][0] | {"id": 100 + at} for at in range(29)]
    (coco / "truth.json").write_text(json.dumps(told))
    assert not any("fewer than 30" in text for text in evaluate(run, coco).warnings)  # one class of two now has enough


def test_rows_say_what_each_detection_took(run, coco, tmp_path):
    evaluate(run, coco, tmp_path / "out", report=False)
    rows = read_rows(tmp_path / "out").to_pylist()
    assert [row["key"] for row in rows] == list(IMAGES)
    first, second, third = rows
    assert (first["det_class"], first["truth_class"]) == ([1, 0, 1], [1, 0])
    assert first["det_match"] == [0b1111111111, 0b1111111111, 0]
    assert (second["det_match"], second["det_ignore"]) == ([0], [0b1111111111])  # inside a crowd of its class
    assert second["truth_class"] == [1]
    assert first["det_object"] == [0, 1, -1]
    assert first["truth_box"] == [[10, 10, 30, 40], [50, 20, 90, 60]]
    assert first["det_box"] == [list(box) for _, _, box in ANSWERS["a.png"]]
    assert (second["det_object"], second["truth_box"]) == ([-1], [[10, 10, 30, 40]])
    assert (third["det_object"], third["det_box"], third["truth_box"]) == ([], [], [])
    assert (third["det_class"], third["truth_class"]) == ([], [])
    assert first["digest"] == b"a.png".ljust(32)
    assert read_results(tmp_path / "out").confusion.cells == ((0, 0, 1), (1, 0, 1), (1, 1, 1))


def test_confusions_look_across_classes(run, coco):
    results = evaluate(run, coco)
    assert results.detection.best_f1.confidence == pytest.approx(0.75)
    assert results.protocol["confidence_of_confusions"] == pytest.approx(0.75)
    assert results.confusion.n_classes == 3
    assert results.confusion.matrix().tolist() == [[1, 0, 0], [1, 1, 0], [0, 0, 0]]


@pytest.mark.parametrize("form", ["coco", "voc", "yolo", "csv"])
def test_every_format_of_labels_is_scored(make_box_run, coco, tmp_path, form):
    told = json.loads((coco / "truth.json").read_text())
    told["annotations"] = told["annotations"][:3]  # crowds are COCO's alone
    (coco / "truth.json").write_text(json.dumps(told))
    converted = convert(coco, tmp_path / form, to=form, copy_images=True).folder
    answers = {f"{'images' if form == 'voc' else ''}/{key}".strip("/"): value for key, value in ANSWERS.items()}
    results = evaluate(make_box_run(answers, ["cat", "dog"]), converted, protocol="coco")
    reference = evaluate(make_box_run(ANSWERS, ["cat", "dog"], name="other"), coco)
    assert results.figures["coco_AP"].value == pytest.approx(reference.figures["coco_AP"].value, abs=1e-9)
    default = evaluate(make_box_run(answers, ["cat", "dog"], name="third"), converted)
    assert default.protocol["name"] == ("voc12" if form == "voc" else "coco")


def test_pascals_labels_are_scored_by_pascals_rule(make_box_run, tmp_path):
    folder = tmp_path / "voc"
    pictures(folder / "JPEGImages", ["a.png"])
    objects = "".join(
        f"<object><name>cat</name><difficult>{difficult}</difficult><bndbox><xmin>{x1}</xmin><ymin>{y1}</ymin>"
        f"<xmax>{x2}</xmax><ymax>{y2}</ymax></bndbox></object>"
        for difficult, (x1, y1, x2, y2) in ((0, (11, 11, 30, 40)), (1, (51, 51, 60, 60)))
    )
    (folder / "Annotations").mkdir()
    size = "<size><width>100</width><height>100</height><depth>3</depth></size>"
    (folder / "Annotations" / "a.xml").write_text(f"<annotation><filename>a.png</filename>{size}{objects}</annotation>")
    run = make_box_run({"a.png": [("cat", 0.9, (50, 50, 60, 60)), ("cat", 0.8, CAT)]}, ["cat"])
    results = evaluate(run, folder)
    assert {name: figure.value for name, figure in results.figures.items()} == {
        "voc12_AP": 1.0,
        "voc12_AP_no_plus_one": 1.0,
    }
    assert (results.detection.n_objects, results.detection.n_ignored) == (1, 1)
    assert results.per_class[0].ap == 1.0
    everything = evaluate(run, folder, protocol="all")
    assert everything.figures["coco_AP"].value == pytest.approx(1.0)
    assert "Objects marked difficult, which COCO's rule does not know, are to be found too: 1." in everything.warnings
    (table,) = evaluate(run, folder, tables=True).detection.tables
    assert table.verdict == ("left out", "TP")


def test_images_without_an_answer_are_left_out_and_counted(make_box_run, coco, tmp_path):
    run = make_box_run({**ANSWERS, "b.png": "corrupt", "more.png": []}, ["dog", "cat"])
    results = evaluate(run, coco, tmp_path / "out", report=False)
    assert (results.data.n, results.data.n_bad, results.data.bad) == (2, 1, {"corrupt": 1})
    assert results.data.n_unlabelled == 1
    assert results.detection.n_objects == 2
    assert results.detection.truth["n_without_image"] == 0
    bad = read_rows(tmp_path / "out").to_pylist()[1]
    assert (bad["key"], bad["det_class"], bad["det_match"], bad["truth_class"]) == ("b.png", None, None, [1])


def test_nothing_but_bad_images_is_an_error(make_box_run, coco):
    run = make_box_run(dict.fromkeys(IMAGES, "corrupt"), ["dog", "cat"])
    with pytest.raises(DataError, match=r"none of its 3 labelled images has an answer \(3 corrupt\)"):
        evaluate(run, coco)


def test_classes_go_by_name_and_by_other_names(make_box_run, coco):
    run = make_box_run({key: [("kitten", *each[1:]) for each in found] for key, found in ANSWERS.items()}, ["kitten"])
    with pytest.raises(DataError, match="no class of the model answers to 'cat', 'dog'"):
        evaluate(run, coco)
    results = evaluate(run, coco, class_map={"cat": "kitten", "dog": "kitten"})
    assert results.per_class[0].n == 3


def test_keys_may_lie_deeper_than_the_labels_say(make_box_run, coco):
    run = make_box_run({f"images/{key}": found for key, found in ANSWERS.items()}, ["dog", "cat"])
    assert evaluate(run, coco).figures["coco_AP"].value == pytest.approx(expected()["AP"])


def test_other_images_are_refused(make_box_run, coco):
    with pytest.raises(DataError, match="none of its 3 images is one of the run's 1"):
        evaluate(make_box_run({"z.png": []}, ["dog", "cat"]), coco)


def test_an_unknown_protocol_is_wrong_usage(run, coco):
    with pytest.raises(UsageError, match="protocol 'lvis' is not one of coco, voc07, voc12, all"):
        evaluate(run, coco, protocol="lvis")


# says one box over the whole picture, of the class whose channel is brightest
WHOLE = """<ir_version: 8, opset_import: ["" : 17]>
whole (float[1,3,8,8] input) => (float[1,1,8] boxes)
<float[1,5] place = {4, 4, 8, 8, 1}, int64[1] second = {1}> {
    pooled = GlobalAveragePool(input)
    flat = Flatten<axis=1>(pooled)
    classes = Softmax<axis=1>(flat)
    row = Concat<axis=1>(place, classes)
    boxes = Unsqueeze(row, second)
}"""
WHOLE_SPEC = {
    "task": "detection",
    "input": {"size": [8, 8]},
    "preprocess": [{"op": "resize", "size": [8, 8], "mode": "exact"}, {"op": "rescale", "scale": 10 / 255}],
    "output": {"name": "boxes", "decoder": "yolov5"},
    "classes": [{"name": "red"}, {"name": "green"}, {"name": "blue"}],
}


@pytest.fixture
def whole(write_model, tmp_path):
    return write_model(tmp_path / "whole.onnx", WHOLE, WHOLE_SPEC)


@pytest.fixture
def colours_as_boxes(write_colour, tmp_path):
    folder = tmp_path / "data"
    lines = ["key,class,x1,y1,x2,y2"]
    for at, colour in enumerate(("red", "green", "blue", "red")):
        write_colour(folder / "images" / f"{at}.png", colour, size=(12, 10))
        lines.append(f"{at}.png,{colour},0,0,10,12")
    (folder / "boxes.csv").write_text("\n".join(lines) + "\n")
    return folder


def test_a_model_is_run_where_the_pictures_are(whole, colours_as_boxes, tmp_path):
    results = evaluate(whole, colours_as_boxes, tmp_path / "out", report=False)
    assert results.figures["coco_AP"].value == pytest.approx(1.0)
    assert (tmp_path / "out" / results.data.root).resolve() == (colours_as_boxes / "images").resolve()
    plan = json.loads((tmp_path / "out" / "run" / "plan.json").read_text())
    assert plan["spec"]["output"]["conf"] == 0.001
    assert results.versions["eval hotcoco"]


def test_pictures_and_labels_may_lie_apart(whole, colours_as_boxes, tmp_path):
    labels = (colours_as_boxes / "boxes.csv").rename(tmp_path / "labels.csv")
    results = evaluate(whole, colours_as_boxes / "images", truth=labels)
    assert results.figures["coco_AP"].value == pytest.approx(1.0)
    assert results.data.truth == labels.as_posix()


def test_pictures_that_are_not_there_are_asked_for(whole, colours_as_boxes, tmp_path):
    (colours_as_boxes / "images").rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match=r"the pictures of its 4 labelled images are not beside the labels .*--truth"):
        evaluate(whole, colours_as_boxes)


def test_the_confidence_and_the_limit_can_be_chosen(whole, colours_as_boxes, tmp_path):
    results = evaluate(whole, colours_as_boxes, tmp_path / "out", conf=1.0, max_detections=5, report=False)
    plan = json.loads((tmp_path / "out" / "run" / "plan.json").read_text())
    assert plan["spec"]["output"]["max_detections"] == 5
    assert results.protocol["max_detections"] == [1, 5]
    assert results.detection.n_detections == 0
    assert results.figures["coco_AR5"].value == 0


def test_what_boxes_are_kept_is_no_question_of_a_run_or_of_a_classifier(run, coco, colours, tmp_path):
    with pytest.raises(UsageError, match="is a run: conf would change nothing"):
        evaluate(run, coco, conf=0.5)
    with pytest.raises(UsageError, match="--conf, --iou are for detectors; the spec says classification"):
        evaluate(colours, tmp_path, conf=0.5, iou=0.5)


def test_what_is_about_the_other_kind_of_model_is_refused(run, coco, colours, colours_as_boxes, tmp_path):
    with pytest.raises(UsageError, match=r"^--topk is for classifiers; this is a detector"):
        evaluate(run, coco, topk=[3])
    with pytest.raises(UsageError, match="--multilabel is for classifiers; this is a detector"):
        evaluate(run, coco, multilabel=True)
    with pytest.raises(UsageError, match=r"^--protocol, --table are for detectors; this is a classifier"):
        evaluate(colours, tmp_path, protocol="voc12", tables=True)


@pytest.fixture
def in_parts(write_colour, tmp_path):
    """YOLO's labels as some tools export them: `../valid/images` in a data.yaml beside the parts."""
    folder = tmp_path / "parts"
    for part, colours in (("train", ["red", "green"]), ("valid", ["blue", "red", "green"])):
        for at, colour in enumerate(colours):
            write_colour(folder / part / "images" / f"{part}{at}.png", colour, size=(12, 10))
            label = folder / part / "labels" / f"{part}{at}.txt"
            label.parent.mkdir(exist_ok=True)
            label.write_text(f"{['red', 'green', 'blue'].index(colour)} 0.5 0.5 1 1\n")
    lines = ["train: ../train/images", "val: ../valid/images", "nc: 3", "names: ['red', 'green', 'blue']"]
    (folder / "data.yaml").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize("named", ["", "data.yaml"])
def test_of_parts_the_one_to_score_is_run(whole, in_parts, tmp_path, named):
    results = evaluate(whole, in_parts / named, tmp_path / "out", report=False)
    assert (results.data.n, results.data.part) == (3, "val")
    assert results.figures["coco_AP"].value == pytest.approx(1.0)
    assert f"{in_parts / named} has parts: val is read (it also has train)." in results.warnings
    assert (tmp_path / "out" / results.data.root).resolve() == in_parts / "valid" / "images"
    other = evaluate(whole, in_parts / named, split="train")
    assert (other.data.n, other.data.part) == (2, "train")
    with pytest.raises(DataError, match="no part test; its parts are train, val, each scored by itself"):
        evaluate(whole, in_parts / named, split="test")
    with pytest.raises(DataError, match="no part all; its parts are train, val, each scored by itself"):
        evaluate(whole, in_parts / named, split="all")


def test_labels_without_parts_have_none_to_choose(run, coco):
    with pytest.raises(DataError, match=r"no part val; it has no parts\."):
        evaluate(run, coco, split="val")


def test_pictures_of_another_set_of_the_same_names_are_not_taken(whole, colours_as_boxes, tmp_path):
    """Labels alone in their folder: a folder further up that happens to hold such names is not theirs."""
    alone = tmp_path / "labels-only"
    alone.mkdir()
    (colours_as_boxes / "boxes.csv").rename(alone / "boxes.csv")
    with pytest.raises(DataError, match="are not beside the labels"):
        evaluate(whole, alone)


def test_a_run_that_was_made_for_looking_says_so(run, coco, make_box_run):
    assert any(each.startswith("The run kept boxes from confidence 0.25 on") for each in evaluate(run, coco).warnings)


def test_what_was_odd_about_the_labels_is_counted(make_box_run, tmp_path):
    rows = [
        *("a.png,cat,10,10,30,40,100,100", "a.png,cat,5,5,5,9,100,100", "../b.png,dog,90,90,120,120,100,100"),
        *("gone.png,cat,1,1,5,5,100,100", "empty.png,,,,,,90,100"),
    ]
    header = "key,class,x1,y1,x2,y2,height,width"
    (tmp_path / "boxes.csv").write_text("\n".join([header, *rows]) + "\n")
    run = make_box_run({"a.png": [], "b.png": [], "empty.png": [], "more.png": []}, ["cat", "dog"])
    results = evaluate(run, tmp_path / "boxes.csv", tmp_path / "out")
    counts = {name: n for name, n in results.detection.truth.items() if n}
    assert counts == {
        "n_degenerate": 1,
        "n_outside": 1,
        "n_unsafe_names": 1,
        "n_empty_images": 1,
        "n_unlabelled": 1,
        "n_without_image": 1,
        "n_size_disagrees": 1,
    }
    page = (tmp_path / "out" / "report.html").read_text()
    for told in ("Boxes without width or height, kept as they are", "Image names that lead out of their folder"):
        assert f"<dt>{told}" in page


def test_classes_that_are_numbers_can_be_positions(whole, in_parts):
    """YOLO's labels without a data.yaml: nobody says what class 0 is called."""
    (in_parts / "data.yaml").unlink()
    alone = in_parts / "valid"
    with pytest.raises(DataError, match=r"have no names but 0, 1, 2, which no class.*--truth-index takes them as pos"):
        evaluate(whole, alone)
    assert evaluate(whole, alone, truth_index=True).figures["coco_AP"].value == pytest.approx(1.0)
    (alone / "labels" / "valid0.txt").write_text("7 0.5 0.5 1 1\n")
    with pytest.raises(DataError, match="class '7' is no position in the model's list, 0 to 2"):
        evaluate(whole, alone, truth_index=True)
