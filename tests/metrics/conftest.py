"""Boxes at random, and COCO's own evaluator."""

import contextlib
import io

import numpy as np
import pytest

from cnnkit.metrics import FoundBoxes, TrueBoxes


@pytest.fixture(scope="session")
def crowded_boxes():
    """crowded_boxes(seed) draws few images full of boxes on a grid: equal overlaps and scores, crowds, odd areas."""

    def draw(seed):
        random = np.random.default_rng(seed)
        n_images, n_classes = random.integers(1, 5), random.integers(1, 4)
        step = random.choice([1.0, 8.0, 0.37])

        def some(n):
            sides = [random.integers(0, 12, (n, 2)), random.integers(0, 14, (n, 2))]
            boxes = np.concatenate(sides, axis=1) * step
            category = random.integers(0, n_classes, n)
            return {"image": random.integers(0, n_images, n), "category": category, "boxes": boxes}

        n, m = random.integers(0, 26), random.integers(0, 61)
        truth = some(n)
        area = np.where(random.random(n) < 0.5, 1024.0, truth["boxes"][:, 2] * truth["boxes"][:, 3])
        scores = np.round(random.random(m), random.integers(0, 3))
        return (
            TrueBoxes(
                n_images=int(n_images), n_classes=int(n_classes), **truth, area=area, crowd=random.random(n) < 0.2
            ),
            FoundBoxes(**some(m), scores=scores),
        )

    return draw


@pytest.fixture(scope="session")
def pycocotools_run():
    """pycocotools_run(truth, found, limits) is pycocotools' evaluator after its run."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def records(boxes, **columns):
        fields = {name: np.asarray(column).tolist() for name, column in columns.items()}
        return [
            {
                "id": at + 1,
                "image_id": int(boxes.image[at]) + 1,
                "category_id": int(boxes.category[at]) + 1,
                "bbox": boxes.xywh[at].tolist(),
                **{name: column[at] for name, column in fields.items()},
            }
            for at in range(len(boxes))
        ]

    def run(truth, found, limits):
        ground, detected = COCO(), COCO()
        shared = {
            "images": [{"id": at + 1} for at in range(truth.n_images)],
            "categories": [{"id": at + 1, "name": str(at)} for at in range(truth.n_classes)],
        }
        objects = records(truth, area=truth.area, iscrowd=truth.crowd.astype(int))
        area = found.xywh[:, 2] * found.xywh[:, 3]
        detections = records(found, area=area, score=found.scores, iscrowd=np.zeros(len(found), int))
        ground.dataset, detected.dataset = {**shared, "annotations": objects}, {**shared, "annotations": detections}
        with contextlib.redirect_stdout(io.StringIO()):
            ground.createIndex()
            detected.createIndex()
            evaluator = COCOeval(ground, detected, "bbox")
            evaluator.params.maxDets = list(limits)
            evaluator.evaluate()
            evaluator.accumulate()
            if len(limits) == 3:
                evaluator.summarize()
        return evaluator

    return run
