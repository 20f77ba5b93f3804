"""A float model becomes an int8 one, if it is as good: calibrate, choose what stays float, decide, measure, write."""

import random
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Unpack

from pydantic import BaseModel, ConfigDict

from cnnkit import __version__, data, graphs, pipeline, runtime
from cnnkit.errors import CheckFailed, DataError, ModelError, UsageError
from cnnkit.pipeline import Model, SpecOptions
from cnnkit.quantization import _graph
from cnnkit.quantization._calibration import Feed, Method, measure_ranges
from cnnkit.quantization._choice import Choice, Watched, choose_float
from cnnkit.quantization._gate import Decision, decide_by_changes, decide_by_labels
from cnnkit.quantization._gate_boxes import LabelledBoxes, decide_by_boxes, read_labelled_boxes
from cnnkit.quantization._speed import Speed, measure_speed
from cnnkit.records import Sample
from cnnkit.spec import METADATA_KEY, DetectionOutput, ModelSpec

CALIBRATION_IMAGES = 300
CHOICE_IMAGES = 8  # enough to rank nodes by error; each costs a run for each node
COLUMNS = {"ultralytics": 1, "fastestdet": 1, "yolox": 2, "yolov5": 2}  # decoder -> the axis of box, score and classes
HELD_OUT_SHARE = 3  # where the images are few, one in three is held out for the decision

Say = Callable[[str], None]
Progress = Callable[[int, int], None]


