"""What is scored: a run folder, or a model that is first run over the data."""

import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit.data import Truth, find_part, read_truth
from cnnkit.errors import DataError, UsageError
from cnnkit.evaluation._detection_run import SCORING_CONF, pictures_of
from cnnkit.evaluation._fitting import refuse_what_does_not_fit, refuse_what_is_for_files
from cnnkit.evaluation._replacing import refuse_to_replace
from cnnkit.evaluation._scored import Asked
from cnnkit.predictions import Run, is_run, open_run

if TYPE_CHECKING:
    from cnnkit.pipeline import Model
    from cnnkit.spec import ModelSpec

RESULTS = Path("results")
N_PROBED = 64  # images that are looked up on the disk


@dataclass(frozen=True)
class Source:
    """A complete run. `model` is its file when that is at hand; a run that is not `kept` goes with the evaluation."""

    run: Run
    model: Path | None = None
    kept: bool = True


def default_output(run_or_model: Path, data: Path) -> Path:
    """`results/MODEL-DATA`, from the names of both; a run says which model made it."""
    name = open_run(run_or_model).plan.model.name if is_run(run_or_model) else run_or_model.stem
    return RESULTS / f"{_plain(name)}-{_plain(data.resolve().name)}"


def _plain(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "data"


@contextmanager
def open_source(
    run_or_model: Path,
    asked: Asked,
    output: Path | None,
    *,
    options: dict[str, Any],
    overwrite: bool,
    **heard: Callable[..., None] | None,
) -> Iterator[Source]:
    """Open the run; of a model make one first, in `output`/run or a folder that goes when the block ends.

    `heard` are inference's progress and say. DataError when `output` holds other results, unless `overwrite`.
    """
    _refuse_swapped(run_or_model, asked.data)
    if run_or_model.is_dir():
        if options:
            raise UsageError(
                f"{run_or_model} is a run: {', '.join(options)} would change nothing, since its predictions are made."
            )
        run = open_run(run_or_model)
        refuse_what_does_not_fit(asked, run.spec.task)
        refuse_what_is_for_files(asked)
        if not overwrite:
            refuse_to_replace(output, asked.data, asked.truth, name=run.plan.model.name, sha256=run.plan.model.sha256)
        yield Source(run)
        return
    if not run_or_model.exists():
        raise DataError(f"{run_or_model}: no such run folder or model.")
    model = _opened(run_or_model, options)
    spec = model.spec
    refuse_what_does_not_fit(asked, spec.task)
    refuse_what_is_for_files(asked)
    if not overwrite:
        refuse_to_replace(output, asked.data, asked.truth, name=model.name, sha256=model.sha256)
    if spec.task == "detection":
        options = {"conf": SCORING_CONF, **options}
        images = pictures_of(asked, spec.classes)
    else:
        images = find_part(asked.data, split=asked.split).root
        _check_labels(spec, asked, options)
    with tempfile.TemporaryDirectory(prefix="cnnkit-eval-") as folder:
        kept = output is not None
        place = output / "run" if output is not None else Path(folder) / "run"
        _infer(run_or_model, images, place, overwrite=overwrite, **options, **heard)
        yield Source(open_run(place), run_or_model, kept)


def _refuse_swapped(run_or_model: Path, data: Path) -> None:
    """A model is a file; a folder without a plan, its own or that of its run, is no run, though DATA may be one."""
    if not run_or_model.is_dir() or is_run(run_or_model) or is_run(run_or_model / "run"):
        return
    kinds = {".onnx": "a model", ".csv": "a file of answers", ".parquet": "a file of answers"}
    kind = "a run" if is_run(data) else kinds.get(data.suffix.lower())
    if kind is not None:
        raise UsageError(
            f"{run_or_model} is a folder of images and {data} is {kind}: they seem to be swapped. The order is "
            f"RUN|MODEL, then DATA: cnnkit eval {data} {run_or_model}."
        )


def _opened(model: Path, options: dict[str, Any]) -> "Model":
    """As the model will be run, before it is: the task decides what DATA is."""
    from cnnkit.pipeline import SpecOptions, open_model

    typed: Any = {name: options[name] for name in SpecOptions.__annotations__ if name in options}
    return open_model(model, device="cpu", **typed)


def _check_labels(spec: "ModelSpec", asked: Asked, options: dict[str, Any]) -> None:
    """DataError, before images are run, for labels that no class answers to; not where only some are to be run."""
    if not asked.multilabel and not options.get("limit") and not options.get("all_files"):
        read_truth(asked.data, classes=spec.classes, truth=asked.truth, **asked.labels)


def _infer(model: Path, images: Path, place: Path, **options: Any) -> None:
    from cnnkit.inference import infer

    infer(model, images, place, **options)


def keys_of(run: Run) -> list[str]:
    return [key for batch in run.batches(["key"]) for key in batch.column("key").to_pylist()]


def check_images(run: Run, data: Path, truth: Truth) -> tuple[str, ...]:
    """Class folders are read from the run's own keys: see that the folder really holds these images.

    DataError when it has none of those looked at; a note when some have another size than when they were run.
    """
    keys = list(truth.labels)[:: max(len(truth.labels) // N_PROBED, 1)]
    there = {key: truth.root / key.removeprefix(truth.prefix) for key in keys}
    there = {key: path for key, path in there.items() if path.exists() or path.is_symlink()}
    if not there:
        raise DataError(_other_images(run, data, truth, keys[0]))
    sizes = _sizes(run)
    changed = [key for key, path in there.items() if path.is_file() and path.stat().st_size != sizes.get(key)]
    if not changed:
        return ()
    return (
        f"{len(changed)} of {len(keys)} images that were looked at have changed since the run was made, "
        f"the first {changed[0]!r}: its predictions are of what they were.",
    )


def _other_images(run: Run, data: Path, truth: Truth, key: str) -> str:
    found = next((path for path in sorted(truth.root.rglob("*")) if path.is_file()), None)
    shown = repr(found.relative_to(truth.root).as_posix()) if found else "no file at all"
    return (
        f"{data}: does not hold the images of the run {run.path}: the run has {key!r}, {truth.root} has {shown}. "
        f"Give the folder that the run was made on."
    )


def _sizes(run: Run) -> dict[str, int]:
    import pyarrow.parquet as pq

    table = pq.read_table(run.path / "inputs.parquet", columns=["key", "size"])
    return dict(zip(table.column("key").to_pylist(), table.column("size").to_pylist(), strict=True))
