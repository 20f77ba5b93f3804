"""A class map works on a file of detections as it does on the run that wrote it."""

import json

import pytest
from PIL import Image

from cnnkit.data import read_coco, rename_classes
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation import evaluate
from cnnkit.predictions import open_run, write_export

BOX, OTHER = (10, 10, 40, 50), (50, 20, 90, 60)  # x1, y1, x2, y2
ANSWERS = {
    "a.png": [("kitten", 0.9, BOX), ("hound", 0.75, (52, 20, 90, 60)), ("kitten", 0.5, (70, 70, 80, 80))],
    "b.png": [("hound", 0.8, BOX), ("kitten", 0.6, OTHER)],
}


@pytest.fixture
def truth(tmp_path):
    """cat, puppy and dog on two images."""
    folder = tmp_path / "data"
    (folder / "images").mkdir(parents=True)
    for name in ANSWERS:
        Image.new("RGB", (100, 100), "white").save(folder / "images" / name)
    objects = [(1, 4, BOX), (1, 7, OTHER), (2, 9, BOX), (2, 4, OTHER)]
    records = [
        {"id": at, "image_id": image, "category_id": category, "bbox": [x, y, x2 - x, y2 - y], "area": 1200}
        for at, (image, category, (x, y, x2, y2)) in enumerate(objects, 1)
    ]
    told = {
        "images": [{"id": at, "file_name": name, "width": 100, "height": 100} for at, name in enumerate(ANSWERS, 1)],
        "categories": [{"id": 4, "name": "cat"}, {"id": 7, "name": "puppy"}, {"id": 9, "name": "dog"}],
        "annotations": records,
    }
    (folder / "truth.json").write_text(json.dumps(told))
    return folder / "truth.json"


def named(tmp_path, *lines):
    path = tmp_path / "map.csv"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def run(make_box_run):
    return make_box_run(ANSWERS, ["hound", "kitten"])


def test_a_file_has_the_figures_of_its_run(run, truth, tmp_path, run_cnnkit):
    exported = write_export(open_run(run), "coco")
    names = named(tmp_path, "cat,kitten", "puppy,hound", "dog,hound")
    of_run = evaluate(run, truth, class_map=names)
    of_file = evaluate(exported, truth, class_map=names)
    assert {name: each.value for name, each in of_file.figures.items()} == pytest.approx(
        {name: each.value for name, each in of_run.figures.items()}
    )
    assert of_file.figures["coco_AP50"].value > 0.5
    facts = [{each.name: (each.n, each.n_predicted) for each in results.per_class} for results in (of_run, of_file)]
    assert facts[0] == facts[1] == {"kitten": (2, 3), "hound": (2, 2)}
    assert "coco_AP50" in run_cnnkit("eval", exported, truth, "--class-map", names).stderr


def test_a_class_without_a_name_in_the_map_is_named_with_what_to_do(run, truth, tmp_path):
    exported = write_export(open_run(run), "coco")
    message = r"category_name is 'hound', which .* --class-map FILE has lines of the labels' name, then the detections'"
    with pytest.raises(DataError, match=message):
        evaluate(exported, truth, class_map=named(tmp_path, "cat,kitten", "hound,dog"))


def test_ids_alone_are_the_labels_own(truth, tmp_path):
    path = tmp_path / "found.json"
    path.write_text(json.dumps([{"image_id": 1, "category_id": 4, "bbox": [10, 10, 30, 40], "score": 0.5}]))
    with pytest.raises(UsageError, match="not a category_name each: --class-map would change nothing"):
        evaluate(path, truth, class_map={"cat": "kitten"})
    with pytest.raises(UsageError, match="--truth-index would change nothing"):
        evaluate(path, truth, truth_index=True)


def test_darknets_names_answer_to_cocos(truth, tmp_path):
    told = json.loads(truth.read_text().replace('"cat"', '"couch"'))
    truth.write_text(json.dumps(told))
    path = tmp_path / "found.json"
    record = {"image_id": 1, "category_id": 1, "bbox": [10, 10, 30, 40], "score": 0.5}
    path.write_text(json.dumps([{**record, "category_name": "couch"}]))
    for class_map in (None, {"couch": "sofa"}):
        results = evaluate(path, truth, class_map=class_map)
        assert {each.n_predicted for each in results.per_class} == {0, 1}


def test_classes_of_one_name_become_one(truth):
    before = read_coco(truth)
    after = rename_classes(before, {"dog": "hound", "puppy": "hound", "unknown": "x"})
    assert after.classes == ("cat", "hound")
    assert after.category.tolist() == [0, 1, 1, 0]
    assert after.category_ids == (1, 2)
    swapped = rename_classes(before, {"dog": "cat", "cat": "dog"})
    assert swapped.classes == ("dog", "puppy", "cat")
    assert swapped.category.tolist() == before.category.tolist()
