"""cnnkit infer: a folder of images to predictions, or one photo to its best five."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.cli._quiet import without_decoder_talk
from cnnkit.cli._typed import typed

# what is about many images, or about a folder that is written
OF_RUNS = (
    "coco_ids",
    "limit",
    "seed",
    "all_files",
    "on_error",
    "batch_size",
    "workers",
    "tune",
    "shard_size",
    "resume",
)


@click.command(cls=Verb)
@_options.model_and_data("IMAGES")
@click.option("-o", "--output", type=_options.PATH, help="The run folder.  [default: runs/MODEL-IMAGES]")
@click.option(
    "--format",
    "formats",
    multiple=True,
    type=click.Choice(["csv", "jsonl", "coco", "yolo", "voc"]),
    help="Write this too; repeatable. coco, yolo and voc are for detectors.",
)
@click.option(
    "--coco-ids", type=_options.PATH, metavar="TRUTH", help="With coco: image and class ids of this ground truth."
)
@click.option(
    "--annotate",
    type=_options.PATH,
    metavar="DIR",
    help="Draw the answers on the pictures: boxes, or a classifier's best class. Of one photo also out.jpg.",
)
@click.option("--topk", type=click.IntRange(1), help="How many best classes a row names.  [default: 5]")
@click.option("--limit", type=click.IntRange(1), help="Run only that many images, drawn with --seed.")
@_options.seed_option
@click.option("--all-files", is_flag=True, help="Know images by their content, not by their suffix.")
@click.option("--max-pixels", type=click.IntRange(1), help="Refuse larger pictures.  [default: 178956970]")
@click.option(
    "--fast-decode/--no-fast-decode",
    default=None,
    help="Decode large JPEGs at a half, a quarter or an eighth: faster, and pixels differ a little.",
)
@click.option(
    "--on-error",
    type=click.Choice(["skip", "fail"]),
    default="skip",
    show_default=True,
    help="A bad image gets a row that says why, or stops the run.",
)
@_options.batch_options
@_options.device_options
@click.option(
    "--hint",
    type=click.Choice(["throughput", "latency"]),
    default="throughput",
    show_default=True,
    help="Many images a second, or one at a time with all cores on it.",
)
@click.option("--tune", is_flag=True, help="Try a few settings of -j, --threads and -b first and take the fastest.")
@click.option("--shard-size", type=click.IntRange(1), help="Images in a part.  [default: 1024]")
@click.option("--resume", is_flag=True, help="Go on with a run that was stopped. So does the same command without it.")
@_options.overwrite_option
@_options.spec_options
@_options.progress_option
@_options.json_option
def infer_command(
    paths: tuple[Path, ...],
    model: Path | None,
    data: Path | None,
    output: Path | None,
    annotate: Path | None,
    progress: str,
    as_json: bool,
    resume: bool,
    overwrite: bool,
    **options: Any,
) -> None:
    """Run MODEL over IMAGES, a folder or one photo.

    A folder becomes a run folder: predictions as Parquet, the plan, the manifest. Stopped at any moment, the same
    command goes on where it stopped. One photo is answered here, with all cores on it unless --threads or --hint
    throughput says otherwise, and nothing is written unless -o is given.
    """
    if resume and overwrite:
        raise click.UsageError("--resume goes on, --overwrite starts anew: give one of them.")
    model, images = _options.two_paths(paths, model, data, ("MODEL", "IMAGES"))
    if images.is_file() and output is None and not options["formats"]:
        _refuse_what_runs_take(images, annotate)
        _one_photo(model, images, options, annotate, as_json=as_json, overwrite=overwrite)
        return
    _folder(model, images, output, options, annotate, progress=progress, as_json=as_json, overwrite=overwrite)


def _folder(
    model: Path,
    images: Path,
    output: Path | None,
    options: dict[str, Any],
    annotate: Path | None,
    *,
    progress: str,
    as_json: bool,
    overwrite: bool,
) -> None:
    from cnnkit import inference

    if annotate is not None:
        inference.check_pictures_folder(annotate, images)
    output = output or inference.default_output(model, images)
    if model.is_file() and images.exists():  # else the error is all there is to say
        _output.say(f"Run folder: {output}")
    with without_decoder_talk(), _stopped_politely(), _output.progress(progress, "infer") as report:
        done = inference.infer(model, images, output, overwrite=overwrite, progress=report, say=_output.say, **options)
    if not as_json:
        _output.say(_summary(done))
    if annotate is not None:
        how = {name: options[name] for name in ("all_files", "max_pixels", "workers")}
        with without_decoder_talk(), _stopped_politely(), _output.progress(progress, "annotate") as report:
            drawn = inference.annotate(done.path, images, annotate, overwrite=overwrite, progress=report, **how)
        _output.say(_pictures_summary(drawn))
    if as_json:
        facts = done.manifest.model_dump(mode="json", by_alias=True, exclude_none=True)
        _output.emit_json({"run": str(done.path), **facts})


def _pictures_summary(drawn: Any) -> str:
    parts = [f"{drawn.drawn} pictures drawn"]
    parts += [f"{drawn.present} were there"] if drawn.present else []
    parts += [f"{drawn.unread} not drawn: their files are not as they were when they were run"] if drawn.unread else []
    return f"{'; '.join(parts)}: {drawn.folder}"


def _summary(done: Any) -> str:
    counts = done.manifest.counts
    total, good = sum(counts.values()), counts.get("ok", 0)
    bad = ", ".join(f"{n} {status}" for status, n in counts.items() if status != "ok")
    lines = [f"{good} of {total} images were answered{f'; {bad}' if bad else ''}."]
    if not done.ran:
        lines.append("The run was complete before: nothing was run.")
    elif done.record and done.record.attempts:
        last = done.record.attempts[-1]
        rate = last.images / last.seconds if last.seconds else 0.0
        lines.append(f"{last.images} images in {last.seconds:.1f} s, {rate:.1f} images/s. Bound by {last.bound_by}.")
    return "\n".join([*lines, *(f"Wrote {path}" for path in (done.path, *done.exports))])


def _refuse_what_runs_take(image: Path, annotate: Path | None) -> None:
    """Options that would change nothing for one photo are wrong usage, each by its name."""
    stray = typed(*(OF_RUNS if annotate is not None else (*OF_RUNS, "overwrite")))
    if stray:
        raise click.UsageError(
            f"{image} is one photo and is answered here, where {', '.join(stray)} would change nothing. Leave that "
            f"out, or give -o FOLDER and the photo becomes a run."
        )


def _one_photo(
    model: Path, image: Path, options: dict[str, Any], annotate: Path | None, *, as_json: bool, overwrite: bool
) -> None:
    from cnnkit import inference, pipeline

    names = ("device", "providers", "precision", "allow_fallback", *_options.SPEC_NAMES)
    how = {name: options[name] for name in names if options[name] is not None}
    hint: Any = options["hint"] if typed("hint") else "latency"
    pace = inference.choose_pace(hint, workers=1, threads=options["threads"])
    opened = pipeline.open_model(model, threads=pace.threads, streams=pace.workers, **how)
    for note in opened.notes:
        _output.say(note)
    topk = options["topk"] or 5
    fast = bool(options["fast_decode"])
    answer = opened.predict(image, topk=topk, max_pixels=options["max_pixels"], fast_decode=fast)
    if as_json:
        _output.emit_json(answer.as_data(topk))
    elif opened.spec.task == "classification":
        _output.table(["class", "p"], [[name, f"{p:.4f}"] for name, p in answer.top(topk)])
    else:
        rows = [[name, f"{score:.3f}", *(f"{side:.1f}" for side in box)] for name, score, box in answer.boxes]
        _output.table(["class", "score", "x1", "y1", "x2", "y2"], rows)
    if annotate is not None:
        _output.say(f"Wrote {inference.annotate_photo(opened, image, answer.row, annotate, overwrite=overwrite)}")


@contextmanager
def _stopped_politely() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _output.say("The same command goes on where this one stopped.")
        raise
