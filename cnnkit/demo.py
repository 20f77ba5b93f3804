"""The main job from nothing: real handwritten digits, a small CNN, one .onnx file, a report; of classes or of boxes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

# what `train` is given, beside the seed
RECIPE: dict[str, str | int | float] = {
    "net": "digits",
    "epochs": 30,
    "lr": 0.003,
    "optimizer": "adamw",
    "schedule": "cosine",
    "l2": 0.03,
    "label_smoothing": 0.05,
}
DETECTOR_RECIPE: dict[str, str | int | float] = {"task": "detection", "epochs": 8, "zoom": 0.1, "translate": 0.1}

N_DRAWN = 24

Task = Literal["classification", "detection"]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    """Where the report is, and the figure that sums it up, by its name in results.json."""

    report: Path
    figure: str
    value: float


def run_demo(
    folder: Path,
    *,
    task: Task = "classification",
    seed: int = 0,
    say: Say = lambda message: None,
    tell: Say = lambda message: None,
) -> Demo:
    """Write the data, train, export, run and score below `folder`.

    `say` gets each step as one would type it, `tell` how far a detector is, whose training takes minutes.
    """
    return _detect(folder, seed, say, tell) if task == "detection" else _classify(folder, seed, say)


def _classify(folder: Path, seed: int, say: Say) -> Demo:
    from cnnkit import data, evaluation, inference

    digits, run, results = folder / "digits", folder / "runs" / "digits", folder / "results" / "digits"

    say(f"cnnkit data convert sklearn:digits {digits}")
    data.write_digits(digits)

    model = _trained(folder, digits, RECIPE, seed, say)

    say(f"cnnkit infer {model} {digits / 'test'} -o {run} --overwrite")
    inference.infer(model, digits / "test", run, overwrite=True)

    say(f"cnnkit eval {run} {digits} -o {results} --overwrite")
    return _found(evaluation.evaluate(run, digits, results, overwrite=True), "top1_accuracy", results)


def _detect(folder: Path, seed: int, say: Say, tell: Say) -> Demo:
    from cnnkit import data, evaluation, inference

    scenes, run, results = folder / "scenes", folder / "runs" / "scenes", folder / "results" / "scenes"
    pictures, drawn = scenes / "images" / "test", folder / "drawn"

    say(f"cnnkit data convert sklearn:digit-scenes {scenes} --seed {seed}")
    data.write_digit_scenes(scenes, seed=seed)

    def on_epoch(epoch: Any, seconds_left: float) -> None:
        tell(f"epoch {epoch.epoch}: AP50 {epoch.val_ap50:.3f} on the val scenes, {seconds_left:.0f} s left")

    model = _trained(folder, scenes, DETECTOR_RECIPE, seed, say, on_epoch)

    say(f"cnnkit infer {model} {pictures} -o {run} --limit {N_DRAWN} --annotate {drawn} --overwrite")
    inference.infer(model, pictures, run, limit=N_DRAWN, overwrite=True)
    inference.annotate(run, pictures, drawn, overwrite=True)

    say(f"cnnkit eval {model} {scenes} -o {results} --overwrite")
    return _found(evaluation.evaluate(model, scenes, results, overwrite=True), "coco_AP50", results)


def _trained(
    folder: Path,
    source: Path,
    recipe: dict[str, Any],
    seed: int,
    say: Say,
    on_epoch: Callable[[Any, float], None] = lambda epoch, seconds_left: None,
) -> Path:
    """The model file of `source`: a checkpoint, then an export that is verified."""
    from cnnkit import exporting, training

    checkpoint, model = folder / f"{source.name}.pt", folder / f"{source.name}.onnx"
    settings = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in recipe.items())
    say(f"cnnkit train {source} -o {checkpoint} {settings} --seed {seed} --overwrite")
    training.train(source, checkpoint, seed=seed, overwrite=True, on_epoch=on_epoch, **recipe)

    say(f"cnnkit export {checkpoint} -o {model} --overwrite")
    exporting.export(checkpoint, model, overwrite=True)
    return model


def _found(scored: Any, figure: str, results: Path) -> Demo:
    value = scored.figures[figure].value
    if value is None:
        raise ValueError(f"the demo found no {figure}")
    return Demo(results / "report.html", figure, value)
