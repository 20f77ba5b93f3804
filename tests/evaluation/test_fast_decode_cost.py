"""What fast decoding costs: measured for a model, pointed at for a run, named between two results."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from cnnkit.errors import UsageError
from cnnkit.evaluation import compare, evaluate
from cnnkit.inference import infer
from cnnkit.metrics import mcnemar
from cnnkit.results import read_rows

DECODED = "JPEGs of more than twice the size needed were decoded at a fraction of it (--fast-decode)"
CLASSES = ("red", "green", "blue")


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """JPEGs without a colour of their own, eight times as large as the model's input: details decide on the answer."""
    root, draws = tmp_path_factory.mktemp("noise"), np.random.default_rng(5)
    for at in range(30):
        (root / CLASSES[at % 3]).mkdir(exist_ok=True)
        pixels = (255 * draws.beta(0.2, 0.2, (64, 64, 3))).astype(np.uint8)
        cv2.imwrite(str(root / CLASSES[at % 3] / f"{at}.jpg"), pixels)
    return root


def test_the_cost_is_measured_on_the_same_images(colours: Path, noise: Path, tmp_path: Path) -> None:
    said: list[str] = []
    results = evaluate(colours, noise, tmp_path / "fast", fast_decode=True, say=said.append)
    whole = evaluate(colours, noise, tmp_path / "whole")
    assert results.run.fast_decode
    assert not whole.run.fast_decode
    fast_rows, whole_rows = (read_rows(tmp_path / name) for name in ("fast", "whole"))
    answers = [rows.column("predicted").to_pylist() for rows in (fast_rows, whole_rows)]
    differing = sum(a != b for a, b in zip(*answers, strict=True))
    right = [[rank == 1 for rank in rows.column("rank").to_pylist()] for rows in (fast_rows, whole_rows)]
    only_fast = sum(a and not b for a, b in zip(*right, strict=True))
    only_whole = sum(b and not a for a, b in zip(*right, strict=True))
    assert differing, "the test needs pictures on which decoding decides"
    [warning] = [each for each in results.warnings if each.startswith(DECODED)]
    assert f"{differing} of 30 images are answered otherwise than with whole decoding." in warning
    [difference] = [
        each for each in compare([tmp_path / "whole", tmp_path / "fast"]).differences if each.measure == "top1_accuracy"
    ]
    assert difference.p == mcnemar(only_whole, only_fast)
    told = difference.sentence.replace("whole", "whole decoding").replace("fast", "fast decoding")
    assert warning.endswith(f". {told[0].upper()}{told[1:]}")
    assert "Running once more with whole decoding, to tell what fast decoding costs." in said
    assert not any(each.startswith("JPEGs") for each in whole.warnings)
    assert (tmp_path / "fast" / "report.md").read_text().count(DECODED) == 1


def test_of_a_run_it_is_said_how_to_measure_it(colours: Path, noise: Path, tmp_path: Path) -> None:
    run = infer(colours, noise, tmp_path / "run", fast_decode=True).path
    warnings = evaluate(run, noise).warnings
    assert (
        f"{DECODED}, so their pixels differ a little; `cnnkit eval MODEL DATA --fast-decode` measures the cost."
        in warnings
    )
    with pytest.raises(UsageError, match="fast_decode would change nothing"):
        evaluate(run, noise, fast_decode=True)


def test_results_with_and_without_are_not_called_the_same(colours: Path, noise: Path, tmp_path: Path) -> None:
    for name in ("fast", "whole"):
        run = infer(colours, noise, tmp_path / f"{name}-run", fast_decode=name == "fast").path
        evaluate(run, noise, tmp_path / name, report=False)
    notes = compare([tmp_path / "whole", tmp_path / "fast"]).models[1].notes
    assert "the same file as whole, with other settings: a difference is theirs, not the model's" in notes
    assert (
        "JPEGs of more than twice the size needed were decoded at a fraction of it (fast decoding), those of whole "
        "decoded whole" in notes
    )
    back = compare([tmp_path / "fast", tmp_path / "whole"]).models[1].notes
    assert any(
        note.startswith("JPEGs of more than twice the size needed were decoded whole, those of") for note in back
    )


def test_as_it_is_typed(run_cnnkit: Callable, colours: Path, noise: Path, tmp_path: Path) -> None:
    told = " ".join(run_cnnkit("eval", colours, noise, "-o", tmp_path / "out", "--fast-decode").stderr.split())
    assert DECODED in told
    assert "whole decoding" in told
    again = " ".join(run_cnnkit("eval", colours, noise, "-o", tmp_path / "out").stderr.split())
    assert DECODED in again, "the run that is there is fast, whatever is typed now"


def test_what_is_not_jpeg_costs_nothing(
    run_cnnkit: Callable, colours: Path, write_colour: Callable, tmp_path: Path
) -> None:
    for name, colour in (("red", "red"), ("green", "lime"), ("blue", "blue")):
        write_colour(tmp_path / "paint" / name / "1.png", colour)
    warnings = evaluate(colours, tmp_path / "paint", fast_decode=True).warnings
    assert any("0 of 3 images are answered otherwise than with whole decoding." in each for each in warnings)
