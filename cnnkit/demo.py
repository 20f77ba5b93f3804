"""The main job from nothing: real handwritten digits, a small CNN, one .onnx file, a report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

RECIPE: dict[str, str | int | float] = {
    "net": "digits",
    "epochs": 30,
    "lr": 0.003,
    "optimizer": "adamw",
    "schedule": "cosine",
    "l2": 0.03,
    "label_smoothing": 0.05,
}

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Demo:
    report: Path
    top1_accuracy: float


def run_demo(folder: Path, *, seed: int = 0, say: Say = lambda message: None) -> Demo:
    """Write the digits, train, export, run and score them below `folder`, saying each step as one would type it."""
    from cnnkit import data, evaluation, exporting, inference, training

    digits, checkpoint, model = folder / "digits", folder / "digits.pt", folder / "digits.onnx"
    run, results = folder / "runs" / "digits", folder / "results" / "digits"

    say(f"cnnkit data convert sklearn:digits {digits}")
    data.write_digits(digits)

    settings = " ".join(f"--{name.replace('_', '-')} {value}" for name, value in RECIPE.items())
    say(f"cnnkit train {digits} -o {checkpoint} {settings} --seed {seed} --overwrite")
    training.train(digits, checkpoint, seed=seed, overwrite=True, **RECIPE)  # type: ignore[arg-type]

    say(f"cnnkit export {checkpoint} -o {model} --overwrite")
    exporting.export(checkpoint, model, overwrite=True)

    say(f"cnnkit infer {model} {digits / 'test'} -o {run} --overwrite")
    inference.infer(model, digits / "test", run, overwrite=True)

    say(f"cnnkit eval {run} {digits} -o {results}")
    scored = evaluation.evaluate(run, digits, results)
    accuracy = scored.figures["top1_accuracy"].value
    if accuracy is None:
        raise ValueError("the demo scored no image")
    return Demo(report=results / "report.html", top1_accuracy=accuracy)
