"""A model straight to results: it is run first, where and as it should be."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from cnnkit.errors import DataError
from cnnkit.evaluation import evaluate

WriteColour = Callable[..., Path]


@pytest.fixture
def labelled(tmp_path: Path, write_colour: WriteColour) -> Path:
    """Two parts; in test one red picture lies among the blue ones, and one file is no picture."""
    root = tmp_path / "paint"
    for part in ("train", "test"):
        for name, colour in (("red", "red"), ("green", "lime"), ("blue", "blue")):
            for at in range(3):
                write_colour(root / part / name / f"{at}.png", colour)
    write_colour(root / "test" / "blue" / "odd.png", "red")
    (root / "test" / "red" / "torn.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return root


def test_the_part_is_run_and_scored(colours: Path, labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    results = evaluate(colours, labelled, out)
    assert results.figures["top1_accuracy"].value == 0.9
    assert results.figures["top1_accuracy_of_all"].value == pytest.approx(9 / 11)
    assert (results.data.root, results.data.part, results.data.n_outside_part) == ("../paint/test", "test", 0)
    assert results.data.bad == {"corrupt": 1}
    assert results.run.path == "run"
    assert (out / "run" / "manifest.json").exists()
    assert results.cost.parameters == 0
    assert results.cost.multiply_adds is not None
    assert results.cost.size_bytes == colours.stat().st_size
    assert results.speed.images_per_s is not None
    assert results.provider.name == "CPUExecutionProvider"
    assert any("onnxruntime" in name for name in results.versions)
    assert sorted(path.name for path in out.iterdir()) == [
        "report.html",
        "report.md",
        "results.json",
        "rows.parquet",
        "run",
    ]


def test_scoring_again_takes_the_run_that_is_there(colours: Path, labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = evaluate(colours, labelled, out, report=False)
    written = (out / "run" / "parts" / "part-00000.parquet").stat().st_mtime_ns
    again = evaluate(colours, labelled, out, report=False)
    assert (out / "run" / "parts" / "part-00000.parquet").stat().st_mtime_ns == written
    assert again.figures == first.figures


def test_without_a_folder_nothing_stays(
    colours: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    results = evaluate(colours, labelled)
    assert results.run.path is None
    assert list((tmp_path / "here").iterdir()) == []


def test_run_and_model_give_the_same_figures(
    colours: Path, labelled: Path, tmp_path: Path, run_cnnkit: Callable[..., Result]
) -> None:
    """A run of everything, of which one part is scored, equals the model on that part."""
    run_cnnkit("infer", colours, labelled, "-o", tmp_path / "whole")
    from_run = evaluate(tmp_path / "whole", labelled)
    from_model = evaluate(colours, labelled)
    assert from_run.figures == from_model.figures
    assert from_run.confusion == from_model.confusion
    assert from_run.data.n_outside_part == 9
    assert evaluate(tmp_path / "whole", labelled, split="train").figures["top1_accuracy"].value == 1


def test_another_model_on_the_same_folder_is_refused(
    colours: Path, labelled: Path, tmp_path: Path, write_model: Callable[..., Path]
) -> None:
    out = tmp_path / "out"
    evaluate(colours, labelled, out, report=False)
    other = write_model(tmp_path / "other.onnx", text=colours_text("other"))
    with pytest.raises(DataError, match=r"out: holds the results of colours .*--overwrite"):
        evaluate(other, labelled, out, report=False)
    assert evaluate(other, labelled, out, report=False, overwrite=True).model.name == "other"


def colours_text(name: str) -> str:
    return f"""<ir_version: 8, opset_import: ["" : 17]>
{name} (float[N,3,8,8] input) => (float[N,3] logits) {{
    pooled = GlobalAveragePool(input)
    logits = Flatten<axis=1>(pooled)
}}"""


def test_options_of_inference_reach_it(colours: Path, labelled: Path, tmp_path: Path) -> None:
    evaluate(colours, labelled, tmp_path / "out", report=False, batch_size=2, shard_size=4)
    assert len(list((tmp_path / "out" / "run" / "parts").iterdir())) == 3


def test_labels_that_no_class_answers_to_are_refused_before_images_are_run(
    colours: Path, labelled: Path, tmp_path: Path
) -> None:
    (labelled / "test" / "red").rename(labelled / "test" / "pink")
    with pytest.raises(DataError, match="pink"):
        evaluate(colours, labelled, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_run_knows_the_cost_of_its_model_while_that_is_there(
    colours: Path, labelled: Path, tmp_path: Path, run_cnnkit: Callable[..., Result]
) -> None:
    model = tmp_path / "here.onnx"
    model.write_bytes(colours.read_bytes())
    run_cnnkit("infer", model, labelled / "test", "-o", tmp_path / "run")
    known = evaluate(tmp_path / "run", labelled).cost
    assert known == evaluate(model, labelled).cost
    assert known.multiply_adds is not None
    model.write_bytes(b"another")
    assert evaluate(tmp_path / "run", labelled).cost.multiply_adds is None
