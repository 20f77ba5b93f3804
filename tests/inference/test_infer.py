"""A folder to a run folder: what it holds, what is resumed, what is refused."""

import json
import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from cnnkit import inference
from cnnkit.errors import DataError, MachineError, ModelError, UsageError
from cnnkit.inference import infer
from cnnkit.pipeline._job import ImageJob
from cnnkit.predictions import RunFolder, open_run, rows_from_table
from cnnkit.records import Row
from cnnkit.runtime import Cores

WriteModel = Callable[..., Path]
WriteColour = Callable[..., Path]
Written = Callable[[Path], dict[str, bytes]]


def _rows(run: Path) -> list[Row]:
    return [row for batch in open_run(run).batches() for row in rows_from_table(batch)]


def _stop_after(images: int) -> Callable[[int, int], None]:
    def report(done: int, total: int) -> None:
        if done >= images:
            raise KeyboardInterrupt

    return report


class TestARunFolder:
    def test_what_it_holds(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        done = infer(colours, photos, tmp_path / "run", shard_size=16, batch_size=4)
        run = tmp_path / "run"
        names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
        parts = {f"parts/part-0000{at}.parquet" for at in range(3)}
        assert names == {".lock", "plan.json", "inputs.parquet", "manifest.json", "run.json", *parts}
        assert done.manifest.counts == {"empty": 1, "ok": 40}
        assert (done.ran, done.path, done.exports) == (True, run, ())

    def test_rows_are_in_key_order(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        infer(colours, photos, tmp_path / "run", shard_size=16)
        keys = [row.key for row in _rows(tmp_path / "run")]
        expected = [path.relative_to(photos).as_posix() for path in photos.rglob("*.png")]
        assert keys == sorted(expected)

    def test_the_plan_says_what_was_run(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        plan = infer(colours, photos, tmp_path / "run", batch_size=4, topk=2).manifest.plan
        assert (plan.batch_size, plan.batch_reason, plan.shard_size, plan.topk, plan.n) == (4, None, 1024, 2, 41)
        assert (plan.provider.name, plan.precision) == ("CPUExecutionProvider", "fp32")
        assert plan.model.name == "colours"
        assert plan.spec_hash == plan.spec.spec_hash

    def test_run_json_holds_the_clock(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        infer(colours, photos, tmp_path / "run", workers=2)
        record = json.loads((tmp_path / "run" / "run.json").read_text())
        (attempt,) = record["attempts"]
        assert (attempt["images"], attempt["workers"], attempt["outcome"]) == (41, 2, "complete")
        assert {"read", "decode", "preprocess", "run", "postprocess", "write"} <= attempt["stages"].keys()
        assert attempt["bound_by"].count("% of the workers' time") == 1
        assert record["roots"] == {"images": str(photos), "model": str(colours)}
        assert record["machine"]["cores"] >= 1
        assert "onnxruntime" in record["machine"]["versions"]

    def test_no_clock_outside_of_it(self, colours: Path, photos: Path, tmp_path: Path, written: Written) -> None:
        for name in ("one", "two"):
            infer(colours, photos, tmp_path / name, formats=["csv", "jsonl"])
        one, two = tmp_path / "one", tmp_path / "two"
        assert written(one) == written(two)
        for name in ("plan.json", "manifest.json", "inputs.parquet"):
            assert (one / name).read_bytes() == (two / name).read_bytes()

    @pytest.mark.parametrize("workers", [2, 4])
    def test_workers_do_not_change_a_byte(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written, workers: int
    ) -> None:
        settings: dict[str, Any] = {"shard_size": 9, "batch_size": 2, "formats": ["csv"]}
        infer(colours, photos, tmp_path / "one", workers=1, **settings)
        infer(colours, photos, tmp_path / "many", workers=workers, **settings)
        assert written(tmp_path / "one") == written(tmp_path / "many")

    def test_csv(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        done = infer(colours, photos, tmp_path / "run", formats=["csv"])
        lines = (tmp_path / "run" / "predictions.csv").read_text().splitlines()
        assert done.exports == (tmp_path / "run" / "predictions.csv",)
        assert lines[0] == "key,status,error,top1,p1,top2,p2,top3,p3,top4,p4,top5,p5"
        assert lines[1].startswith("new/01.png,ok,,green,0.9999")
        assert lines[31] == "new/empty.png,empty,the file is empty (0 bytes),,,,,,,,,,"

    def test_the_default_folder(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert infer(colours, photos).path == Path("runs") / f"colours-{photos.name}"

    def test_notes_are_said(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        said: list[str] = []
        infer(colours, photos, tmp_path / "run", say=said.append)
        assert said == ["Left out, not images by name: 1 (notes.txt)."]

    def test_progress_counts_to_the_end(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        seen: list[tuple[int, int]] = []
        infer(colours, photos, tmp_path / "run", batch_size=7, progress=lambda *at: seen.append(at))
        assert [total for _, total in seen] == [41] * len(seen)
        assert [done for done, _ in seen] == [0, 7, 14, 21, 28, 35, 41]

    def test_limit_draws_the_same_again(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        for name in ("a", "b"):
            infer(colours, photos, tmp_path / name, limit=10, seed=3)
        infer(colours, photos, tmp_path / "c", limit=10, seed=4)
        a, b, c = ([row.key for row in _rows(tmp_path / name)] for name in "abc")
        assert a == b == sorted(a)
        assert (len(a), a != c) == (10, True)

    def test_one_photo_can_be_a_run(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        infer(colours, photos / "new" / "01.png", tmp_path / "run")
        assert [row.key for row in _rows(tmp_path / "run")] == ["01.png"]


class TestResuming:
    @pytest.mark.parametrize("images", [1, 9, 10, 23, 38])
    def test_an_interrupted_run_goes_on_to_the_same_bytes(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written, images: int
    ) -> None:
        settings: dict[str, Any] = {"shard_size": 9, "batch_size": 2, "formats": ["csv", "jsonl"]}
        infer(colours, photos, tmp_path / "whole", **settings)
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", progress=_stop_after(images), **settings)
        assert not list((tmp_path / "run").glob("attempts/*"))  # nobody died: nothing is suspected
        assert not (tmp_path / "run" / "manifest.json").exists()
        seen: list[int] = []
        done = infer(
            colours, photos, tmp_path / "run", formats=["csv", "jsonl"], progress=lambda at, _: seen.append(at)
        )
        assert written(tmp_path / "run") == written(tmp_path / "whole")
        assert (tmp_path / "run" / "manifest.json").read_bytes() == (tmp_path / "whole" / "manifest.json").read_bytes()
        assert (seen[0], seen[-1]) == ((images - 1) // 9 * 9, 41)
        assert done.record is not None
        assert [attempt.outcome for attempt in done.record.attempts] == ["KeyboardInterrupt", "complete"]

    def test_a_complete_run_is_left_alone(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        infer(colours, photos, tmp_path / "run")
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
        done = infer(colours, photos, tmp_path / "run")
        after = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
        before.pop(tmp_path / "run" / ".lock")
        after.pop(tmp_path / "run" / ".lock")
        assert (done.ran, after) == (False, before)

    def test_a_part_that_was_deleted_is_made_again(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written
    ) -> None:
        infer(colours, photos, tmp_path / "run", shard_size=9)
        before = written(tmp_path / "run")
        (tmp_path / "run" / "parts" / "part-00002.parquet").unlink()
        assert infer(colours, photos, tmp_path / "run").ran
        assert written(tmp_path / "run") == before

    def test_a_format_can_be_had_later(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        infer(colours, photos, tmp_path / "run")
        assert infer(colours, photos, tmp_path / "run", formats=["jsonl"]).exports[0].exists()

    def test_what_was_not_typed_comes_from_the_plan(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        typed: dict[str, Any] = {"batch_size": 3, "shard_size": 8, "topk": 1, "device": "cpu"}
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", preset="tf", progress=_stop_after(12), **typed)
        plan = infer(colours, photos, tmp_path / "run").manifest.plan
        assert (plan.batch_size, plan.shard_size, plan.topk) == (3, 8, 1)
        assert [operation.op for operation in plan.spec.preprocess] == ["resize", "center_crop", "rescale"]

    def test_overwrite_starts_anew(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        infer(colours, photos, tmp_path / "run", shard_size=4, formats=["csv"])
        infer(colours, photos, tmp_path / "run", shard_size=30, overwrite=True)
        assert len(list((tmp_path / "run" / "parts").iterdir())) == 2
        assert not (tmp_path / "run" / "predictions.csv").exists()

    def test_overwrite_spares_a_folder_that_is_not_ours(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        (tmp_path / "thesis").mkdir()
        (tmp_path / "thesis" / "chapter1.tex").write_text("years of work")
        with pytest.raises(DataError, match=r"not empty and not a run folder \(it holds 'chapter1\.tex'\)"):
            infer(colours, photos, tmp_path / "thesis", overwrite=True)


class TestPace:
    def test_latency_runs_one_image_at_a_time_with_all_cores(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("cnnkit.inference._pace.available_cores", lambda: Cores(3, "as if"))
        done = infer(colours, photos, tmp_path / "run", hint="latency", limit=5)
        assert done.manifest.plan.batch_size == 1
        assert done.record is not None
        assert (done.record.attempts[0].workers, done.record.attempts[0].threads) == (1, 3)

    def test_what_is_typed_holds_before_the_hint(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        done = infer(colours, photos, tmp_path / "run", hint="latency", batch_size=4, workers=2, threads=1)
        assert done.manifest.plan.batch_size == 4
        assert done.record is not None
        assert (done.record.attempts[0].workers, done.record.attempts[0].threads) == (2, 1)

    @pytest.mark.parametrize("settings", [{"workers": 2}, {"threads": 2}, {"hint": "latency"}])
    def test_tune_chooses_for_itself(
        self, colours: Path, photos: Path, tmp_path: Path, settings: dict[str, Any]
    ) -> None:
        with pytest.raises(UsageError, match="--tune chooses workers and threads itself"):
            infer(colours, photos, tmp_path / "run", tune=True, **settings)

    def test_tuned_once_and_planned(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Written
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr("cnnkit.inference._tuning.SECONDS", 0.02)
        said: list[str] = []
        first = infer(colours, photos, tmp_path / "one", tune=True, say=said.append)
        second = infer(colours, photos, tmp_path / "two", tune=True, say=said.append)
        assert first.manifest.plan.batch_size == second.manifest.plan.batch_size
        assert any(text.startswith("Tuned: -j ") for text in said)
        assert any(text.startswith("Tuned before: -j ") for text in said)
        assert written(tmp_path / "one") == written(tmp_path / "two")

    def test_a_resumed_run_keeps_its_batches(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.setattr("cnnkit.inference._tuning.SECONDS", 0.02)
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", batch_size=3, progress=_stop_after(6))
        said: list[str] = []
        assert infer(colours, photos, tmp_path / "run", tune=True, say=said.append).manifest.plan.batch_size == 3
        assert all("-b 3" in text for text in said if "-j" in text)


class TestDynamicallyQuantised:
    """One activation scale for a whole batch: an answer depends on its neighbours, which is said."""

    TEXT = """<ir_version: 8, opset_import: ["" : 17]>
    dynamic (float[N,3,8,8] input) => (float[N,3] logits) {
        q, scale, zero = DynamicQuantizeLinear(input)
        back = DequantizeLinear(q, scale, zero)
        pooled = GlobalAveragePool(back)
        logits = Flatten<axis=1>(pooled)
    }"""

    def test_it_runs_one_at_a_time_unless_typed(self, write_model: WriteModel, photos: Path, tmp_path: Path) -> None:
        model = write_model(tmp_path / "dynamic.onnx", self.TEXT)
        said: list[str] = []
        alone = infer(model, photos, tmp_path / "alone", say=said.append).manifest
        note = (
            "Batches of 1: the model quantises dynamically, so an answer would depend on the other images of its batch."
        )
        assert (alone.plan.batch_size, alone.notes, note in said) == (1, (note,), True)
        typed = infer(model, photos, tmp_path / "typed", batch_size=8, say=said.append).manifest
        warning = "The model quantises dynamically: an answer depends on the other images of its batch of 8."
        assert (typed.plan.batch_size, typed.notes, warning in said) == (8, (warning,), True)


class TestDevices:
    def test_openvino_is_resumed_on_openvino(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written
    ) -> None:
        pytest.importorskip("onnxruntime_ep_openvino")
        settings: dict[str, Any] = {"shard_size": 9, "batch_size": 2}
        infer(colours, photos, tmp_path / "whole", device="openvino", workers=1, **settings)
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", device="openvino", progress=_stop_after(20), **settings)
        plan = infer(colours, photos, tmp_path / "run", workers=3).manifest.plan
        assert (plan.provider.name, plan.precision) == ("OpenVINOExecutionProvider", "fp32")
        assert plan.provider.options == {"INFERENCE_PRECISION_HINT": "f32"}
        assert written(tmp_path / "run") == written(tmp_path / "whole")

    def test_a_precision_that_the_device_does_not_have_is_said(
        self, colours: Path, photos: Path, tmp_path: Path
    ) -> None:
        said: list[str] = []
        plan = infer(colours, photos, tmp_path / "run", device="cpu", precision="bf16", say=said.append).manifest.plan
        assert plan.precision == "fp32"
        assert "The CPU provider computes in fp32; it makes no use of --precision bf16." in said


def test_fast_decoding_is_planned_and_changes_large_pictures_only(
    write_model: WriteModel, tmp_path: Path, shared: Path
) -> None:
    model, images = _wide(write_model, tmp_path), shared / "imagenet200" / "n01440764"
    exact = infer(model, images, tmp_path / "exact").manifest.plan
    fast = infer(model, images, tmp_path / "fast", fast_decode=True).manifest.plan
    assert (exact.fast_decode, fast.fast_decode) == (False, True)
    assert infer(model, images, tmp_path / "fast").ran is False  # taken from the plan
    with pytest.raises(DataError, match="fast decoding: True in the plan, False now"):
        infer(model, images, tmp_path / "fast", fast_decode=False)
    one, other = (_rows(tmp_path / name)[0] for name in ("exact", "fast"))
    assert (one.width, one.height, one.digest) == (other.width, other.height, other.digest)
    assert one.prediction is not None
    assert other.prediction is not None
    assert 0 < np.abs(one.prediction.scores - other.prediction.scores).max() < 0.01


class TestRefused:
    @pytest.fixture
    def begun(self, colours: Path, photos: Path, tmp_path: Path) -> Path:
        shutil.copytree(photos, tmp_path / "photos")
        with pytest.raises(KeyboardInterrupt):
            infer(colours, tmp_path / "photos", tmp_path / "run", batch_size=4, shard_size=8, progress=_stop_after(9))
        return tmp_path / "run"

    def _said(self, *args: Any, **settings: Any) -> str:
        with pytest.raises(DataError) as caught:
            infer(*args, **settings)
        text = str(caught.value)
        assert text.endswith("Give another -o, or --overwrite to start anew.")
        return text

    @pytest.mark.parametrize(
        ("settings", "difference"),
        [
            ({"batch_size": 2}, "batch size: 4 in the plan, 2 now"),
            ({"shard_size": 9}, "shard size: 8 in the plan, 9 now"),
            ({"topk": 2}, "top-k: 5 in the plan, 2 now"),
            ({"preset": "tf"}, "spec.preprocess"),
            ({"mean": (0.5,)}, "spec.preprocess"),
            ({"activation": "sigmoid"}, "spec.output.activation: softmax in the plan, sigmoid now"),
        ],
    )
    def test_other_settings(
        self, colours: Path, begun: Path, tmp_path: Path, settings: dict[str, Any], difference: str
    ) -> None:
        said = self._said(colours, tmp_path / "photos", begun, **settings)
        assert f"{begun}: holds another run; " in said
        assert difference in said

    def test_another_device(self, colours: Path, begun: Path, tmp_path: Path) -> None:
        pytest.importorskip("onnxruntime_ep_openvino")
        said = self._said(colours, tmp_path / "photos", begun, device="openvino")
        assert "provider: CPUExecutionProvider in the plan, OpenVINOExecutionProvider now" in said

    def test_another_model(self, write_model: WriteModel, begun: Path, tmp_path: Path) -> None:
        other = write_model(tmp_path / "other.onnx", spec=None)  # it would not even open with a spec of its own
        said = self._said(other, tmp_path / "photos", begun)
        assert "model: colours " in said
        assert "in the plan, other " in said

    def test_images_that_changed(self, colours: Path, begun: Path, tmp_path: Path, write_colour: WriteColour) -> None:
        photos = tmp_path / "photos"
        write_colour(photos / "new" / "aa.png", "red")
        (photos / "new" / "01.png").unlink()
        os.utime(photos / "new" / "02.png", ns=(0, 0))
        assert (
            "list of images: 1 new (new/aa.png), 1 gone (new/01.png), 1 changed (new/02.png). Give another"
        ) in self._said(colours, photos, begun)

    def test_another_version(self, colours: Path, begun: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("cnnkit.inference._planning.__version__", "99.0")
        assert "cnnkit version: 0.1.0 in the plan, 99.0 now" in self._said(colours, tmp_path / "photos", begun)

    def test_a_complete_run_of_something_else(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        infer(colours, photos, tmp_path / "run", batch_size=4)
        assert "batch size: 4 in the plan, 2 now" in self._said(colours, photos, tmp_path / "run", batch_size=2)

    def test_a_folder_that_another_process_holds(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        with (
            RunFolder.locked(tmp_path / "run"),
            pytest.raises(DataError, match=rf"another cnnkit is writing here \(process {os.getpid()} on .*\)"),
        ):
            infer(colours, photos, tmp_path / "run")


class TestBadInput:
    def test_an_empty_folder(self, colours: Path, tmp_path: Path) -> None:
        (tmp_path / "none").mkdir()
        with pytest.raises(DataError, match=r"no image here\. The folder is empty"):
            infer(colours, tmp_path / "none", tmp_path / "run")
        assert not (tmp_path / "run").exists()

    def test_a_folder_that_is_not_there(self, colours: Path, tmp_path: Path) -> None:
        with pytest.raises(DataError, match="no such file or folder"):
            infer(colours, tmp_path / "none", tmp_path / "run")

    def test_a_model_that_is_not_there(self, photos: Path, tmp_path: Path) -> None:
        with pytest.raises(ModelError, match=r"none\.onnx: No such file"):
            infer(tmp_path / "none.onnx", photos, tmp_path / "run")

    def test_no_readable_image_at_all(self, colours: Path, tmp_path: Path) -> None:
        for name in ("a.png", "b.png"):
            (tmp_path / "bad" / name).parent.mkdir(exist_ok=True)
            (tmp_path / "bad" / name).write_bytes(b"")
        for _ in range(2):  # the run is complete then, and says so again
            with pytest.raises(DataError) as caught:
                infer(colours, tmp_path / "bad", tmp_path / "run")
            assert str(caught.value) == (
                f"{tmp_path}/run: none of the 2 images could be read. The first, a.png: the file is empty (0 bytes)."
            )

    def test_on_error_fail(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"new/empty\.png: the file is empty"):
            infer(colours, photos, tmp_path / "run", shard_size=8, on_error="fail")
        assert len(list((tmp_path / "run" / "parts").iterdir())) == 3  # what came before it is kept
        assert infer(colours, photos, tmp_path / "run", shard_size=8).manifest.counts == {"empty": 1, "ok": 40}

    def test_names_and_files_that_hurt(
        self, colours: Path, tmp_path: Path, write_colour: WriteColour, written: Written
    ) -> None:
        root = tmp_path / "odd"
        for name in ('grün, "quoted".png', "UPPER.PNG", "a\nline.png", "[1].png"):
            write_colour(root / name, "red")
        (root / "folder.jpg").mkdir()
        write_colour(root / "folder.jpg" / "inside.png", "blue")
        (root / "broken.png").symlink_to("nowhere")
        write_colour(root / "x.png", "lime").rename(root / os.fsdecode(b"\xff\xfe.png"))
        os.mkfifo(root / "pipe.png")
        done = infer(colours, root, tmp_path / "run", formats=["csv", "jsonl"])
        rows = {row.key: row.status for row in _rows(tmp_path / "run")}
        assert rows[r"\xff\xfe.png"] == "ok"
        assert rows["broken.png"] == "unreadable"
        assert rows["folder.jpg/inside.png"] == "ok"
        assert done.manifest.counts["ok"] == 6
        again = json.loads((tmp_path / "run" / "predictions.jsonl").read_text().splitlines()[0])
        assert again["key"] == min(rows)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_permissions(self, colours: Path, tmp_path: Path, write_colour: WriteColour) -> None:
        write_colour(tmp_path / "p" / "a.png", "red")
        write_colour(tmp_path / "p" / "b.png", "red").chmod(0)
        infer(colours, tmp_path / "p", tmp_path / "run")
        assert [row.error for row in _rows(tmp_path / "run")] == [None, "cannot be read: Permission denied"]


class TestTheMachineFails:
    def test_out_of_memory_halves_the_batch_for_good(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run = ImageJob.run

        def tight(self: ImageJob, buffer: NDArray[Any]) -> Any:
            if len(buffer) > 4 and len(list((tmp_path / "run" / "parts").glob("*"))) >= 1:
                raise MemoryError("no more")
            return run(self, buffer)

        monkeypatch.setattr(ImageJob, "run", tight)
        said: list[str] = []
        settings: dict[str, Any] = {"batch_size": 16, "shard_size": 16, "say": said.append}
        plan = infer(colours, photos, tmp_path / "run", workers=1, **settings).manifest.plan
        assert plan.batch_size == 16
        assert [(step.batch_size, step.from_shard) for step in plan.batch_run][-1][0] == 4
        assert all(step.from_shard >= 1 for step in plan.batch_run)
        assert [text for text in said if "memory" in text] == [
            "Out of memory (no more): batches of 8 from shard 1 on.",
            "Out of memory (no more): batches of 4 from shard 1 on.",
        ]
        assert open_run(tmp_path / "run").manifest.counts == {"empty": 1, "ok": 40}  # type: ignore[union-attr]
        assert infer(colours, photos, tmp_path / "run", **settings).ran is False  # the batch size asked for still fits

    def test_out_of_memory_with_one_image(
        self, colours: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(self: ImageJob, buffer: NDArray[Any]) -> Any:
            raise MemoryError("no more")

        monkeypatch.setattr(ImageJob, "run", full)
        with pytest.raises(MachineError, match=r"out of memory with batches of 1 \(no more\)\. Fewer --workers"):
            infer(colours, photos, tmp_path / "run", batch_size=2)
        monkeypatch.undo()
        assert infer(colours, photos, tmp_path / "run").manifest.counts["ok"] == 40

    def test_a_full_disk_leaves_a_run_that_goes_on(
        self, write_model: WriteModel, tmp_path: Path, written: Written
    ) -> None:
        """A limit on the size of a file stands for the full disk: a part of 40 rows does not fit, one of 20 does."""
        model, photos = _wide(write_model, tmp_path), _noise(tmp_path / "noise", 60)
        infer(model, photos, tmp_path / "whole", shard_size=40)
        sizes = [path.stat().st_size for path in sorted((tmp_path / "whole" / "parts").iterdir())]
        limit = (min(sizes) + max(sizes)) // 2
        assert limit > (tmp_path / "whole" / "plan.json").stat().st_size
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
        try:
            with pytest.raises(OSError, match="File too large") as caught:
                infer(model, photos, tmp_path / "run", shard_size=40)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert caught.value.filename == str(tmp_path / "run" / "parts" / "part-00000.parquet")
        assert not list((tmp_path / "run" / "parts").glob(".*"))  # nothing half written stays
        infer(model, photos, tmp_path / "run")
        assert written(tmp_path / "run") == written(tmp_path / "whole")


def _wide(write_model: WriteModel, tmp_path: Path) -> Path:
    """Two hundred and fifty-six classes: parts larger than the plan."""
    text = """<ir_version: 8, opset_import: ["" : 17]>
    wide (float[N,3,16,16] input) => (float[N,256] logits) <int64[2] shape = {-1, 256}> {
        pooled = ReduceMean<axes=[1], keepdims=0>(input)
        logits = Reshape(pooled, shape)
    }"""
    spec = {
        "input": {"size": [16, 16]},
        "preprocess": [{"op": "resize", "size": [16, 16], "mode": "exact"}],
        "output": {"name": "logits"},
        "classes": [{"name": f"{at}"} for at in range(256)],
    }
    return write_model(tmp_path / "wide.onnx", text, spec)


def _noise(root: Path, n: int) -> Path:
    root.mkdir()
    random = np.random.default_rng(0)
    for at in range(n):
        Image.fromarray(random.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(root / f"{at:02d}.png")
    return root


def test_default_names() -> None:
    assert inference.default_output(Path("exported/digits.onnx"), Path("/data/some photos")) == Path(
        "runs/digits-some_photos"
    )
    assert inference.default_output(Path("m.onnx"), Path("/")) == Path("runs/m-data")
