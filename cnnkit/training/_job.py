"""The training job: a folder of class folders, or of labelled boxes, becomes a checkpoint."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import torch

from cnnkit import checkpoints
from cnnkit.errors import UsageError
from cnnkit.images import opencv_on_one_thread
from cnnkit.runtime import available_cores
from cnnkit.training._box_engine import PreparedBoxes
from cnnkit.training._box_parts import find_box_parts
from cnnkit.training._box_prepare import prepare_boxes
from cnnkit.training._curves import curves_path, write_curves
from cnnkit.training._device import find_device
from cnnkit.training._fitted import Fitted
from cnnkit.training._numpy_fit import NumpyFit
from cnnkit.training._parts import find_parts
from cnnkit.training._prepare import Prepared, prepare
from cnnkit.training._recipe import Recipe, recipe_for
from cnnkit.training._record import EpochRecord, TrainingRecord, record_path, versions, write_record
from cnnkit.training._spec import draft_spec
from cnnkit.training._state import drop_state, state_path
from cnnkit.training._torch_fit import TorchFit
from cnnkit.training._watch import Watch

__all__ = ["train"]


def train(
    data: Path,
    output: Path,
    *,
    net: str | None = None,
    task: Literal["classification", "detection"] | None = None,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    on_epoch: Callable[[EpochRecord, float], None] = lambda epoch, seconds_left: None,
    say: Callable[[str], None] = lambda message: None,
    **settings: Any,
) -> TrainingRecord:
    """Train a network of `cnnkit.models` on class folders or labelled boxes and write its checkpoint.

    Learns from the part `train` of `data`, or from all of it where there are no parts, and scores each epoch on the
    part `val`. `settings` are the fields of `Recipe`; None means the network's own. The same recipe, images, threads
    and machine give the same weights. A run that was broken off goes on when the same call is made again. Beside
    `model.pt` lie `model.training.json`, the record, and `model.training.svg`, its curves.

    Args:
        data: a folder of class folders, with or without parts; for detection labelled boxes that `data.open_boxes`
            knows.
        output: the checkpoint to write.
        net: a name of `models.names()`; None with the task detection is the one detector.
        task: the network's when None.
        device: auto, cpu or cuda[:N].
        workers: threads and processes that read images, and threads of a network that is large enough for them.
        overwrite: replace `output`, and start anew where a run was broken off.
        progress: called with (done, total), in images over reading and all epochs.
        on_epoch: called after each epoch with its record and the seconds that the others will take.
        say: called with what a user should know: parts, images left out, files written.
        settings: the recipe.

    Raises:
        UsageError: a setting that is unknown or out of range; `output` is there already.
        DataError: no class folders or no boxes, no image that can be read; the state of another run lies beside
            `output`.
        ModelError: weights to start from that do not fit.
        DeviceError: a device that is not there.
        CheckFailed: the loss is no longer a number.
    """
    recipe, where = recipe_for(net, task=task, **settings), find_device(device)
    data, output = Path(data), Path(output)
    _clear(output, overwrite)
    workers = workers or available_cores().count
    watch = Watch(progress, on_epoch, say)
    with opencv_on_one_thread(), torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        learn = _learn_boxes if recipe.task == "detection" else _learn_classes
        prepared, fitted = learn(data, output, recipe, where, workers=workers, watch=watch)
    record = _record(recipe, prepared, fitted, watch.notes)
    _write(output, prepared, fitted, record)
    say(f"{output}: the checkpoint; beside it {record_path(output).name} and {curves_path(output).name}.")
    return record


def _learn_classes(
    data: Path, output: Path, recipe: Recipe, where: torch.device, *, workers: int, watch: Watch
) -> tuple[Prepared, Fitted]:
    parts = find_parts(data, recipe)
    watch.say_all(parts.notes)
    spec = draft_spec(recipe, parts.training.classes)
    way: NumpyFit | TorchFit
    if recipe.engine == "numpy":
        way = NumpyFit(recipe, spec, watch=watch)
    else:
        way = TorchFit(recipe, spec, where, workers=workers, watch=watch)
    prepared = prepare(parts, spec, recipe, workers=workers, watch=watch)
    return prepared, way.fit(prepared, output)


def _learn_boxes(
    data: Path, output: Path, recipe: Recipe, where: torch.device, *, workers: int, watch: Watch
) -> tuple[PreparedBoxes, Fitted]:
    parts = find_box_parts(data, recipe)
    watch.say_all(parts.notes)
    spec = draft_spec(recipe, parts.training.classes)
    way = TorchFit(recipe, spec, where, workers=workers, watch=watch)
    prepared = prepare_boxes(parts, spec, recipe, workers=workers, watch=watch)
    return prepared, way.fit(prepared, output)


def _clear(output: Path, overwrite: bool) -> None:
    """A run that was broken off may replace the file that it was allowed to replace."""
    if overwrite:
        drop_state(output)
    elif output.exists() and not state_path(output).exists():
        raise UsageError(f"{output} exists. Give another -o, or --overwrite to replace it.")


def _record(recipe: Recipe, prepared: Prepared | PreparedBoxes, fitted: Fitted, notes: list[str]) -> TrainingRecord:
    return TrainingRecord(
        recipe=recipe,
        data=prepared.record,
        parameters=fitted.parameters,
        device=fitted.device,
        threads=fitted.threads,
        versions=versions(),
        notes=notes,
        epochs=fitted.epochs,
        kept_epoch=fitted.kept_epoch,
    )


def _write(output: Path, prepared: Prepared | PreparedBoxes, fitted: Fitted, record: TrainingRecord) -> None:
    write_record(output, record)
    write_curves(output, record)
    checkpoint = checkpoints.Checkpoint(
        architecture=record.recipe.net,
        arguments=fitted.arguments,
        state_dict=fitted.weights,
        classes=prepared.spec.names,
        spec=prepared.spec,
        training=record.to_dict(),
    )
    checkpoints.save_checkpoint(output, checkpoint)
    drop_state(output)
