"""A detector on a folder: the formats that others read, and its boxes drawn."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cnnkit import data, inference
from cnnkit.data import open_boxes, read_boxes, read_boxes_csv, read_coco_results, read_voc
from cnnkit.errors import DataError, UsageError

Run = Callable[..., Any]

# whatever the picture, a cat in its left half and a dog in its middle; what it sees is half of the picture's sides
BOXES = """
<ir_version: 8, opset_import: ["" : 17]>
g (float[1,3,32,32] image) => (float[N,4] boxes, float[N] scores, int64[N] labels) {
    boxes = Constant<value = float[3,4] {0.0, 0.0, 16.0, 8.0, 8.0, 8.0, 24.0, 24.0, 1.0, 1.0, 2.0, 2.0}>()
    scores = Constant<value = float[3] {0.9, 0.8, 0.1}>()
    labels = Constant<value = int64[3] {1, 2, 2}>()
}"""
SPEC = {
    "task": "detection",
    "input": {"name": "image", "size": [32, 32]},
    "preprocess": [{"op": "resize", "size": [32, 32], "mode": "exact"}, {"op": "rescale", "scale": 1 / 255}],
    "output": {"name": "boxes", "decoder": "boxes", "scores": "scores", "labels": "labels", "first_label": 1},
    "classes": [{"name": "cat"}, {"name": "dog"}],
}
SIZES = {"a.png": (64, 100), "deep/b.jpg": (333, 77), "deep/c.webp": (48, 48)}
ALL = ("coco", "yolo", "voc", "csv", "jsonl")


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory, write_model: Callable[..., Path]) -> Path:
    return write_model(tmp_path_factory.mktemp("detector") / "halves.onnx", BOXES, SPEC)


@pytest.fixture
def photos(tmp_path: Path, write_colour: Callable[..., Path]) -> Path:
    for key, size in SIZES.items():
        write_colour(tmp_path / "photos" / key, "gray", size=size)
    (tmp_path / "photos" / "bad.png").write_bytes(b"")
    return tmp_path / "photos"


@pytest.fixture
def run(detector: Path, photos: Path, tmp_path: Path) -> Path:
    return inference.infer(detector, photos, tmp_path / "run", formats=ALL).path


def truth_json(path: Path, **names: int) -> Path:
    """A COCO ground truth of these images with these ids, and the classes dog 7 and cat 3."""
    facts = {
        "images": [{"id": at, "file_name": name.replace("__", "/").replace("_", ".")} for name, at in names.items()],
        "categories": [{"id": 7, "name": "dog"}, {"id": 3, "name": "cat"}],
        "annotations": [],
    }
    path.write_text(json.dumps(facts))
    return path


def expected(key: str) -> dict[str, list[float]]:
    height, width = SIZES[key]
    return {"cat": [0, 0, width / 2, height / 4], "dog": [width / 4, height / 4, 3 * width / 4, 3 * height / 4]}


class TestFormats:
    def test_coco_is_a_results_list(self, run: Path) -> None:
        found = json.loads((run / "predictions.coco.json").read_text())
        assert [entry["file_name"] for entry in found] == [key for key in SIZES for _ in range(2)]
        first = {"image_id": "a.png", "category_id": 1, "bbox": [0.0, 0.0, 50.0, 16.0], "score": float(np.float32(0.9))}
        assert found[0] == first | {"file_name": "a.png", "category_name": "cat"}

    def test_coco_is_read_by_names_where_the_ids_are_others(self, run: Path, tmp_path: Path) -> None:
        truth = data.read_coco(truth_json(tmp_path / "truth.json", a_png=30, deep__b_jpg=10, deep__c_webp=20))
        found = read_coco_results(run / "predictions.coco.json", truth)
        assert [truth.keys[at] for at in found.image] == [key for key in SIZES for _ in range(2)]
        assert [truth.classes[at] for at in found.category] == ["cat", "dog"] * 3

    def test_coco_with_the_ids_of_a_truth_is_read_by_pycocotools(
        self, detector: Path, photos: Path, tmp_path: Path
    ) -> None:
        from pycocotools.coco import COCO

        path = truth_json(tmp_path / "truth.json", a_png=30, deep__b_jpg=10)
        said: list[str] = []
        done = inference.infer(detector, photos, tmp_path / "r", formats=["coco"], coco_ids=path, say=said.append)
        results = COCO(str(path)).loadRes(str(done.exports[0]))
        wanted = {30: expected("a.png"), 10: expected("deep/b.jpg")}
        for image, boxes in wanted.items():
            for number, name in ((3, "cat"), (7, "dog")):
                [entry] = results.loadAnns(results.getAnnIds(imgIds=[image], catIds=[number]))
                x, y, w, h = entry["bbox"]
                assert [x, y, x + w, y + h] == pytest.approx(boxes[name], abs=1e-4)
        assert f"Boxes of 2 images that {path} does not list are not in predictions.coco.json." in said

    def test_the_numbers_of_cocos_own_names(self) -> None:
        from cnnkit.predictions import coco_image_id

        assert coco_image_id("images/COCO_val2014_000000000042.jpg") == 42
        assert coco_image_id("images/42.jpg") == "images/42.jpg"

    def test_yolo_is_read_as_labels(self, run: Path, photos: Path) -> None:
        shutil.copytree(photos, run / "predictions.yolo" / "images")
        truth = open_boxes(run / "predictions.yolo").parts["val"]()
        self.check_labels(truth)
        assert not (run / "predictions.yolo" / "labels" / "bad.txt").exists()

    def test_voc_is_read_as_labels(self, run: Path) -> None:
        truth = read_voc(run / "predictions.voc")
        assert truth.sizes.tolist() == [list(size) for size in SIZES.values()]
        self.check_labels(truth)

    def test_csv_is_read_as_labels(self, run: Path) -> None:
        truth = read_boxes_csv(run / "predictions.csv")
        assert truth.keys[1] == "bad.png"
        self.check_labels(truth)

    def check_labels(self, truth: data.DetectionTruth) -> None:
        for at, key in enumerate(truth.keys):
            own = truth.image == at
            boxes = dict(zip((truth.classes[c] for c in truth.category[own]), truth.xywh()[own], strict=True))
            assert boxes.keys() == ({"cat", "dog"} if key in SIZES else set())
            for name, (x, y, w, h) in boxes.items():
                assert [x, y, x + w, y + h] == pytest.approx(expected(key)[name], abs=1e-4)

    def test_again_the_same_bytes(self, detector: Path, photos: Path, run: Path, tmp_path: Path) -> None:
        again = inference.infer(detector, photos, tmp_path / "again", formats=ALL).path
        first, second = (
            sorted(path for path in each.rglob("predictions*/**/*") if path.is_file()) for each in (run, again)
        )
        assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
        for name in ("predictions.coco.json", "predictions.csv", "predictions.jsonl"):
            assert (run / name).read_bytes() == (again / name).read_bytes()

    @pytest.mark.parametrize(
        ("formats", "file", "asked"),
        [
            (["coco", "yolo", "csv"], r"deep/b\.txt", "--format yolo"),
            (["voc", "yolo"], r"deep/b\.xml", "--format voc and --format yolo"),
        ],
    )
    def test_two_pictures_of_one_label_file_are_refused_before_anything_runs(
        self, detector: Path, photos: Path, tmp_path: Path, formats: list[str], file: str, asked: str
    ) -> None:
        shutil.copy(photos / "a.png", photos / "deep" / "b.png")
        message = (
            rf"photos: deep/b\.jpg and deep/b\.png would have one label file, {file}, so {asked} cannot hold both; "
            rf"nothing was run\. Rename one of them, or leave {asked} out: coco, csv and jsonl keep whole names\."
        )
        with pytest.raises(DataError, match=message):
            inference.infer(detector, photos, tmp_path / "r", formats=formats)
        assert not (tmp_path / "r").exists()
        assert len(inference.infer(detector, photos, tmp_path / "r", formats=["coco", "csv"]).exports) == 2

    def test_the_run_that_is_there_stays_where_names_are_refused(
        self, run_cnnkit: Callable[..., Any], detector: Path, photos: Path, run: Path, tmp_path: Path
    ) -> None:
        shutil.copy(photos / "a.png", photos / "a.jpg")
        options = ["-o", run, "--overwrite", "--format", "yolo", "--annotate", tmp_path / "drawn"]
        said = run_cnnkit("infer", detector, photos, *options, exit_code=3).stderr
        assert "a.jpg and a.png would have one label file, a.txt" in said
        assert (run / "manifest.json").exists()
        assert not (tmp_path / "drawn").exists()

    def test_boxes_of_a_classifier_are_refused_before_it_runs(
        self, colours: Path, photos: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(UsageError, match="--format yolo is for boxes, and this model is a classifier"):
            inference.infer(colours, photos, tmp_path / "r", formats=["yolo"])
        assert not (tmp_path / "r").exists()

    def test_ids_need_their_format(self, detector: Path, photos: Path, tmp_path: Path) -> None:
        with pytest.raises(UsageError, match="--coco-ids goes with --format coco"):
            inference.infer(detector, photos, tmp_path / "r", coco_ids=tmp_path / "truth.json")


def scored(path: Path, truth: data.DetectionTruth) -> dict[str, Any]:
    found = read_coco_results(path, truth)
    return {"image": found.image.tolist(), "category": found.category.tolist(), "boxes": found.boxes.tolist()}


class TestOptions:
    def test_what_is_kept_is_part_of_the_plan(
        self, run_cnnkit: Run, detector: Path, photos: Path, tmp_path: Path
    ) -> None:
        words = ("infer", detector, photos, "-o", tmp_path / "r", "--format", "csv")
        run_cnnkit(*words, "--conf", "0.05", "--max-detections", "2")
        assert len((tmp_path / "r" / "predictions.csv").read_text().splitlines()) == 1 + 3 * 2 + 1
        said = run_cnnkit(*words, "--conf", "0.3", exit_code=3).stderr
        assert "spec.output.conf: 0.05 in the plan, 0.3 now" in said
        assert "spec.output.max_detections: 2 in the plan, 100 now" in said
        run_cnnkit(*words)

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (("--conf", "1.5"), "'--conf': 1.5 is not in the range 0<=x<=1"),
            (("--conf", "nan"), "'--conf'"),
            (("--iou", "-1"), "'--iou': -1.0 is not in the range 0<=x<=1"),
            (("--max-detections", "0"), "'--max-detections': 0 is not in the range x>=1"),
        ],
    )
    def test_bad_values_are_refused_by_name(
        self, run_cnnkit: Run, detector: Path, photos: Path, words: tuple[str, str], message: str
    ) -> None:
        assert message in run_cnnkit("infer", detector, photos, *words, exit_code=2).stderr

    def test_they_are_not_for_classifiers(self, run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
        said = run_cnnkit("infer", colours, photos, "-o", tmp_path / "r", "--iou", "0.5", exit_code=2).stderr
        assert "--iou is for detectors; the spec says classification." in said


class TestAnnotate:
    def test_a_picture_for_each_answer(self, run_cnnkit: Run, detector: Path, photos: Path, tmp_path: Path) -> None:
        words = ("infer", detector, photos, "-o", tmp_path / "r", "--annotate", tmp_path / "drawn")
        said = run_cnnkit(*words).stderr
        assert said.endswith(f"3 pictures drawn: {tmp_path}/drawn\n")
        names = {path.relative_to(tmp_path / "drawn").as_posix() for path in (tmp_path / "drawn").rglob("*.*")}
        assert names == {".annotated.json", "a.png", "deep/b.jpg", "deep/c.webp.jpg"}
        picture = cv2.imread(str(tmp_path / "drawn" / "deep" / "b.jpg"))
        assert picture.shape == (333, 77, 3)

    def test_again_draws_what_is_missing(self, run_cnnkit: Run, detector: Path, photos: Path, tmp_path: Path) -> None:
        words = ("infer", detector, photos, "-o", tmp_path / "r", "--annotate", tmp_path / "drawn")
        run_cnnkit(*words)
        before = {path: path.read_bytes() for path in (tmp_path / "drawn").rglob("*.*")}
        (tmp_path / "drawn" / "a.png").unlink()
        assert "1 pictures drawn; 2 were there:" in run_cnnkit(*words).stderr
        assert {path: path.read_bytes() for path in (tmp_path / "drawn").rglob("*.*")} == before

    def test_other_predictions_need_overwrite(
        self, run_cnnkit: Run, detector: Path, photos: Path, tmp_path: Path
    ) -> None:
        words = ("infer", detector, photos, "-o", tmp_path / "r", "--annotate", tmp_path / "drawn")
        run_cnnkit(*words)
        before = (tmp_path / "drawn" / "a.png").read_bytes()
        other = (*words[:3], "-o", tmp_path / "r2", *words[5:], "--conf", "0.85")
        assert "holds pictures of other predictions" in run_cnnkit(*other, exit_code=2).stderr
        assert (tmp_path / "drawn" / "a.png").read_bytes() == before
        run_cnnkit(*other, "--overwrite")
        assert (tmp_path / "drawn" / "a.png").read_bytes() != before

    @pytest.mark.parametrize("place", ["", "deep", "new"])
    def test_never_among_the_images(
        self, run_cnnkit: Run, detector: Path, photos: Path, tmp_path: Path, place: str
    ) -> None:
        words = ("infer", detector, photos, "-o", tmp_path / "r", "--annotate", photos / place)
        assert "the images lie there" in run_cnnkit(*words, exit_code=2).stderr
        assert not (tmp_path / "r").exists(), "nothing was run"

    def test_never_over_what_is_somebodys(self, detector: Path, photos: Path, run: Path, tmp_path: Path) -> None:
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "a.png").write_text("mine")
        with pytest.raises(UsageError, match="not empty, and not drawn by cnnkit"):
            inference.annotate(run, photos, tmp_path / "mine")
        with pytest.raises(UsageError, match="the pictures of a run go into a folder"):
            inference.annotate(run, photos, tmp_path / "mine" / "a.png")

    def test_stopped_and_gone_on_with(self, photos: Path, run: Path, tmp_path: Path) -> None:
        def stop(done: int, total: int) -> None:
            raise KeyboardInterrupt

        inference.annotate(run, photos, tmp_path / "whole")
        with pytest.raises(KeyboardInterrupt):
            inference.annotate(run, photos, tmp_path / "drawn", workers=1, progress=stop)
        (tmp_path / "drawn" / ".a.png.77.tmp").write_text("half")
        inference.annotate(run, photos, tmp_path / "drawn")
        whole, gone_on = (
            {path.relative_to(tmp_path / name): path.read_bytes() for path in (tmp_path / name).rglob("*.*")}
            for name in ("whole", "drawn")
        )
        assert gone_on == whole

    def test_a_file_that_has_changed_is_not_drawn(
        self, photos: Path, run: Path, tmp_path: Path, write_colour: Callable[..., Path]
    ) -> None:
        write_colour(photos / "a.png", "red", size=(9, 9))
        (photos / "deep" / "b.jpg").unlink()
        done = inference.annotate(run, photos, tmp_path / "drawn")
        assert (done.drawn, done.present, done.unread) == (1, 0, 2)

    def test_a_classifiers_best_class_stands_in_the_corner(
        self, run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path
    ) -> None:
        run_cnnkit("infer", colours, photos, "-o", tmp_path / "r", "--annotate", tmp_path / "drawn")
        picture = cv2.imread(str(tmp_path / "drawn" / "a.png"))
        assert picture.shape == (256, 400, 3), "enlarged"
        assert len(np.unique(picture[:60].reshape(-1, 3), axis=0)) > 2
        assert len(np.unique(picture[100:].reshape(-1, 3), axis=0)) == 1


class TestOnePhoto:
    @pytest.mark.parametrize(("target", "written"), [("out.jpg", "out.jpg"), ("out", "out/c.webp.jpg")])
    def test_drawn_to_a_file_or_a_folder(
        self, run_cnnkit: Run, detector: Path, photos: Path, tmp_path: Path, target: str, written: str
    ) -> None:
        photo = photos / "deep" / "c.webp"
        said = run_cnnkit("infer", detector, photo, "--annotate", tmp_path / target).stderr
        assert said.endswith(f"Wrote {tmp_path}/{written}\n")
        assert cv2.imread(str(tmp_path / written)).shape == (336, 336, 3)
        again = run_cnnkit("infer", detector, photo, "--annotate", tmp_path / target, exit_code=2).stderr
        assert "is there already. Give --overwrite" in again
        run_cnnkit("infer", detector, photo, "--annotate", tmp_path / target, "--overwrite")

    def test_a_kind_of_picture_that_is_not_written(
        self, run_cnnkit: Run, detector: Path, photos: Path, tmp_path: Path
    ) -> None:
        said = run_cnnkit("infer", detector, photos / "a.png", "--annotate", tmp_path / "out.bmp", exit_code=2).stderr
        assert "pictures are written as .jpg or .png" in said

    def test_the_photo_itself_is_never_replaced(self, run_cnnkit: Run, detector: Path, photos: Path) -> None:
        before = (photos / "a.png").read_bytes()
        for target in (photos / "a.png", photos):
            words = ("infer", detector, photos / "a.png", "--annotate", target, "--overwrite")
            assert "is the photo itself" in run_cnnkit(*words, exit_code=2).stderr
        assert (photos / "a.png").read_bytes() == before


@pytest.fixture
def yolox(shared: Path) -> tuple[Any, ...]:
    model, names = shared / "models" / "yolox_nano.onnx", shared / "models" / "coco_names.txt"
    return (model, shared / "coco128" / "images", "--preset", "yolox", "--decoder", "yolox", "--labels", names)


def test_a_published_detector_to_pycocotools(
    run_cnnkit: Run, yolox: tuple[Any, ...], shared: Path, tmp_path: Path
) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    words = (*yolox, "--limit", "16", "--conf", "0.05", "--format", "coco", "-o", tmp_path / "r")
    run_cnnkit("infer", *words)
    truth, results = shared / "coco128" / "instances_train2017.json", tmp_path / "r" / "predictions.coco.json"
    ground = COCO(str(truth))
    oracle = COCOeval(ground, ground.loadRes(str(results)), "bbox")
    oracle.evaluate()
    oracle.accumulate()
    oracle.summarize()
    ours = json.loads(run_cnnkit("eval", results, truth, "--json").stdout)["figures"]["coco_AP"]["value"]
    assert ours == pytest.approx(oracle.stats[0], abs=1e-12)
    assert ours > 0.02
    by_name = read_coco_results(results, read_boxes(truth))
    assert {entry["category_id"] for entry in json.loads(results.read_text())} >= {1, 3}
    assert by_name.n_ignored == 0
