"""Two published detectors on 128 photos of COCO, at the figures that their authors' own tools give."""

import json

import numpy as np
import pytest

from cnnkit.images import Preprocess, decode, preset
from cnnkit.metrics import FoundBoxes, TrueBoxes, coco_scores, tie_order
from cnnkit.postprocess import build_decoder
from cnnkit.runtime import open_session
from cnnkit.spec import ClassName, DetectionOutput, ModelInput, ModelSpec, Rescale, Resize


def yolox():
    channels, operations = preset("yolox", size=(416, 416), task="detection")
    return "yolox_nano.onnx", (416, 416), channels, operations, {"decoder": "yolox", "conf": 0.01, "iou": 0.65}


def fastestdet():
    operations = (
        Resize(size=(352, 352), mode="exact", filter="linear", implementation="opencv"),
        Rescale(scale=1 / 255),
    )
    return "fastestdet.onnx", (352, 352), "BGR", operations, {"decoder": "fastestdet", "conf": 0.001, "iou": 0.45}


def score(shared, detector, *, images):
    """COCO's figures on the first `images` photos."""
    file, size, channels, operations, reading = detector()
    session = open_session(shared / "models" / file)
    names = (shared / "models" / "coco_names.txt").read_text().split("\n")
    spec = ModelSpec(
        task="detection",
        input=ModelInput(name=session.inputs[0].name, channels=channels, size=size),
        preprocess=tuple(operations),
        output=DetectionOutput(name=session.outputs[0].name, **reading),
        classes=tuple(ClassName(name=name) for name in names if name),
    )
    ground = json.loads((shared / "coco128" / "instances_train2017.json").read_text())
    photos = sorted(ground["images"], key=lambda image: image["id"])[:images]
    preprocess, read = Preprocess(spec), build_decoder(spec)
    columns = []
    for at, photo in enumerate(photos):
        pixels = decode((shared / "coco128" / "images" / photo["file_name"]).read_bytes())
        values, geometry = preprocess(pixels)
        [found] = read(session.run({spec.input.name: values[None]}), [geometry])
        boxes = found.boxes.astype(np.float64)
        columns.append((np.full(len(boxes), at), found.classes, boxes, found.scores))
    image, category, boxes, scores = (np.concatenate(column) for column in zip(*columns, strict=True))
    boxes[:, 2:] -= boxes[:, :2]
    found = FoundBoxes(image=image, category=category, boxes=boxes, scores=scores)
    return coco_scores(truth(ground, photos), found).figures()


def truth(ground, photos):
    ids = [photo["id"] for photo in photos]
    places = dict(zip(ids, tie_order(ids).tolist(), strict=True))
    classes = {category_id: at for at, category_id in enumerate(sorted(c["id"] for c in ground["categories"]))}
    objects = [entry for entry in ground["annotations"] if entry["image_id"] in places]
    return TrueBoxes(
        n_images=len(ids),
        n_classes=len(classes),
        image=[places[entry["image_id"]] for entry in objects],
        category=[classes[entry["category_id"]] for entry in objects],
        boxes=[entry["bbox"] for entry in objects],
        area=[entry["area"] for entry in objects],
        crowd=[entry["iscrowd"] for entry in objects],
    )


def test_detectors_find_things_in_a_few_photos(shared):
    assert score(shared, yolox, images=12)["AP50"] > 0.45
    assert score(shared, fastestdet, images=12)["AP50"] > 0.3


@pytest.mark.slow
def test_yolox_has_its_published_figures(shared):
    figures = score(shared, yolox, images=128)
    assert figures["AP"] == pytest.approx(0.339, abs=0.002)
    assert figures["AP50"] == pytest.approx(0.521, abs=0.002)


@pytest.mark.slow
def test_fastestdet_has_its_published_figures(shared):
    figures = score(shared, fastestdet, images=128)
    assert figures["AP"] == pytest.approx(0.20, abs=0.02)
    assert figures["AP50"] == pytest.approx(0.34, abs=0.02)
