"""What is looked into beside the figures: groups of images, and the labels themselves."""

from pathlib import Path
from typing import TYPE_CHECKING

from cnnkit.errors import UsageError
from cnnkit.evaluation._label_health import with_label_health
from cnnkit.evaluation._scored import Asked
from cnnkit.evaluation._slices import with_slices
from cnnkit.results import Results

if TYPE_CHECKING:
    import pyarrow as pa


def examined(results: Results, rows: "pa.Table", keys_root: Path, output: Path | None, asked: Asked) -> Results:
    """Results with what was asked for of slices and label health.

    Raises:
        UsageError: slices or label health of a detector.
        DataError: as `data.read_attributes`.
    """
    if results.task == "detection":
        refuse_to_examine_boxes(asked)
        return results
    results = with_slices(results, rows, keys_root, asked)
    return with_label_health(results, rows, keys_root, output, asked)


def refuse_to_examine_boxes(asked: Asked) -> None:
    if asked.slices is not None or asked.slice_by:
        raise UsageError(
            "--slices and --slice-by are for classifiers: AP is no share of right images, so its slices would need "
            "other tests. Score the images of a group alone: a truth file or folder of them."
        )
    if asked.label_health or asked.trained_on is not None:
        raise UsageError("--label-health is for classifiers: it compares one label an image. Leave it out.")
