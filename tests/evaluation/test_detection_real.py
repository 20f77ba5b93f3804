"""Two published detectors, run and scored by the command line alone, on photos of COCO and on Pascal VOC's labels."""

import json
import shutil

import pytest

from cnnkit.results import read_results

# what the labels call it, what the models' list of names calls it
OTHER_NAMES = """motorcycle,motorbike
airplane,aeroplane
couch,sofa
potted plant,pottedplant
dining table,diningtable
tv,tvmonitor
"""
YOLOX = ("--preset", "yolox", "--decoder", "yolox")
FASTESTDET = (
    *("--preset", "raw", "--resize", "exact", "--interpolation", "opencv:linear", "--channel-order", "BGR"),
    *("--scale", 1 / 255, "--decoder", "fastestdet", "--iou", "0.45"),
)
DETECTORS = {"yolox_nano": YOLOX, "fastestdet": FASTESTDET}
FEW = 10


@pytest.fixture
def names(tmp_path):
    (tmp_path / "names.csv").write_text(OTHER_NAMES)
    return tmp_path / "names.csv"


@pytest.fixture
def score(shared, run_cnnkit, names, tmp_path):
    """`score("yolox_nano", data)`: the results folder of a model that knows nothing of itself, by flags alone."""

    def run(model, data, *options, exit_code=0):
        told = ("--labels", shared / "models" / "coco_names.txt", "--class-map", names, "--no-report")
        out = tmp_path / f"{model}-results"
        file = shared / "models" / f"{model}.onnx"
        done = run_cnnkit("eval", file, data, *DETECTORS[model], *told, "-o", out, *options, exit_code=exit_code)
        return out, done.stderr

    return run


@pytest.fixture
def few(shared, tmp_path):
    """The first photos of the set in official COCO's layout: annotations/ beside a folder of pictures."""
    told = json.loads((shared / "coco128" / "instances_train2017.json").read_text())
    told["images"] = sorted(told["images"], key=lambda image: image["id"])[:FEW]
    ids = {image["id"] for image in told["images"]}
    told["annotations"] = [entry for entry in told["annotations"] if entry["image_id"] in ids]
    folder = tmp_path / "few"
    (folder / "annotations").mkdir(parents=True)
    (folder / "annotations" / "instances_train2017.json").write_text(json.dumps(told))
    (folder / "train2017").mkdir()
    for image in told["images"]:
        shutil.copy(shared / "coco128" / "images" / image["file_name"], folder / "train2017")
    return folder


def test_two_detectors_are_scored_gated_and_compared(few, score, run_cnnkit, names, tmp_path):
    best, said = score("yolox_nano", few, "--fail-under", "coco_AP50=0.45")
    assert "yolox_nano on instances_train2017.json: 10 images, " in said
    worse, said = score("fastestdet", few, "--fail-if-worse-than", best, "--fail-under", "coco_AP50=0.9", exit_code=1)
    assert "Error: coco_AP50 is 0." in said
    assert ", under 0.9; worse than" in said
    assert "yolox_nano is better than fastestdet by" in said
    again = ("eval", best / "run", few, "--class-map", names, "--no-report")
    run_cnnkit(*again, "-o", tmp_path / "again", "--fail-if-worse-than", worse)
    run_cnnkit(*again, "-o", tmp_path / "again", "--fail-if-worse-than", f"{best}:0.1")
    assert read_results(tmp_path / "again").figures == read_results(best).figures
    out = tmp_path / "compared"
    told = json.loads(run_cnnkit("compare", best, worse, "--json", "--margin", "50", "-o", out).stdout)
    difference = told["differences"][0]
    figures = [read_results(folder).figures["coco_AP"].value for folder in (best, worse)]
    assert difference["measure"] == "coco_AP"
    assert difference["value"] == pytest.approx(figures[1] - figures[0], abs=1e-9)
    assert (difference["better"], told["equivalence"][0]["answer"]) == ("first", "yes")
    (pair,) = told["object_pairs"]
    for folder, place in ((best, "first"), (worse, "second")):
        facts = read_results(folder).detection
        assert pair[f"{place}_confidence"] == pytest.approx(facts.best_f1.confidence)
        found = pair["both"] + pair[f"only_{place}"]
        assert found / facts.n_objects == pytest.approx(facts.best_f1.recall)
        assert found / (found + pair[f"{place}_false"]) == pytest.approx(facts.best_f1.precision)
    page = (out / "report.html").read_text()
    assert "yolox_nano finds, fastestdet misses" in page
    assert page.count('<img src="data:image/jpeg') >= len(pair["images"])


def test_a_class_that_nothing_answers_to_is_found_before_the_model_runs(shared, run_cnnkit, tmp_path):
    told = ("--labels", shared / "models" / "coco_names.txt", "-o", tmp_path / "out")
    model = shared / "models" / "yolox_nano.onnx"
    said = run_cnnkit("eval", model, shared / "raccoon_voc", *YOLOX, *told, exit_code=3).stderr
    assert "annotations: no class of the model answers to 'raccoon'; its 80 classes are person, bicycle," in said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("model", "ap", "ap50"), [("yolox_nano", 0.340, 0.520), ("fastestdet", 0.206, 0.335)])
def test_the_detectors_have_their_known_figures(shared, score, model, ap, ap50):
    out, said = score(model, shared / "coco128")
    results = read_results(out)
    assert results.figures["coco_AP"].value == pytest.approx(ap, abs=0.005)
    assert results.figures["coco_AP50"].value == pytest.approx(ap50, abs=0.005)
    assert (results.detection.n_objects, results.detection.n_ignored) == (929, 10)
    assert results.detection.truth["n_empty_images"] == 2
    assert "929 objects of 71 classes" in said
    assert "10 objects left out (crowds, difficult ones)" in said


def test_labels_of_pascal_voc(shared, score, names):
    """Raccoons are none of COCO's classes; as cats they are found often enough to have figures."""
    names.write_text("raccoon,cat\n")
    out, _ = score("yolox_nano", shared / "raccoon_voc", "--protocol", "all", "--table")
    results = read_results(out)
    values = {name: figure.value for name, figure in results.figures.items()}
    assert values["voc12_AP"] == pytest.approx(0.732, abs=0.01)
    assert values["voc07_AP"] == pytest.approx(0.713, abs=0.01)
    assert values["coco_AP50"] == pytest.approx(values["voc12_AP"], abs=0.01)
    assert (results.data.n, results.detection.n_objects, results.data.n_classes_scored) == (60, 67, 1)
    tables = {table.name: table for table in results.detection.tables}
    assert tables["cat"].n_objects == 67
    assert tables["cat"].ap["101 recalls"] == pytest.approx(values["coco_AP50"], abs=1e-9)
