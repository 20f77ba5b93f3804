"""The training job: a folder of class folders becomes a checkpoint."""

import platform
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from cnnkit import checkpoints, data, models
from cnnkit.data import Labelled
from cnnkit.errors import DeviceError, UsageError
from cnnkit.runtime import available_cores
from cnnkit.spec import ModelSpec, Rescale
from cnnkit.training._loop import Fit, score, train_epoch
from cnnkit.training._pixels import Pictures, load
from cnnkit.training._recipe import Recipe, recipe_for
from cnnkit.training._record import DataRecord, EpochRecord, TrainingRecord, record_path, write_record
from cnnkit.training._spec import draft_spec, learns_values, network_arguments, with_values
from cnnkit.training._values import Values, mean_and_std

__all__ = ["train"]


def _no_report(done: int, total: int) -> None: ...


def train(
    source: Path,
    output: Path,
    *,
    net: str,
    device: str = "auto",
    workers: int | None = None,
    overwrite: bool = False,
    progress: Callable[[int, int], None] = _no_report,
    on_epoch: Callable[[EpochRecord], None] = lambda epoch: None,
    say: Callable[[str], None] = lambda message: None,
    **settings: Any,
) -> TrainingRecord:
    """Train a network of `cnnkit.models` on class folders and write its checkpoint.

    Reads the part `train` of `source` and scores each epoch on `val` when it is there; without parts it reads all.
    `settings` are the fields of `Recipe`; None means the network's own. The same recipe, images and machine give the
    same weights. `progress(done, total)` counts images over all epochs.

    Raises:
        UsageError: a setting that is unknown or out of range; an `output` that exists without `overwrite`.
        DataError: no class folders, no readable image.
        DeviceError: a device that this machine does not have.
    """
    recipe = recipe_for(net, **settings)
    where = _device(device)
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists. Give another -o, or --overwrite to replace it.")
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        job = _prepare(Path(source), recipe, where, workers or available_cores().count, say)
        record = _run(job, progress, on_epoch)
    write_record(output, record)
    checkpoints.save_checkpoint(output, _checkpoint(job, record))
    say(f"{output}: the checkpoint; {record_path(output)}: the training record.")
    return record


@dataclass(frozen=True)
class _Job:
    recipe: Recipe
    spec: ModelSpec
    network: nn.Module
    device: torch.device
    training: Pictures
    validation: Pictures | None
    record: TrainingRecord


def _prepare(source: Path, recipe: Recipe, device: torch.device, workers: int, say: Callable[[str], None]) -> _Job:
    part, held_out, notes = _parts(source, recipe)
    spec = draft_spec(recipe, part.classes)
    training = load(part, spec, workers=workers, report=_no_report)
    validation = load(held_out, spec, workers=workers, report=_no_report) if held_out else None
    if learns_values(recipe):
        spec = with_values(spec, *mean_and_std(training.levels, _scale(spec)))
    bad = {**training.bad, **(validation.bad if validation else {})}
    notes += [f"Left out, {key}: {reason}" for key, reason in bad.items()]
    for note in notes:
        say(note)
    torch.manual_seed(recipe.seed)
    network = models.create(recipe.net, len(part.classes), **network_arguments(recipe, spec)).to(device)
    record = TrainingRecord(
        recipe=recipe,
        data=_data_record(part, training, validation, bad),
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        device=str(device),
        versions={"torch": torch.__version__, "python": platform.python_version()},
        notes=notes,
    )
    return _Job(recipe, spec, network, device, training, validation, record)


def _run(job: _Job, progress: Callable[[int, int], None], on_epoch: Callable[[EpochRecord], None]) -> TrainingRecord:
    optimizer = torch.optim.Adam(job.network.parameters(), lr=job.recipe.lr)
    fit = Fit(job.network, optimizer, Values(job.spec, job.device), job.device, job.recipe.batch_size)
    epochs: list[EpochRecord] = []
    total, done = job.recipe.epochs * len(job.training), 0

    def step(n: int) -> None:
        nonlocal done
        done += n
        progress(done, total)

    for epoch in range(1, job.recipe.epochs + 1):
        began = time.monotonic()
        loss, accuracy = train_epoch(fit, job.training, seed=job.recipe.seed, epoch=epoch, step=step)
        held_out = score(fit, job.validation) if job.validation else (None, None)
        epochs.append(
            EpochRecord(
                epoch=epoch,
                lr=job.recipe.lr,
                train_loss=loss,
                train_accuracy=accuracy,
                val_loss=held_out[0],
                val_accuracy=held_out[1],
                seconds=time.monotonic() - began,
            )
        )
        on_epoch(epochs[-1])
    return job.record.model_copy(update={"epochs": epochs, "kept_epoch": epochs[-1].epoch})


def _parts(source: Path, recipe: Recipe) -> tuple[Labelled, Labelled | None, list[str]]:
    found = data.find_part(source, prefer=("train",))
    part = data.class_folders(found.root)
    beside = data.find_parts(source).get("val") if found.name else None
    if beside is not None:
        held_out = data.class_folders(beside, classes=part.classes)
        return part, held_out, [*found.notes, *part.notes, *held_out.notes]
    if recipe.holdout:
        return *_hold_out(part, recipe), [*found.notes, *part.notes]
    alone = f"{source}: no val part, so all {len(part.labels)} images are learned from and none is held out."
    return part, None, [*found.notes, *part.notes, f"{alone} --holdout 0.2 keeps a fifth back to score each epoch."]


def _hold_out(part: Labelled, recipe: Recipe) -> tuple[Labelled, Labelled]:
    """A seeded share of each class, at least one image of a class that has two."""
    generator = np.random.default_rng((recipe.seed, 2))
    chosen = np.zeros(len(part.labels), dtype=bool)
    for label in range(len(part.classes)):
        members = np.flatnonzero(part.labels == label)
        n = min(max(1, round(recipe.holdout * len(members))), len(members) - 1)
        chosen[generator.permutation(members)[: max(n, 0)]] = True
    return _take(part, ~chosen), _take(part, chosen)


def _take(part: Labelled, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> Labelled:
    positions = np.flatnonzero(chosen)
    return Labelled(part.listing.take(positions.tolist()), part.labels[positions], part.classes, part.notes)


def _data_record(part: Labelled, training: Pictures, validation: Pictures | None, bad: dict[str, str]) -> DataRecord:
    counted = Counter(training.labels.tolist())
    return DataRecord(
        root=str(part.listing.root),
        n=len(training),
        n_val=len(validation) if validation else 0,
        per_class={name: counted[at] for at, name in enumerate(part.classes)},
        bad=bad,
    )


def _checkpoint(job: _Job, record: TrainingRecord) -> checkpoints.Checkpoint:
    return checkpoints.Checkpoint(
        architecture=job.recipe.net,
        arguments=network_arguments(job.recipe, job.spec),
        state_dict=job.network.state_dict(),
        classes=job.spec.names,
        spec=job.spec,
        training=record.to_dict(),
    )


def _scale(spec: ModelSpec) -> float:
    return next((op.scale for op in spec.value_operations if isinstance(op, Rescale)), 1.0)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, _ = name.partition(":")
    if kind not in ("cpu", "cuda"):
        raise UsageError(f"device {name!r} is unknown; training runs on auto, cpu or cuda[:N].")
    if kind == "cuda" and not torch.cuda.is_available():
        built = f"torch {torch.__version__} sees no CUDA device"
        raise DeviceError(f"{built}. Install a CUDA build of torch and the driver, or use --device cpu.")
    return torch.device(name)
