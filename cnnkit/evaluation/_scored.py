"""What a scorer is asked, and what it gives back: one scorer a kind of truth, all alike to the job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import metrics
from cnnkit.data import LabelSets, Truth
from cnnkit.evaluation._join import Joined

if TYPE_CHECKING:
    import pyarrow as pa

    from cnnkit.report import DrawnBoxes
    from cnnkit.results import Results

Progress = Callable[[int, int], None]  # (done, total)


@dataclass(frozen=True)
class Asked:
    """The caller's wishes; `class_map` is read already. From `protocol` to `details` they are about boxes.

    `threshold` is None where nobody chose one.

    `figures` are wanted by name, to be refused before anything is scored where the task has none such. `progress`
    and `say` are told of images that are read again.
    """

    data: Path
    truth: Path | None
    truth_index: bool
    split: str | None
    class_map: Mapping[str, str] | None
    topk: tuple[int, ...]
    threshold: float | None
    resamples: int
    seed: int
    multilabel: bool = False
    protocol: str | None = None
    max_detections: int | None = None
    ignore_unknown_images: bool = False
    tables: bool = False
    details: bool = True
    slices: Path | None = None
    slice_by: tuple[str, ...] = ()
    label_health: bool = False
    trained_on: Path | None = None
    figures: tuple[str, ...] = ()
    progress: Progress = lambda done, total: None
    say: Callable[[str], None] = lambda sentence: None

    @property
    def label_threshold(self) -> float:
        """From which score on a label counts as given."""
        return metrics.THRESHOLD if self.threshold is None else self.threshold

    @property
    def labels(self) -> dict[str, Any]:
        """What `data.read_truth` and `data.read_label_sets` share."""
        return {"truth_index": self.truth_index, "split": self.split, "class_map": self.class_map}


@dataclass(frozen=True)
class Scored:
    """`keys_root` is the folder that the run's keys are relative to; `measured` are fields of Results by name.

    `truth` is where the labels were found, where nobody said it. Of a detector `drawn` makes the boxes for the page,
    `sliced` adds the slices that were asked for.
    """

    rows: "pa.Table"
    keys_root: Path
    part: str | None
    fingerprint: str
    n: int
    bad: dict[str, int]
    n_unlabelled: int
    n_outside_part: int
    n_classes_scored: int
    notes: tuple[str, ...]
    measured: dict[str, Any]
    truth: Path | None = None
    drawn: "Callable[[], DrawnBoxes] | None" = None
    sliced: "Callable[[Results], Results] | None" = None


def scored(
    joined: Joined,
    truth: Truth | LabelSets,
    data: Path,
    rows: "pa.Table",
    *,
    n_classes_scored: int,
    measured: dict[str, Any],
    notes: tuple[str, ...] = (),
) -> Scored:
    """Put together what the truth and the join say with what was measured."""
    return Scored(
        rows=rows,
        keys_root=data if truth.prefix else truth.root,
        part=truth.part,
        fingerprint=joined.fingerprint,
        n=int(joined.ok.sum()),
        bad=joined.bad,
        n_unlabelled=truth.n_unlabelled,
        n_outside_part=truth.n_outside_part,
        n_classes_scored=n_classes_scored,
        notes=(*truth.notes, *notes),
        measured=measured,
    )
