"""What was asked must fit the kind of model: nothing that was typed is passed over."""

from pathlib import Path

from cnnkit.errors import UsageError
from cnnkit.evaluation._gates import refuse_other_figures
from cnnkit.evaluation._scored import Asked


def refuse_place(output: Path | None, data: Path) -> None:
    """UsageError where results cannot lie, or would lie among the images."""
    if output is not None and output.is_file():
        raise UsageError(f"{output}: is a file, and -o names the folder of the results. Give another -o.")
    if output is not None and output.resolve() == data.resolve():
        raise UsageError(f"{output}: holds the data; the results would lie among the images. Give another -o.")


def refuse_what_does_not_fit(asked: Asked, task: str) -> None:
    """UsageError for options that are about boxes where classes are scored, and the other way round.

    And for `asked.figures` that nothing of the kind has.
    """
    refuse_other_figures(asked.figures, task)
    boxes = {
        "--protocol": asked.protocol is not None,
        "--table": asked.tables,
        "--ignore-unknown-images": asked.ignore_unknown_images,
        "--max-detections": asked.max_detections is not None,
    }
    classes = {
        "--topk": bool(asked.topk),
        "--multilabel": asked.multilabel,
        "--threshold": asked.threshold is not None,
        "--label-health": asked.label_health,
        "--trained-on": bool(asked.trained_on),
    }
    wrong = [name for name, given in (classes if task == "detection" else boxes).items() if given]
    if wrong:
        kinds = ("classifiers", "a detector") if task == "detection" else ("detectors", "a classifier")
        verb = "is" if len(wrong) == 1 else "are"
        raise UsageError(f"{', '.join(wrong)} {verb} for {kinds[0]}; this is {kinds[1]}.")
    if asked.threshold is not None and not asked.multilabel:
        raise UsageError("--threshold is for --multilabel: of one label an image the best score decides.")
    if asked.topk and asked.multilabel:
        raise UsageError(
            "--topk is for one label an image; with --multilabel --threshold decides what counts as given."
        )
    if asked.multilabel:
        truth_of_sets(asked)


def truth_of_sets(asked: Asked) -> Path:
    """The file that names the labels of each image; UsageError without one, before a model is run."""
    if asked.truth is None:
        raise UsageError("several labels an image need a file that names them: --truth FILE, CSV or JSON.")
    return asked.truth


def refuse_what_is_for_files(asked: Asked) -> None:
    """UsageError for what is about a file of detections where a detector's run is scored."""
    if asked.ignore_unknown_images:
        raise UsageError(
            "--ignore-unknown-images is for a file of detections: of a run, images without labels are left out anyway."
        )
