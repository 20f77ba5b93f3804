"""COCO's average precision and recall, by hotcoco: pycocotools' figures to the last bit, and fast."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import MachineError
from cnnkit.metrics.detection import FoundBoxes, TrueBoxes, check_pair

__all__ = ["MAX_DETECTIONS", "SIZES", "CocoScores", "coco_engine", "coco_scores"]

MAX_DETECTIONS = (1, 10, 100)
SIZES = ("all", "s", "m", "l")  # area in [0, 1e10], [0, 32^2], [32^2, 96^2], [96^2, 1e10], both ends inside


@dataclass(frozen=True)
class CocoScores:
    """What COCO's evaluator found. Where a class, size or limit has no object, a figure is None.

    Args:
        precision: (T, R, K, A, M): at IoU threshold, recall level, class, size and limit of detections, -1 where there
            is no object. Interpolated: the best precision at this recall or beyond.
        recall: (T, K, A, M): the highest recall reached.
        scores: (T, R, K, A, M): the score at which that precision is had.
        iou_thresholds: (T,) 0.5 to 0.95, as `linspace` makes them: the ninth is 0.8999999999999999.
        recall_levels: (R,) linspace(0, 1, 101) in float64.
        max_detections: (M,) the limits, for each image and class.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    scores: NDArray[np.float64]
    iou_thresholds: NDArray[np.float64]
    recall_levels: NDArray[np.float64]
    max_detections: tuple[int, ...]

    def figures(self, category: int | None = None) -> dict[str, float | None]:
        """The twelve numbers: AP AP50 AP75 APs APm APl at the last limit, AR at each limit, ARs ARm ARl at the last.

        `category` takes those of one class; otherwise they are means over the classes that have an object.
        """
        classes = slice(None) if category is None else slice(category, category + 1)
        last = self.max_detections[-1]
        figures = {"AP": self.ap(classes)}
        figures |= {f"AP{round(100 * iou)}": self.ap(classes, iou=iou) for iou in (0.5, 0.75)}
        figures |= {f"AP{size}": self.ap(classes, size=size) for size in SIZES[1:]}
        figures |= {f"AR{limit}": self.ar(classes, limit=limit) for limit in self.max_detections}
        return figures | {f"AR{size}": self.ar(classes, size=size, limit=last) for size in SIZES[1:]}

    def ap(
        self, classes: slice = slice(None), *, iou: float | None = None, size: str = "all", limit: int | None = None
    ) -> float | None:
        """Mean precision over recall levels, classes with an object, and IoU thresholds or the one nearest `iou`."""
        chosen = self.precision[self._thresholds(iou), :, classes, SIZES.index(size), self._limit(limit)]
        return _mean_of_defined(chosen)

    def ar(
        self, classes: slice = slice(None), *, iou: float | None = None, size: str = "all", limit: int | None = None
    ) -> float | None:
        """Mean of the highest recalls, as `ap`."""
        return _mean_of_defined(self.recall[self._thresholds(iou), classes, SIZES.index(size), self._limit(limit)])

    def by_iou(self, category: int | None = None) -> list[float | None]:
        """AP at each of `iou_thresholds`."""
        classes = slice(None) if category is None else slice(category, category + 1)
        return [self.ap(classes, iou=iou) for iou in self.iou_thresholds.tolist()]

    def _thresholds(self, iou: float | None) -> slice:
        if iou is None:
            return slice(None)
        at = int(np.abs(self.iou_thresholds - iou).argmin())  # never by equality: 0.9 is not among them
        return slice(at, at + 1)

    def _limit(self, limit: int | None) -> int:
        return self.max_detections.index(self.max_detections[-1] if limit is None else limit)


def coco_scores(truth: TrueBoxes, found: FoundBoxes, *, max_detections: Sequence[int] = MAX_DETECTIONS) -> CocoScores:
    """Score detections as COCO does.

    In each image and class, by falling score and up to the last limit, a detection takes the free object that it
    overlaps most, at or above the IoU threshold; of equal overlaps the last object. Crowds are taken only when no
    object is left, by any number of detections, by the share of the detection inside; such detections do not count.
    Precision over recall is made monotone and read at 101 recalls.

    Args:
        truth: objects; corners are taken as x - 1, y - 1, width, height.
        found: detections; their area is width x height.
        max_detections: limits for each image and class, ascending.

    Returns:
        `CocoScores`. No detection at all gives 0, no object at all None.

    Raises:
        ValueError: detections in images or of classes that the truth does not have; limits that do not ascend.
        MachineError: hotcoco is not installed.

    Reference: Lin et al. 2014, arXiv:1405.0312, and pycocotools' COCOeval.
    """
    evaluator = coco_engine(truth, found, max_detections=max_detections)
    result = evaluator.eval
    return CocoScores(
        precision=result["precision"],
        recall=result["recall"],
        scores=result["scores"],
        iou_thresholds=np.asarray(evaluator.params.iou_thrs),
        recall_levels=np.asarray(evaluator.params.rec_thrs),
        max_detections=tuple(max_detections),
    )


def coco_engine(truth: TrueBoxes, found: FoundBoxes, *, max_detections: Sequence[int] = MAX_DETECTIONS) -> Any:
    """The evaluator after its run, on input that has been checked: hotcoco takes much in silence."""
    check_pair(truth, found)
    limits = list(max_detections)
    if not limits or min(limits) < 1 or limits != sorted(set(limits)):
        raise ValueError(f"max_detections must ascend from 1 or more, got {limits}")
    hotcoco = _hotcoco()
    ground = hotcoco.COCO.from_arrays(
        [{"id": at} for at in range(1, truth.n_images + 1)],
        [{"id": at, "name": str(at)} for at in range(1, truth.n_classes + 1)],
        truth.image + 1,  # from 1: an id of 0 means unmatched to COCO's evaluator
        truth.category + 1,
        truth.xywh,
        area=truth.area,
        iscrowd=truth.crowd,
    )
    rows = np.column_stack([found.image + 1, found.xywh, found.scores, found.category + 1]).astype(np.float64)
    evaluator = hotcoco.COCOeval(ground, ground.load_res(rows), "bbox")
    evaluator.params.max_dets = limits
    evaluator.evaluate()
    evaluator.accumulate()
    return evaluator


def _hotcoco() -> ModuleType:
    try:
        import hotcoco
    except ImportError as error:
        raise MachineError(
            f'scoring by COCO\'s rules needs hotcoco ({error}). Install: pip install "cnnkit[detection]".'
        ) from error
    module: ModuleType = hotcoco
    return module


def _mean_of_defined(values: NDArray[np.float64]) -> float | None:
    defined = values[values > -1]
    return float(defined.mean()) if defined.size else None
