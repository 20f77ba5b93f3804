"""The main job from nothing: real handwritten digits, a small CNN, one .onnx file, a report."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

EPOCHS = 30
LEARNING_RATE = 0.002
BATCH_SIZE = 32

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

    settings = f"--net digits --epochs {EPOCHS} --lr {LEARNING_RATE} --batch-size {BATCH_SIZE} --seed {seed}"
    say(f"cnnkit train {digits} -o {checkpoint} {settings} --overwrite")
    training.train(
        digits,
        checkpoint,
        net="digits",
        epochs=EPOCHS,
        lr=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        seed=seed,
        overwrite=True,
    )

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
