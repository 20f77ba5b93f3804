"""What a run refuses, what bad images get, and what is left when the machine fails."""

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

from cnnkit.errors import DataError, MachineError, ModelError
from cnnkit.inference import infer
from cnnkit.pipeline._job import ImageJob
from cnnkit.predictions import RunFolder, open_run
from cnnkit.records import Row

WriteModel = Callable[..., Path]
WriteColour = Callable[..., Path]
Written = Callable[[Path], dict[str, bytes]]
RowsOf = Callable[[Path], list[Row]]
StopAfter = Callable[[int], Callable[[int, int], None]]


class TestRefused:
    @pytest.fixture
    def begun(self, colours: Path, photos: Path, tmp_path: Path, stop_after: StopAfter) -> Path:
        shutil.copytree(photos, tmp_path / "photos")
        with pytest.raises(KeyboardInterrupt):
            infer(colours, tmp_path / "photos", tmp_path / "run", batch_size=4, shard_size=8, progress=stop_after(9))
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
        self, colours: Path, tmp_path: Path, write_colour: WriteColour, written: Written, rows_of: RowsOf
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
        rows = {row.key: row.status for row in rows_of(tmp_path / "run")}
        assert rows[r"\xff\xfe.png"] == "ok"
        assert rows["broken.png"] == "unreadable"
        assert rows["folder.jpg/inside.png"] == "ok"
        assert done.manifest.counts["ok"] == 6
        again = json.loads((tmp_path / "run" / "predictions.jsonl").read_text().splitlines()[0])
        assert again["key"] == min(rows)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_permissions(self, colours: Path, tmp_path: Path, write_colour: WriteColour, rows_of: RowsOf) -> None:
        write_colour(tmp_path / "p" / "a.png", "red")
        write_colour(tmp_path / "p" / "b.png", "red").chmod(0)
        infer(colours, tmp_path / "p", tmp_path / "run")
        assert [row.error for row in rows_of(tmp_path / "run")] == [None, "cannot be read: Permission denied"]


class TestTheMachineFails:
    def test_out_of_memory_halves_the_batch_for_good(
        self, colours: Path, photos: Path, tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run, sizes = ImageJob.run, list[int]()

        def tight(self: ImageJob, buffer: NDArray[Any]) -> Any:
            sizes.append(len(buffer))
            if len(buffer) > 4 and len(sizes) > 1:  # the first batch, which is the first shard, still fits
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
