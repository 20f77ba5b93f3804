"""May the int8 file take the float one's place? Decided by an interval, not by a difference."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from cnnkit import data, metrics
from cnnkit.errors import DataError
from cnnkit.pipeline import Model
from cnnkit.records import Classification, Sample

UNREAD = -1


class Decision(BaseModel):
    """`passed`: True, False, or None where these images cannot tell. Drops are shares of images, `max_drop` too.

    With labels `drop` is the float model's `measure` minus that of the int8 one and `high` the upper end of its paired
    95 % interval. Without, `drop` is the share of changed decisions and `high` the upper end of its Wilson interval:
    no drop in accuracy can be larger than that. `changed` counts images with another best class; of a detector, with
    other numbers of boxes of a class from the model's own confidence on.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    basis: str
    measure: Literal["top1_accuracy", "coco_AP"] = "top1_accuracy"
    n: int
    changed: int
    drop: float
    low: float
    high: float
    max_drop: float
    images_needed: int | None = None

    @property
    def passed(self) -> bool | None:
        if self.high <= self.max_drop:
            return True
        return False if self.low > self.max_drop else None

    def sentence(self) -> str:
        named = {"top1_accuracy": "top-1 accuracy", "coco_AP": "coco_AP"}[self.measure]
        what = f"the share of changed decisions is {_points(self.drop)} (95 % interval"
        if self.basis == "labels":
            verb = "rises" if self.drop < 0 else "drops"
            what = (
                f"{named} {verb} by {_points(abs(self.drop))} (95 % interval{' of the drop' if self.drop < 0 else ''}"
            )
        limits = f"{_points(self.low)} to {_points(self.high)}), {_points(self.max_drop)} may be lost"
        found = f"on {self.n} images {what} {limits}"
        if self.passed:
            return f"{found}: passed"
        if self.passed is False:
            return f"{found}: too much{self._way_out()}"
        needed = f"; about {self.images_needed:,} images would" if self.images_needed else ""
        return f"{found}: these images cannot decide it{needed}{self._way_out()}"

    def _way_out(self) -> str:
        """Changed decisions bound the drop from above; labels tell it."""
        return "" if self.basis == "labels" else "; with labels, --data DIR, the drop itself is told, which is smaller"


def decide_by_labels(
    float_model: Model, int8_model: Model, labelled: Path, *, max_drop: float, class_map: Path | None, split: str | None
) -> Decision:
    """Both models on the same labelled images; `max_drop` in points. DataError where none can be read."""
    mapping = data.read_class_map(class_map) if class_map else None
    truth = data.read_truth(labelled, classes=float_model.spec.classes, class_map=mapping, split=split)
    samples = [sample for sample in data.find_images(truth.root) if sample.key in truth.labels]
    labels = np.array([truth.labels[sample.key] for sample in samples])
    before, after, read = _answers(float_model, int8_model, samples, labelled)
    right_before, right_after = (before == labels)[read], (after == labels)[read]
    lost, won = int((right_before & ~right_after).sum()), int((~right_before & right_after).sum())
    n = int(read.sum())
    low, high = metrics.paired_difference(lost, won, n)
    return Decision(
        basis="labels",
        n=n,
        changed=int((before != after)[read].sum()),
        drop=(lost - won) / n,
        low=low,
        high=high,
        max_drop=max_drop / 100,
        images_needed=metrics.images_to_decide(lost, won, n, margin=max_drop / 100),
    )


def decide_by_changes(
    float_model: Model, int8_model: Model, held_out: Sequence[Sample], *, max_drop: float
) -> Decision:
    """Without labels: accuracy cannot drop by more than the share of decisions that change."""
    before, after, read = _answers(float_model, int8_model, held_out, Path("the held-out images"))
    n, changed = int(read.sum()), int((before != after)[read].sum())
    low, high = metrics.wilson(changed, n)
    return Decision(
        basis="changed decisions",
        n=n,
        changed=changed,
        drop=changed / n,
        low=low,
        high=high,
        max_drop=max_drop / 100,
        images_needed=metrics.images_to_bound(changed, n, max_drop / 100) if max_drop else None,
    )


def _answers(
    float_model: Model, int8_model: Model, samples: Sequence[Sample], where: Path
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """The best class of each sample by both models, and which samples could be read."""
    before, after = (_best(model, samples) for model in (float_model, int8_model))
    read = (before != UNREAD) & (after != UNREAD)
    if not read.any():
        raise DataError(f"{where}: none of {len(samples)} images can be read, so nothing can be decided.")
    return before, after, read


def _best(model: Model, samples: Sequence[Sample]) -> NDArray[np.int64]:
    rows = model.rows(samples, topk=1)
    return np.array(
        [int(row.prediction.top_ids[0]) if isinstance(row.prediction, Classification) else UNREAD for row in rows]
    )


def _points(share: float) -> str:
    return f"{100 * share:.2f} points"
