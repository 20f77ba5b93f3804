"""The order of a run: find the images, hold the folder, plan, run, finish, export."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from cnnkit import predictions, runtime
from cnnkit.data import Listing
from cnnkit.errors import DataError, UsageError
from cnnkit.inference._exports import check_formats, refuse_shared_names, write_exports
from cnnkit.inference._images import default_output, list_images
from cnnkit.inference._pace import Hint, Pace, choose_pace
from cnnkit.inference._planning import Asked, decodes_fast, make_plan, open_planned
from cnnkit.inference._record import recorded, versions
from cnnkit.inference._shards import ShardRunner
from cnnkit.inference._tuning import tuned
from cnnkit.pipeline import Model, OnError, RowOptions, SpecOptions
from cnnkit.predictions import Manifest, Plan, Run, RunFolder, RunRecord

Progress = Callable[[int, int], None]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Inferred:
    """A complete run: its folder, what it holds, how it went. `ran` is False when it was complete before."""

    path: Path
    manifest: Manifest
    record: RunRecord | None
    exports: tuple[Path, ...]
    ran: bool


def infer(
    model: Path | str,
    images: Path | str,
    output: Path | str | None = None,
    *,
    batch_size: int | None = None,
    workers: int | None = None,
    device: str | None = None,
    providers: str | None = None,
    threads: int | None = None,
    allow_fallback: bool = False,
    precision: str | None = None,
    on_error: OnError = "skip",
    shard_size: int | None = None,
    topk: int | None = None,
    formats: Sequence[str] = (),
    coco_ids: Path | None = None,
    overwrite: bool = False,
    limit: int | None = None,
    seed: int = 0,
    all_files: bool = False,
    max_pixels: int | None = None,
    fast_decode: bool | None = None,
    hint: Hint = "throughput",
    tune: bool = False,
    progress: Progress | None = None,
    say: Say | None = None,
    **options: Unpack[SpecOptions],
) -> Inferred:
    """Run a model over a folder and write the predictions dataset; the same call again resumes it.

    What is None is taken from the plan of a run that was begun, else it has its default. `output` is
    runs/MODEL-DATA unless given. `hint="latency"` runs one image at a time with all cores on it; `tune` measures a
    few settings of workers, threads and batch size first. `formats` are written beside the run, see
    `write_exports`. `say` gets sentences worth reading, `progress` (done, total) images.

    Raises:
        UsageError: `tune` together with what it would choose, a format that is not for such a model.
        DataError: the folder holds another run (the differences are named), no image can be read, two images would
            have one label file, or the first bad image under on_error="fail".
        ModelError, DeviceError, MachineError: see `pipeline.open_model`.
    """
    model, images = Path(model), Path(images)
    say = say or (lambda sentence: None)
    if tune and (workers or threads or hint == "latency"):
        raise UsageError("--tune chooses workers and threads itself: leave out --workers, --threads and --hint.")
    listing = list_images(images, limit=limit, seed=seed, all_files=all_files)
    refuse_shared_names(listing, formats)
    for note in listing.notes:
        say(note)
    asked = Asked(device, providers, precision, allow_fallback, batch_size, shard_size, topk, fast_decode)
    pace = choose_pace(hint, workers=workers, threads=threads)
    with RunFolder.locked(Path(output) if output is not None else default_output(model, images)) as folder:
        if overwrite:
            folder.clear()
        if tune and folder.manifest is None:
            pace = _tuned_pace(folder, model, asked, options, listing, say, max_pixels=max_pixels)
        opened = open_planned(folder, model, asked, options, pace)
        check_formats(formats, opened.spec, coco_ids=coco_ids)
        plan = make_plan(folder, opened, listing, asked, pace)
        notes = _notes(plan, opened)
        for note in notes:
            say(note)
        runner = ShardRunner(
            folder,
            plan,
            opened,
            listing,
            workers=pace.workers,
            options=RowOptions(plan.topk, on_error, max_pixels, plan.fast_decode),
            progress=progress or (lambda done, total: None),
            say=say,
        )
        ran = folder.reopen(plan)
        if ran:
            with recorded(folder, runner, images=images, threads=pace.threads):
                runner.run()
            folder.finish(versions=versions(), notes=notes)
        run = predictions.open_run(folder.path)
        exports = write_exports(run, formats, coco_ids=coco_ids, say=say)
    return _inferred(run, exports, ran=ran)


def _tuned_pace(
    folder: RunFolder,
    model: Path,
    asked: Asked,
    options: SpecOptions,
    listing: Listing,
    say: Say,
    *,
    max_pixels: int | None,
) -> Pace:
    """The fastest pace; a batch size that was typed, or that the plan of a begun run has, stays."""
    planned = folder.plan.batch_size if folder.plan else None
    return tuned(
        lambda tried: open_planned(folder, model, asked, options, tried),
        listing,
        cores=runtime.available_cores().count,
        batch_size=asked.batch_size or planned,
        options=RowOptions(max_pixels=max_pixels, fast_decode=decodes_fast(folder, asked)),
        say=say,
    )


def _notes(plan: Plan, model: Model) -> list[str]:
    """What is worth knowing about how the answers came about; it is said and goes into the manifest."""
    reason = f"Batches of {plan.batch_size}: {plan.batch_reason}." if plan.batch_reason else None
    return [*model.notes, *filter(None, [reason, model.batch_note(plan.batch_size)])]


def _inferred(run: Run, exports: tuple[Path, ...], *, ran: bool) -> Inferred:
    assert run.manifest is not None
    if not run.manifest.counts.get("ok"):
        key, why = _first_bad(run)
        raise DataError(f"{run.path}: none of the {run.plan.n} images could be read. The first, {key}: {why}.")
    return Inferred(run.path, run.manifest, predictions.read_record(run.path), exports, ran)


def _first_bad(run: Run) -> tuple[str, str]:
    for batch in run.batches(["key", "error"]):
        if batch.num_rows:
            return batch.column("key")[0].as_py(), batch.column("error")[0].as_py()
    return "", "the list is empty"
