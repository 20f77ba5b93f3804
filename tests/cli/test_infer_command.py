"""`cnnkit infer`, as it is typed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from cnnkit import pipeline
from cnnkit.inference import _pace
from cnnkit.runtime import Cores

WriteModel = Callable[..., Path]
WriteColour = Callable[..., Path]
Run = Callable[..., Any]


@pytest.fixture
def photos(tmp_path: Path, write_colour: WriteColour) -> Path:
    for at in range(6):
        write_colour(tmp_path / "photos" / f"{at}.png", ("red", "lime", "blue")[at % 3])
    (tmp_path / "photos" / "bad.png").write_bytes(b"")
    return tmp_path / "photos"


def test_a_folder(run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
    result = run_cnnkit("infer", colours, photos, "-o", tmp_path / "run", "--format", "csv", "--format", "jsonl")
    said = result.stderr.splitlines()
    assert said[0] == f"Run folder: {tmp_path}/run"
    assert said[1] == "6 of 7 images were answered; 1 empty."
    assert said[2].startswith("7 images in ")
    assert " images/s. Bound by " in said[2]
    assert said[3:] == [f"Wrote {tmp_path}/run{name}" for name in ("", "/predictions.csv", "/predictions.jsonl")]
    assert result.stdout == ""


def test_again(run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
    run_cnnkit("infer", colours, photos, "-o", tmp_path / "run")
    for words in ([], ["--resume"]):
        again = run_cnnkit("infer", colours, photos, "-o", tmp_path / "run", *words)
        assert "The run was complete before: nothing was run." in again.stderr


def test_model_and_data_as_options(run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
    run_cnnkit("predict", "-m", colours, "--data", photos, "-o", tmp_path / "run")
    assert (tmp_path / "run" / "manifest.json").exists()


def test_json_is_the_manifest_and_the_folder(run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
    result = run_cnnkit("infer", colours, photos, "-o", tmp_path / "run", "--json")
    facts = json.loads(result.stdout)
    assert facts.pop("run") == str(tmp_path / "run")
    assert facts == json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert facts["counts"] == {"empty": 1, "ok": 6}


def test_the_default_folder_is_printed(
    run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_cnnkit("infer", colours, photos).stderr.startswith("Run folder: runs/colours-photos\n")
    assert (tmp_path / "runs" / "colours-photos" / "manifest.json").exists()


class TestOnePhoto:
    def test_it_prints_the_best_and_writes_nothing(
        self, run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        before = sorted(tmp_path.rglob("*"))
        result = run_cnnkit("infer", colours, photos / "1.png")
        rows = [line.split("│")[1:3] for line in result.stderr.splitlines() if line.startswith("│")]
        assert [name.strip() for name, _ in rows] == ["green", "red", "blue"]
        assert float(rows[0][1]) == pytest.approx(0.9999, abs=1e-4)
        assert sorted(tmp_path.rglob("*")) == before

    def test_json_is_the_list(self, run_cnnkit: Run, colours: Path, photos: Path) -> None:
        guesses = json.loads(run_cnnkit("infer", colours, photos / "1.png", "--json", "--topk", "2").stdout)
        assert [guess["class"] for guess in guesses] == ["green", "red"]
        assert guesses[0]["p"] == pytest.approx(0.99990916)

    def test_with_an_output_it_is_a_run(self, run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
        run_cnnkit("infer", colours, photos / "1.png", "-o", tmp_path / "run")
        assert json.loads((tmp_path / "run" / "manifest.json").read_text())["counts"] == {"ok": 1}

    @pytest.mark.parametrize(
        ("words", "threads"),
        [
            ((), 6),
            (("--hint", "latency"), 6),
            (("--hint", "throughput"), 1),
            (("--threads", "3"), 3),
            (("--hint", "latency", "--threads", "2"), 2),
        ],
    )
    def test_its_threads(
        self,
        run_cnnkit: Run,
        colours: Path,
        photos: Path,
        monkeypatch: pytest.MonkeyPatch,
        words: tuple[str, ...],
        threads: int,
    ) -> None:
        opened: list[dict[str, Any]] = []
        open_model = pipeline.open_model

        def spy(path: Path, **how: Any) -> pipeline.Model:
            opened.append(how)
            return open_model(path, **{**how, "threads": 1})

        monkeypatch.setattr(pipeline, "open_model", spy)
        monkeypatch.setattr(_pace, "available_cores", lambda: Cores(6, "test"))
        run_cnnkit("infer", colours, photos / "1.png", *words)
        assert [(how["threads"], how["streams"]) for how in opened] == [(threads, 1)]

    def test_fast_decoding_is_done(self, run_cnnkit: Run, colours: Path, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 255, (400, 480, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / "large.jpg"), noise)
        exact = run_cnnkit("infer", colours, tmp_path / "large.jpg", "--json").stdout
        fast = run_cnnkit("infer", colours, tmp_path / "large.jpg", "--json", "--fast-decode").stdout
        assert run_cnnkit("infer", colours, tmp_path / "large.jpg", "--json", "--no-fast-decode").stdout == exact
        assert fast != exact

    @pytest.mark.parametrize(
        ("words", "name"),
        [
            (("-b", 2), "--batch-size"),
            (("-j", 2), "--workers"),
            (("--tune",), "--tune"),
            (("--limit", 1), "--limit"),
            (("--seed", 1), "--seed"),
            (("--all-files",), "--all-files"),
            (("--on-error", "skip"), "--on-error"),
            (("--shard-size", 5), "--shard-size"),
            (("--coco-ids", "nosuch"), "--coco-ids"),
            (("--resume",), "--resume"),
            (("--overwrite",), "--overwrite"),
        ],
    )
    def test_what_would_change_nothing_is_refused(
        self, run_cnnkit: Run, colours: Path, photos: Path, words: tuple[object, ...], name: str
    ) -> None:
        said = " ".join(run_cnnkit("infer", colours, photos / "1.png", *words, exit_code=2).stderr.split())
        assert f"1.png is one photo and is answered here, where {name} would change nothing." in said
        assert "give -o FOLDER and the photo becomes a run." in said

    def test_a_bad_one_is_an_error(self, run_cnnkit: Run, colours: Path, photos: Path) -> None:
        result = run_cnnkit("infer", colours, photos / "bad.png", exit_code=3)
        assert result.stderr == f"Error: {photos}/bad.png: the file is empty (0 bytes)\n"


class TestWrongUsage:
    @pytest.mark.parametrize(
        ("words", "message"),
        [
            ([], "Missing MODEL."),
            (["m.onnx"], "Missing IMAGES."),
            (["m.onnx", "photos", "more"], "One MODEL and one IMAGES are taken; more is left over."),
            (["m.onnx", "photos", "--resume", "--overwrite"], "--resume goes on, --overwrite starts anew"),
            (["m.onnx", "photos", "--imgsz", "big"], "'big' is not a size such as 224"),
            (["m.onnx", "photos", "--mean", "a,b"], "'a,b' is not numbers with commas between them"),
            (["m.onnx", "photos", "--conf", "nan"], "nan is not a finite number"),
            (["m.onnx", "photos", "-b", "0"], "0 is not in the range x>=1"),
            (["m.onnx", "photos", "--format", "xml"], "'xml' is not one of"),
        ],
    )
    def test_exit_2(self, run_cnnkit: Run, words: list[str], message: str) -> None:
        assert message in run_cnnkit("infer", *words, exit_code=2).stderr


class TestExitCodes:
    def test_3_for_a_bad_model(self, run_cnnkit: Run, photos: Path, tmp_path: Path) -> None:
        (tmp_path / "m.onnx").write_text("not a model")
        said = run_cnnkit("infer", tmp_path / "m.onnx", photos, "-o", tmp_path / "run", exit_code=3).stderr
        assert "m.onnx: is not an ONNX model" in said

    def test_3_for_a_folder_without_images(self, run_cnnkit: Run, colours: Path, tmp_path: Path) -> None:
        (tmp_path / "none").mkdir()
        assert "no image here" in run_cnnkit("infer", colours, tmp_path / "none", exit_code=3).stderr

    def test_3_for_a_bad_image_under_fail(self, run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
        said = run_cnnkit("infer", colours, photos, "-o", tmp_path / "r", "--on-error", "fail", exit_code=3).stderr
        assert "Error: bad.png: the file is empty (0 bytes)" in said

    def test_3_for_a_run_of_something_else(self, run_cnnkit: Run, colours: Path, photos: Path, tmp_path: Path) -> None:
        run_cnnkit("infer", colours, photos, "-o", tmp_path / "run", "-b", "2")
        said = run_cnnkit("infer", colours, photos, "-o", tmp_path / "run", "-b", "3", exit_code=3).stderr
        assert "holds another run; batch size: 2 in the plan, 3 now." in said
        run_cnnkit("infer", colours, photos, "-o", tmp_path / "run", "-b", "3", "--overwrite")

    def test_4_for_a_device_that_is_not_there(self, run_cnnkit: Run, colours: Path, photos: Path) -> None:
        import onnxruntime

        if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
            pytest.skip("there is a GPU here")
        said = run_cnnkit("infer", colours, photos / "1.png", "--device", "cuda", exit_code=4).stderr
        assert 'pip install "cnnkit[gpu]"' in said


def test_a_file_of_others_with_flags(run_cnnkit: Run, shared: Path, tmp_path: Path) -> None:
    model, images = shared / "models" / "cifar10_tutorial.onnx", shared / "cifar10" / "ship"
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    (tmp_path / "names.txt").write_text("\n".join(names) + "\n")
    reading = ["--preset", "imagenet", "--resize", "exact", "--mean", "0.5", "--std", "0.5"]
    words = [*reading, "--labels", tmp_path / "names.txt", "--limit", "200"]
    result = run_cnnkit("infer", model, images, "-o", tmp_path / "run", *words, "--format", "csv")
    assert "200 of 200 images were answered." in result.stderr
    lines = (tmp_path / "run" / "predictions.csv").read_text().splitlines()[1:]
    assert sum(line.split(",")[3] == "ship" for line in lines) > 130
