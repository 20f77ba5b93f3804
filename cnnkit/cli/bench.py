"""`cnnkit bench`."""

from pathlib import Path
from typing import Any

import click

from cnnkit.cli import _options, _output
from cnnkit.cli._command import Verb
from cnnkit.errors import UsageError


@click.command("bench", cls=Verb)
@click.argument("paths", nargs=-1, type=_options.PATH, metavar="MODEL... [IMAGES]")
@click.option("-m", "--model", "models", type=_options.PATH, multiple=True, help="A MODEL; may be repeated.")
@click.option("--data", type=_options.PATH, help="IMAGES, if not given by position.")
@click.option("-o", "--output", type=_options.PATH, help="Draw throughput against batch and workers: FILE.svg.")
@click.option("-b", "--batch-size", type=click.IntRange(1), multiple=True, help="A batch size; may be repeated.")
@click.option("-j", "--workers", type=click.IntRange(1), multiple=True, help="A number of workers; may be repeated.")
@click.option(
    "--precision", type=click.Choice(["fp32", "bf16", "fp16", "int8"]), multiple=True, help="May be repeated."
)
@click.option("--rounds", type=click.IntRange(2), default=7, show_default=True, help="How often all is measured.")
@click.option(
    "--seconds",
    type=_options.Number(0, 3600, min_open=True),
    default=0.3,
    show_default=True,
    help="How long each setting runs in a round.",
)
@click.option("--warmup", type=click.IntRange(0), default=5, show_default=True, help="Runs that do not count.")
@click.option("--limit", type=click.IntRange(1), default=200, show_default=True, help="Images of IMAGES that are used.")
@click.option("--device", metavar="auto|cpu|cuda[:N]|openvino|tensorrt", help="Where to run.")
@click.option("--providers", help="onnxruntime providers by (partial) name, comma separated, instead of --device.")
@click.option("--allow-fallback", is_flag=True, help="Go on when the device that was asked for cannot be had.")
@_options.spec_options
@_options.json_option
@_options.progress_option
def bench_command(
    paths: tuple[Path, ...],
    models: tuple[Path, ...],
    data: Path | None,
    output: Path | None,
    as_json: bool,
    progress: str,
    precision: tuple[str, ...],
    batch_size: tuple[int, ...],
    **options: Any,
) -> None:
    """Measure latency, throughput and memory, of several files or precisions in turn.

    Latency is one image with all cores on it; throughput is the model alone, for each batch size
    and number of workers. With IMAGES the whole way from files is measured too, by stage. All
    candidates are measured in turn, round after round; ratios are to the first.
    """
    from cnnkit import benchmark

    files, images = _divided(models + paths, data)
    if output is not None and output.suffix.lower() != ".svg":
        raise UsageError(f"{output}: the picture is written as SVG. Give -o a name that ends in .svg.")
    with _output.progress(progress, "bench", unit="rounds") as report:
        found = benchmark.bench(
            files, images, precisions=precision or ("fp32",), batch_sizes=batch_size, progress=report, **options
        )
    if output is not None:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(benchmark.throughput_picture(found), encoding="utf-8")
    if as_json:
        _output.emit_json(found.to_dict())
        return
    _show(found)
    if output is not None:
        _output.say(f"Drawn: {output}")


def _divided(paths: tuple[Path, ...], data: Path | None) -> tuple[list[Path], Path | None]:
    """Files that end in .onnx are models; one other path may be the images."""
    models = [path for path in paths if path.suffix.lower() == ".onnx"]
    others = [path for path in paths if path.suffix.lower() != ".onnx"]
    if data is None and others:
        data = others.pop()
    if not models or others:
        left = f" {others[0]} is neither an .onnx file nor the one folder of images." if others else ""
        raise UsageError(f"bench takes one MODEL.onnx or more, and at most one folder of images.{left}")
    return models, data


def _show(found: Any) -> None:
    machine = found.machine
    _output.say(f"{machine.cpu}, {machine.cores} cores ({machine.cores_reason}), {machine.system}")
    quiet = "too noisy to trust these figures" if found.is_noisy else "quiet enough"
    _output.say(f"The machine was {quiet}: a fixed piece of work spread by {100 * found.noise:.0f} % of its median.")
    for note in dict.fromkeys(
        f"{candidate.model}: {note}" for candidate in found.candidates for note in candidate.notes
    ):
        _output.say(note)
    columns = ["one image at a time", "p50 ms", "p90", "p95", "p99", "load ms", "peak MiB"]
    _output.table(columns, [_latency_row(candidate) for candidate in found.candidates])
    columns = ["model alone", "batch", "workers", "images/s", "middle half"]
    _output.table(columns, [row for candidate in found.candidates for row in _cell_rows(candidate)])
    for candidate in found.candidates:
        if candidate.from_files:
            ranked = sorted(candidate.from_files.shares.items(), key=lambda item: -item[1])
            shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in ranked)
            rate = f"{candidate.from_files.images_per_s:.1f} images/s"
            _output.say(f"{candidate.label}, the whole way from files: {rate} ({shares})")
    for candidate in found.candidates[1:]:
        ratio, first = candidate.throughput_ratio, found.candidates[0].label
        spread = f"{ratio.low:.2f} to {ratio.high:.2f}"
        _output.say(f"{candidate.label}: {ratio.median:.2f} times the best throughput of {first} ({spread})")


def _latency_row(candidate: Any) -> list[str]:
    latency = candidate.latency
    times = (f"{value:.2f}" for value in (latency.p50, latency.p90, latency.p95, latency.p99))
    return [candidate.label, *times, f"{candidate.load_ms:.0f}", f"{candidate.peak_memory_bytes / 2**20:.0f}"]


def _cell_rows(candidate: Any) -> list[list[str]]:
    return [
        [
            candidate.label,
            str(cell.batch_size),
            str(cell.workers),
            f"{cell.images_per_s:.1f}",
            f"{cell.low:.1f} to {cell.high:.1f}",
        ]
        for cell in candidate.cells
    ]