class Quantization(BaseModel):
    """What was done and what it cost; goes into the spec's provenance. Truthy when the gate let it pass.

    `error` is |int8 - float| / |float| over the outputs of a few calibration images, `error_all_int8` the same had no
    node stayed float. `size_bytes` is None until the file is there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source_sha256: str
    method: Method
    n_calibration: int
    keep_float: tuple[str, ...]
    error: float
    error_all_int8: float
    decision: Decision
    speed: Speed
    size_bytes: int | None = None
    source_size_bytes: int
    accepted_undecided: bool = False

    def __bool__(self) -> bool:
        return self.decision.passed is True or self.accepted_undecided


def quantize(
    model: Path | str,
    output: Path | str | None = None,
    *,
    calib: Path | str,
    labelled: Path | str | None = None,
    max_drop: float = 1.0,
    method: Method = "minmax",
    samples: int = CALIBRATION_IMAGES,
    seed: int = 0,
    reduce_range: bool = False,
    accept_undecided: bool = False,
    class_map: Path | None = None,
    split: str | None = None,
    overwrite: bool = False,
    say: Say = lambda sentence: None,
    progress: Progress = lambda done, total: None,
    **options: Unpack[SpecOptions],
) -> Quantization:
    """Write an int8 copy of a model, unless it may be worse by more than `max_drop` percentage points.

    Args:
        model: a float .onnx file.
        output: MODEL-int8.onnx beside it unless given.
        calib: a folder of images like those that will be run; labels are not looked at.
        labelled: a labelled folder for the gate, of a detector labelled boxes; without it a classifier's drop is
            bounded by the share of changed decisions on images of `calib` that calibration did not see.
        max_drop: what the upper end of the 95 % interval of the drop in top-1 accuracy, of a detector in coco_AP, may
            be, in points.
        method: how ranges are taken from what tensors hold: minmax, entropy or percentile.
        samples: how many images calibrate.
        seed: of the draw of those images.
        reduce_range: 7-bit weights, whose sums cannot saturate on CPUs without VNNI.
        accept_undecided: write the file although the images are too few to decide; recorded in it.
        class_map: a file that gives the folders of `labelled` their class names.
        split: the part of `labelled`.
        overwrite: replace a file that is there.
        say: told what happens, in sentences.
        progress: told (nodes or groups tried, about how many there are) while what stays float is chosen.
        options: those of `pipeline.open_model`.

    Raises:
        CheckFailed: the drop is too large, or these images cannot decide; nothing is written. It carries the record.
        ModelError: not a float model. DataError: no readable image. UsageError: `output` is there already, a
            detector without `labelled`.
    """
    path = Path(model)
    target = Path(output) if output is not None else path.with_name(f"{path.stem}-int8.onnx")
    if target.exists() and not overwrite:
        raise UsageError(f"{target} exists. Give another -o, or --overwrite to replace it.")
    if not 0 <= max_drop < 100:
        raise UsageError(f"max_drop is {max_drop}: percentage points from 0 to below 100 were expected.")
    opened = pipeline.open_model(path, device="cpu", **options)
    _check_float(opened)
    where = None if labelled is None else Path(labelled)
    boxes = _labelled_boxes(opened, where, class_map=class_map, split=split)
    calibration, held_out = _divided(Path(calib), samples, seed, has_labels=labelled is not None)
    say(f"Calibrating on {len(calibration)} images ({method}).")
    with tempfile.TemporaryDirectory() as folder:
        made = _make(opened, calibration, Path(folder), method, reduce_range, progress)
    say(f"{_choice_sentence(made.choice)}.")
    int8 = replace(opened, session=runtime.open_session(made.content, device="cpu"))
    if boxes is not None:
        decision = decide_by_boxes(opened, int8, boxes, max_drop=max_drop, conf=options.get("conf"))
    elif where is not None:
        decision = decide_by_labels(opened, int8, where, max_drop=max_drop, class_map=class_map, split=split)
    else:
        decision = decide_by_changes(opened, int8, held_out, max_drop=max_drop)
    done = Quantization(
        source_sha256=opened.sha256,
        method=method,
        n_calibration=len(calibration),
        keep_float=made.choice.keep_float,
        error=made.choice.error,
        error_all_int8=made.choice.error_all_int8,
        decision=decision,
        speed=measure_speed(opened.session, int8.session, made.feeds),
        source_size_bytes=path.stat().st_size,
        accepted_undecided=accept_undecided and decision.passed is None,
    )
    return _finished(done, made.content, target, opened.spec, say)


def _finished(done: Quantization, content: bytes, target: Path, spec: ModelSpec, say: Say) -> Quantization:
    for sentence in done.speed.sentences():
        say(f"{sentence[0].upper()}{sentence[1:]}.")
    if not done:
        way_out = " --accept-undecided writes it all the same." if done.decision.passed is None else ""
        raise CheckFailed(f"{target} was not written: {done.decision.sentence()}.{way_out}", done)
    _write(content, target, spec, done)
    size = target.stat().st_size
    say(f"The gate: {done.decision.sentence()}.")
    say(f"{target}: {size:,} bytes; the float file has {done.source_size_bytes:,}.")
    return done.model_copy(update={"size_bytes": size})


@dataclass(frozen=True)
class _Made:
    content: bytes
    choice: Choice
    feeds: list[Feed]


def _make(
    opened: Model, calibration: Sequence[Sample], folder: Path, method: Method, reduce_range: bool, progress: Progress
) -> _Made:
    prepared = _graph.prepare(opened.path, folder)
    ranges = measure_ranges(prepared, _feeds(opened, calibration), method=method)
    few = list(islice(_feeds(opened, calibration), CHOICE_IMAGES))
    choice = choose_float(prepared, ranges, few, watched=_watched(opened.spec), progress=progress)
    content = _graph.quantized(prepared, ranges, keep_float=choice.keep_float, reduce_range=reduce_range)
    return _Made(content, choice, few)


def _check_float(opened: Model) -> None:
    size = graphs.size_of(opened.path)
    if not graphs.fits_in_one_file(size):
        raise ModelError(
            f"{opened.path}: takes {size / 2**30:.1f} GiB, and what is above 2 cannot be quantised: the quantiser "
            "works on the whole graph in one message. fp16 can be had (`cnnkit export --precision fp16`)."
        )
    present = {layer.op for layer in graphs.layer_table(opened.path)}
    quantised = sorted(present & {"QuantizeLinear", "DynamicQuantizeLinear", "QLinearConv", "ConvInteger"})
    if quantised:
        raise ModelError(f"{opened.path}: is quantised already: it holds {', '.join(quantised)}. Give the float file.")
    if opened.spec.input.dtype != "float32":
        fused = " Quantise it before --fuse." if opened.spec.input.any_size else ""
        raise ModelError(f"{opened.path}: takes {opened.spec.input.dtype}; a float32 file was expected.{fused}")


def _labelled_boxes(
    opened: Model, labelled: Path | None, *, class_map: Path | None, split: str | None
) -> LabelledBoxes | None:
    if opened.spec.task != "detection":
        return None
    return read_labelled_boxes(opened, labelled, class_map=class_map, split=split)


def _watched(spec: ModelSpec) -> Watched:
    """A classifier's scores as one; a detector's boxes and scores apart, since their sizes differ."""
    output = spec.output
    if not isinstance(output, DetectionOutput):
        return Watched((output.name,))
    if output.decoder == "detr" and output.scores:
        return Watched((output.name, output.scores))
    return Watched((output.name,), axis=COLUMNS.get(output.decoder))


def _divided(calib: Path, samples: int, seed: int, *, has_labels: bool) -> tuple[list[Sample], list[Sample]]:
    """Images that calibrate, and others that do not, drawn by `seed`."""
    listing = data.find_images(calib)
    order = list(range(len(listing)))
    random.Random(seed).shuffle(order)
    if not has_labels:
        samples = min(samples, len(order) - len(order) // HELD_OUT_SHARE)
    chosen = [listing[at] for at in sorted(order[:samples])]
    rest = [listing[at] for at in sorted(order[samples:])]
    if not chosen or (not has_labels and not rest):
        raise DataError(f"{calib}: {len(listing)} images are too few to calibrate and to decide on. Give more.")
    return chosen, rest


def _feeds(opened: Model, samples: Sequence[Sample]) -> Iterator[Feed]:
    for _, array in pipeline.prepared(opened.spec, samples):
        yield {opened.spec.input.name: array}


def _choice_sentence(choice: Choice) -> str:
    if not choice.keep_float:
        return f"all weights in int8; relative error of the outputs {choice.error:.2g}"
    kept = ", ".join(choice.keep_float)
    return f"{kept} stay float: relative error of the outputs {choice.error:.2g}, {choice.error_all_int8:.2g} without"


def _write(content: bytes, target: Path, spec: ModelSpec, done: Quantization) -> None:
    provenance = spec.provenance | {
        "quantized_by": f"cnnkit {__version__}",
        "quantization": done.model_dump(mode="json", exclude_none=True),
    }
    changed = spec.model_copy(update={"provenance": provenance, "verification": {}})
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "int8.onnx"
        bare.write_bytes(content)
        graphs.write_metadata(bare, target, {METADATA_KEY: changed.to_json()})
