"""`cnnkit bench`: what it measures and how it shows it. No assertion on time: the machine is not a fixture."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
import onnx
import onnx.parser
import pytest

from cnnkit import benchmark
from cnnkit.benchmark import Benchmark, Candidate, Cell, Latency, Machine, Ratio, _job
from cnnkit.benchmark._measure import latency_of, noise_of, ratio_of, spread
from cnnkit.errors import DataError, UsageError
from cnnkit.results import Speed
from cnnkit.spec import METADATA_KEY, parse_spec

MEAN = """
<ir_version: 8, opset_import: ["" : 13]>
mean (float[{batch},3,8,8] image) => (float[{batch},3] logits) {{
    pooled = GlobalAveragePool(image)
    logits = Flatten<axis=1>(pooled)
}}
"""
SPEC = {
    "input": {"name": "image", "size": [8, 8]},
    "preprocess": [{"op": "resize", "size": [8, 8], "mode": "exact"}, {"op": "rescale", "scale": 1 / 255}],
    "output": {"name": "logits"},
    "classes": [{"name": "red"}, {"name": "green"}, {"name": "blue"}],
}


def make_model(path: Path, batch: str = "N") -> Path:
    model = onnx.parser.parse_model(MEAN.format(batch=batch))
    model.metadata_props.add(key=METADATA_KEY, value=parse_spec(json.dumps(SPEC), source="test").to_json())
    onnx.save(model, path)
    return path


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((10, 12, 3), 40 * number, np.uint8))
    return folder


QUICK = ["--rounds", "2", "--seconds", "0.01", "--warmup", "1", "-j", "1"]


def test_two_files_side_by_side_with_images(tmp_path: Path, images: Path, run_cnnkit: Callable) -> None:
    first, second = make_model(tmp_path / "a.onnx"), make_model(tmp_path / "b.onnx", batch="1")
    result = run_cnnkit("bench", first, second, images, *QUICK, "-b", 1, "-b", 2, "--json")
    found = json.loads(result.stdout)
    assert [each["model"] for each in found["candidates"]] == ["a", "b"]
    a, b = found["candidates"]
    assert [cell["batch_size"] for cell in a["cells"]] == [1, 2]
    assert [cell["batch_size"] for cell in b["cells"]] == [1], "a fixed batch is measured at that"
    assert a["latency"]["n"] == 20
    assert a["latency"]["p50"] <= a["latency"]["p99"]
    assert a["throughput_ratio"] == {"median": 1.0, "low": 1.0, "high": 1.0}
    assert sum(a["from_files"]["shares"].values()) == pytest.approx(1)
    assert a["peak_memory_bytes"] > 10 << 20
    assert found["machine"]["cores"] >= 1
    speed = Speed.model_validate({name: found[name] for name in Speed.model_fields})
    assert speed.rate("files") == a["from_files"]["images_per_s"]
    assert speed.rate("model") is None


def test_the_precision_is_the_one_really_used(tmp_path: Path, run_cnnkit: Callable) -> None:
    words = [make_model(tmp_path / "a.onnx"), *QUICK, "-b", 1, "--precision", "fp32", "--precision", "bf16"]
    words += ["--device", "cpu"]
    result = run_cnnkit("bench", *words, "-o", tmp_path / "a.svg")
    assert "a fp32 (bf16 asked)" in result.stderr
    assert "a bf16" not in result.stderr
    note = "The CPU provider computes in fp32; it makes no use of --precision bf16."
    assert " ".join(result.stderr.split()).count(f"a: {note}") == 1
    assert "a fp32 (bf16 asked), 1 worker" in (tmp_path / "a.svg").read_text()
    plain, asked = json.loads(run_cnnkit("bench", *words, "--json").stdout)["candidates"]
    assert (plain["precision"], plain["asked_precision"], plain["notes"]) == ("fp32", "fp32", [])
    assert (asked["precision"], asked["asked_precision"], asked["notes"]) == ("fp32", "bf16", [note])


def test_only_so_many_images_are_measured(
    tmp_path: Path, images: Path, run_cnnkit: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    measure = _job._from_files

    def spy(candidate: Any, *, samples: Any, workers: int) -> None:
        seen.append(len(samples))
        measure(candidate, samples=samples, workers=workers)

    monkeypatch.setattr(_job, "_from_files", spy)
    result = run_cnnkit("bench", make_model(tmp_path / "a.onnx"), images, *QUICK, "-b", 1, "--limit", 2, "--json")
    assert seen == [2, 2]
    assert json.loads(result.stdout)["images_per_s_of"] == "files"


@pytest.mark.parametrize("where", [("--device", "cpu"), ("--providers", "cpu")])
def test_where_it_runs_is_chosen(tmp_path: Path, run_cnnkit: Callable, where: tuple[str, str]) -> None:
    result = run_cnnkit("bench", make_model(tmp_path / "a.onnx"), *QUICK, "-b", 1, *where, "--json")
    found = json.loads(result.stdout)
    assert found["candidates"][0]["provider"] == "CPUExecutionProvider"
    assert found["images_per_s_of"] == "model"


@pytest.mark.parametrize(
    ("where", "exit_code", "sentence"),
    [
        (("--device", "toaster"), 2, "device 'toaster' is not one of auto, cpu, cuda"),
        (("--device", "tensorrt"), 4, "device 'tensorrt' cannot be had"),
        (("--providers", "toaster"), 4, "provider 'toaster' is not there"),
    ],
)
def test_what_cannot_be_had_is_refused(
    tmp_path: Path, run_cnnkit: Callable, where: tuple[str, str], exit_code: int, sentence: str
) -> None:
    result = run_cnnkit("bench", make_model(tmp_path / "a.onnx"), *QUICK, *where, exit_code=exit_code)
    assert sentence in " ".join(result.stderr.split())


def test_people_get_tables_and_a_picture(tmp_path: Path, run_cnnkit: Callable) -> None:
    picture = tmp_path / "deep" / "throughput.svg"
    result = run_cnnkit("bench", make_model(tmp_path / "a.onnx"), *QUICK, "-j", 2, "-b", 1, "-b", 4, "-o", picture)
    assert result.stdout == ""
    assert "images/s" in result.stderr
    assert "The machine was " in result.stderr
    root = ElementTree.fromstring(picture.read_text())
    assert "a fp32, 2 workers" in "".join(root.itertext())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "bench takes one MODEL.onnx or more"),
        (["a.onnx", "x", "y"], "x is neither an .onnx file nor the one folder"),
        (["a.onnx", "--seconds", "0"], "0.0 is not in the range 0<x<=3600"),
        (["a.onnx", "--seconds", "-1"], "-1.0 is not in the range 0<x<=3600"),
        (["a.onnx", "--seconds", "nan"], "nan is not a finite number"),
        (["a.onnx", "-o", "x.png"], "x.png: the picture is written as SVG. Give -o a name that ends in .svg."),
    ],
)
def test_what_is_no_question_is_wrong_usage(arguments: list[str], sentence: str, run_cnnkit: Callable) -> None:
    assert sentence in run_cnnkit("bench", *arguments, exit_code=2).stderr


def test_a_folder_without_images_is_named(tmp_path: Path, run_cnnkit: Callable) -> None:
    (tmp_path / "empty").mkdir()
    result = run_cnnkit("bench", make_model(tmp_path / "a.onnx"), tmp_path / "empty", *QUICK, exit_code=3)
    assert "empty" in result.stderr


def test_no_model_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="at least one model"):
        benchmark.bench([])


def test_the_middle_half_and_ratios_by_hand() -> None:
    assert spread([1, 2, 3, 4, 5]) == (3, 2, 4)
    assert ratio_of([1, 2, 4], [2, 4, 8]) == Ratio(median=2, low=2, high=2)
    assert noise_of([10] * 5) == 0
    assert noise_of(list(range(1, 12))) == pytest.approx(8 / 6)
    times = latency_of([1.0] * 9 + [11.0])
    assert (times.n, times.p50, times.p90) == (10, 1, pytest.approx(2))
    assert (times.p95, times.p99) == (pytest.approx(6.5), pytest.approx(10.1))


@pytest.mark.parametrize(("noise", "noisy"), [(0.02, False), (0.4, True)])
def test_a_noisy_machine_is_named(noise: float, noisy: bool) -> None:
    ratio = Ratio(median=1, low=1, high=1)
    cell = Cell(batch_size=1, workers=1, images_per_s=5, low=4, high=6)
    candidate = Candidate(
        model="m", sha256="0", precision="fp32", asked_precision="fp32", provider="CPU", load_ms=1, cells=(cell,),
        peak_memory_bytes=1,
        latency=Latency(n=1, p50=1, p90=1, p95=2, p99=2), latency_ratio=ratio, throughput_ratio=ratio,
    )  # fmt: skip
    machine = Machine(cpu="c", cores=1, cores_reason="", memory_bytes=None, system="", versions={})
    found = Benchmark(machine=machine, candidates=(candidate,), rounds=1, noise=noise)
    assert found.is_noisy is noisy
    assert found.speed == Speed(
        latency_ms_p50=1, latency_ms_p95=2, images_per_s=5, images_per_s_of="model", peak_memory_bytes=1, noisy=noisy
    )


def test_peak_memory_is_the_childs_own(colours: Path) -> None:
    """getrusage in the child would tell of this process: it is large by now."""
    from cnnkit.benchmark._memory import peak_memory, peak_of_this_process

    ballast = np.ones(80_000_000)
    assert peak_of_this_process() > ballast.nbytes
    assert peak_memory(colours, batch_size=1, workers=1, options={"device": "cpu"}) < ballast.nbytes / 2


def test_a_dead_child_is_said(tmp_path: Path) -> None:
    from cnnkit.benchmark._memory import peak_memory
    from cnnkit.errors import MachineError

    with pytest.raises(MachineError, match="the process that measures its memory died"):
        peak_memory(tmp_path / "absent.onnx", batch_size=1, workers=1, options={})


def test_an_absent_image_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError):
        benchmark.bench([make_model(tmp_path / "a.onnx")], tmp_path / "absent")
