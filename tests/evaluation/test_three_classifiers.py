"""Three published ImageNet classifiers against each other: other formats, layouts and label files, by command alone."""

import json
from pathlib import Path

import pytest

from cnnkit.results import read_results

pytestmark = pytest.mark.slow

WORDS, WITH_BACKGROUND = "imagenet_synset_words.txt", "imagenet_labels_1001.txt"
RIGHT = {"mobilenet_v2_int8": 172, "squeezenet_fp16": 133, "mobilenet_v1_025_128_uint8_nhwc": 101}


@pytest.fixture(scope="module")
def scored(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    from click.testing import CliRunner

    from cnnkit.cli import cnnkit

    models, out = shared / "models", tmp_path_factory.mktemp("results")
    flags = {
        "mobilenet_v2_int8": ["--preset", "imagenet", "--labels", models / WORDS],
        "squeezenet_fp16": ["--preset", "imagenet-caffe", "--labels", models / WORDS, "--activation", "none"],
        "mobilenet_v1_025_128_uint8_nhwc": [
            *("--preset", "raw", "--labels", models / WITH_BACKGROUND, "--class-map", models / WORDS),
            *("--activation", "none"),
        ],
    }
    for name, how in flags.items():
        arguments = ["eval", models / f"{name}.onnx", shared / "imagenet200", *how, "-o", out / name, "--no-report"]
        result = CliRunner().invoke(cnnkit, [str(each) for each in [*arguments, "--progress", "none"]])
        assert result.exit_code == 0, result.stderr
    return {name: out / name for name in flags}


def test_each_is_right_as_often_as_it_is_known_to_be(scored: dict[str, Path]) -> None:
    for name, folder in scored.items():
        value = read_results(folder).figures["top1_accuracy"].value
        assert value is not None
        assert abs(round(200 * value) - RIGHT[name]) <= 1, name


def test_which_is_better_and_how_sure_that_is(scored: dict[str, Path], run_cnnkit, tmp_path: Path) -> None:
    said = run_cnnkit("compare", *scored.values(), "-o", tmp_path / "out").stderr
    told = " ".join(said.split())
    assert "mobilenet_v2_int8 is better in accuracy than every other model" in told
    assert "mobilenet_v2_int8 is better than squeezenet_fp16 by 19.5 points of accuracy" in told
    assert "corrected for 3 pairs" in told
    assert "such as 'crane') could be several of" in told
    facts = json.loads((tmp_path / "out" / "comparison.json").read_text())
    accuracy = [each for each in facts["differences"] if each["measure"] == "top1_accuracy"]
    assert len(accuracy) == 3
    assert all(each["p_corrected"] < 0.001 for each in accuracy)
    # one image a class: means over classes are as uncertain as the accuracy
    first = next(each for each in facts["differences"] if each["measure"] == "macro_f1")
    assert 0.7 < (first["high"] - first["low"]) / (accuracy[0]["high"] - accuracy[0]["low"]) < 1.3
    assert (tmp_path / "out" / "report.html").stat().st_size < 10_000_000
