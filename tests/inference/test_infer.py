"""A folder to a run folder: what it holds, what is resumed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnkit import inference
from cnnkit.errors import DataError
from cnnkit.inference import infer
from cnnkit.records import Row

WriteModel = Callable[..., Path]
WriteColour = Callable[..., Path]
Written = Callable[[Path], dict[str, bytes]]
RowsOf = Callable[[Path], list[Row]]
StopAfter = Callable[[int], Callable[[int, int], None]]


class TestARunFolder:
    def test_what_it_holds(self, colours: Path, photos: Path, tmp_path: Path) -> None:
        done = infer(colours, photos, tmp_path / "run", shard_size=16, batch_size=4)
        run = tmp_path / "run"
        names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
        parts = {f"parts/part-0000{at}.parquet" for at in range(3)}
        assert names == {".lock", "plan.json", "inputs.parquet", "manifest.json", "run.json", *parts}
        assert done.manifest.counts == {"empty": 1, "ok": 40}
        assert (done.ran, done.path, done.exports) == (True, run, ())

    def test_rows_are_in_key_order(self, colours: Path, photos: Path, tmp_path: Path, rows_of: RowsOf) -> None:
        infer(colours, photos, tmp_path / "run", shard_size=16)
        keys = [row.key for row in rows_of(tmp_path / "run")]
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

    def test_limit_draws_the_same_again(self, colours: Path, photos: Path, tmp_path: Path, rows_of: RowsOf) -> None:
        for name in ("a", "b"):
            infer(colours, photos, tmp_path / name, limit=10, seed=3)
        infer(colours, photos, tmp_path / "c", limit=10, seed=4)
        a, b, c = ([row.key for row in rows_of(tmp_path / name)] for name in "abc")
        assert a == b == sorted(a)
        assert (len(a), a != c) == (10, True)

    def test_one_photo_can_be_a_run(self, colours: Path, photos: Path, tmp_path: Path, rows_of: RowsOf) -> None:
        infer(colours, photos / "new" / "01.png", tmp_path / "run")
        assert [row.key for row in rows_of(tmp_path / "run")] == ["01.png"]


class TestResuming:
    @pytest.mark.parametrize("images", [1, 9, 10, 23, 38])
    def test_an_interrupted_run_goes_on_to_the_same_bytes(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written, images: int, stop_after: StopAfter
    ) -> None:
        settings: dict[str, Any] = {"shard_size": 9, "batch_size": 2, "formats": ["csv", "jsonl"]}
        infer(colours, photos, tmp_path / "whole", **settings)
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", progress=stop_after(images), **settings)
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

    def test_what_was_not_typed_comes_from_the_plan(
        self, colours: Path, photos: Path, tmp_path: Path, stop_after: StopAfter
    ) -> None:
        typed: dict[str, Any] = {"batch_size": 3, "shard_size": 8, "topk": 1, "device": "cpu"}
        with pytest.raises(KeyboardInterrupt):
            infer(colours, photos, tmp_path / "run", preset="tf", progress=stop_after(12), **typed)
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


def test_default_names() -> None:
    assert inference.default_output(Path("exported/digits.onnx"), Path("/data/some photos")) == Path(
        "runs/digits-some_photos"
    )
    assert inference.default_output(Path("m.onnx"), Path("/")) == Path("runs/m-data")
