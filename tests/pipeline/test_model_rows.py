"""Samples to rows: order, batches, bad images, fixed batches, layouts and types; one image through `predict`."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnkit import data
from cnnkit.errors import DataError, ImageError, UsageError
from cnnkit.pipeline import Model, open_model
from cnnkit.records import Classification, Row
from cnnkit.runtime import Timings

WriteModel = Callable[..., Path]
WriteColour = Callable[..., Path]


@pytest.fixture
def photos(tmp_path: Path, write_colour: WriteColour) -> Path:
    """Thirty pictures of one colour, two bad files among them."""
    root = tmp_path / "photos"
    for at in range(28):
        write_colour(root / f"{at:02d}.png", ("red", "lime", "blue")[at % 3], size=(5 + at, 30 - at))
    (root / "07b.png").write_bytes(b"")
    (root / "13b.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return root


def _named(model: Model, row: Row) -> str | None:
    return model.spec.names[row.prediction.top_ids[0]] if isinstance(row.prediction, Classification) else None


def _bytes(rows: list[Row]) -> list[tuple[Any, ...]]:
    return [
        (row.key, row.status, row.digest, row.prediction.scores.tobytes() if row.prediction else None) for row in rows
    ]


def test_every_sample_gets_its_row_in_order(colours: Path, photos: Path) -> None:
    model = open_model(colours)
    rows = list(model.rows(data.find_images(photos), batch_size=4))
    assert [row.key for row in rows] == sorted(path.name for path in photos.iterdir())
    good = [row for row in rows if row.status == "ok"]
    assert [_named(model, row) for row in good] == [("red", "green", "blue")[at % 3] for at in range(28)]
    assert [(row.height, row.width) for row in good] == [(5 + at, 30 - at) for at in range(28)]
    for row in rows:
        assert row.digest == hashlib.sha256((photos / row.key).read_bytes()).digest()


def test_scores_are_probabilities_of_the_named_classes(colours: Path, photos: Path) -> None:
    row = next(iter(open_model(colours).rows(data.find_images(photos / "00.png"))))
    assert isinstance(row.prediction, Classification)
    logits = np.array([10.0, 0.0, 0.0])
    np.testing.assert_allclose(row.prediction.scores, np.exp(logits) / np.exp(logits).sum(), rtol=1e-5)


def test_bad_images_are_rows_that_say_why(colours: Path, photos: Path) -> None:
    rows = {row.key: row for row in open_model(colours).rows(data.find_images(photos))}
    assert (rows["07b.png"].status, rows["07b.png"].error) == ("empty", "the file is empty (0 bytes)")
    assert rows["13b.jpg"].status == "corrupt"
    assert rows["13b.jpg"].prediction is None


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_workers_and_batches_do_not_change_a_bit(colours: Path, photos: Path, workers: int, batch_size: int) -> None:
    model, samples = open_model(colours), data.find_images(photos)
    alone = _bytes(list(model.rows(samples, workers=1, batch_size=batch_size)))
    assert _bytes(list(model.rows(samples, workers=workers, batch_size=batch_size))) == alone


def test_on_error_fail_names_the_image(colours: Path, photos: Path) -> None:
    rows = open_model(colours).rows(data.find_images(photos), batch_size=2, on_error="fail")
    with pytest.raises(DataError) as caught:
        list(rows)
    assert str(caught.value) == "07b.png: the file is empty (0 bytes) (--on-error skip records it and goes on)"


def test_files_that_the_system_refuses(colours: Path, photos: Path) -> None:
    samples = data.find_images(photos).take([0, 1])
    (photos / "00.png").unlink()
    (photos / "01.png").unlink()
    (photos / "01.png").symlink_to(photos / "nowhere.png")
    gone, broken = open_model(colours).rows(samples)
    assert (gone.status, gone.error) == ("unreadable", "cannot be read: No such file or directory")
    assert (broken.status, broken.error) == ("unreadable", "is a link to a file that is not there")
    assert gone.digest is None


def test_a_picture_over_the_limit(colours: Path, photos: Path) -> None:
    (row,) = open_model(colours).rows(data.find_images(photos / "00.png"), max_pixels=10)
    assert row.status == "too_large"


def test_a_file_that_no_picture_needs(colours: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = data.find_images(photos / "00.png")
    monkeypatch.setattr("cnnkit.pipeline._job.MAX_FILE_BYTES", 10)
    (row,) = open_model(colours).rows(samples)
    assert (row.status, row.error) == ("too_large", "the file is larger than 0 MiB")


def test_stages_are_timed(colours: Path, photos: Path) -> None:
    timings = Timings()
    list(open_model(colours).rows(data.find_images(photos), timings=timings))
    assert {"read", "decode", "preprocess", "run", "postprocess"} <= timings.totals().keys()


class TestBatches:
    FIXED = """<ir_version: 8, opset_import: ["" : 17]>
    fixed (float[SIZE,3,8,8] input) => (float[SIZE,3] logits) {
        pooled = GlobalAveragePool(input)
        logits = Flatten<axis=1>(pooled)
    }"""

    def _fixed(self, write_model: WriteModel, tmp_path: Path, size: int) -> Model:
        return open_model(write_model(tmp_path / f"fixed{size}.onnx", self.FIXED.replace("SIZE", str(size))))

    @pytest.mark.parametrize("size", [1, 3, 4])
    def test_a_fixed_batch_is_filled_up(
        self, write_model: WriteModel, tmp_path: Path, photos: Path, colours: Path, size: int
    ) -> None:
        model, samples = self._fixed(write_model, tmp_path, size), data.find_images(photos)
        assert model.batch_size() == (size, f"the file takes exactly {size} at a time")
        expected = [_named(model, row) for row in open_model(colours).rows(samples)]
        assert [_named(model, row) for row in model.rows(samples)] == expected

    def test_a_fixed_batch_cannot_be_typed_otherwise(self, write_model: WriteModel, tmp_path: Path) -> None:
        model = self._fixed(write_model, tmp_path, 2)
        with pytest.raises(UsageError, match=r"takes exactly 2 image\(s\) at a time, --batch-size 8 was asked for"):
            model.batch_size(8)

    def test_defaults(self, colours: Path, shared: Path) -> None:
        assert open_model(colours).batch_size() == (32, None)
        assert open_model(colours).batch_size(5) == (5, None)

    def test_a_dynamically_quantised_model_runs_one_at_a_time_unless_typed(self, shared: Path) -> None:
        model = open_model(shared / "models" / "mobilenet_v2_int8.onnx", preset="imagenet")
        size, why = model.batch_size()
        assert size == 1
        assert why is not None
        assert why.startswith("the model quantises dynamically")
        assert model.batch_size(8) == (8, None)


LAYOUTS = {
    "float16": "<ir_version: 8, opset_import: ['' : 17]> g (float16[N,3,8,8] input) => (float16[N,3] logits) "
    "{ p = GlobalAveragePool(input) logits = Flatten(p) }",
    "uint8": "<ir_version: 8, opset_import: ['' : 17]> g (uint8[N,3,8,8] input) => (float[N,3] logits) "
    "{ f = Cast<to=1>(input) p = GlobalAveragePool(f) logits = Flatten(p) }",
    "NHWC": "<ir_version: 8, opset_import: ['' : 17]> g (float[N,8,8,3] input) => (float[N,3] logits) "
    "{ t = Transpose<perm=[0,3,1,2]>(input) p = GlobalAveragePool(t) logits = Flatten(p) }",
    "BGR": "<ir_version: 8, opset_import: ['' : 17]> g (float[N,3,8,8] input) => (float[N,3] logits) "
    "<int64[3] turn = {2, 1, 0}> { r = Gather<axis=1>(input, turn) p = GlobalAveragePool(r) logits = Flatten(p) }",
}


@pytest.mark.parametrize("kind", LAYOUTS)
def test_types_layouts_and_channel_orders(
    write_model: WriteModel, write_colour: WriteColour, tmp_path: Path, kind: str
) -> None:
    given: dict[str, Any] = {"size": [8, 8]}
    given |= {"layout": kind} if kind == "NHWC" else {"channels": kind} if kind == "BGR" else {"dtype": kind}
    spec = {
        "input": given,
        "preprocess": [{"op": "resize", "size": [8, 8], "mode": "exact"}],
        "output": {"name": "logits", "activation": "none"},
        "classes": [{"name": name} for name in ("red", "green", "blue")],
    }
    path = write_model(tmp_path / f"{kind}.onnx", LAYOUTS[kind].replace("'", '"'), spec)
    answer = open_model(path).predict(write_colour(tmp_path / "c.png", "#14283c"))
    assert answer.top(3) == [("blue", 60.0), ("green", 40.0), ("red", 20.0)]


def test_an_image_on_which_the_run_fails_does_not_take_the_others_with_it(
    write_model: WriteModel, write_colour: WriteColour, tmp_path: Path
) -> None:
    # the number of bright pixels is data: reshaping them to exactly 64 fails for every picture but the white one
    text = """<ir_version: 8, opset_import: ["" : 17]>
    picky (float[1,3,8,8] input) => (float[1,3] logits) <int64[2] shape = {64, 4}> {
        bright = NonZero(input)
        shaped = Reshape(bright, shape)
        cast = Cast<to=1>(shaped)
        zero = ReduceMin<keepdims=0>(cast)
        pooled = GlobalAveragePool(input)
        flat = Flatten(pooled)
        logits = Add(flat, zero)
    }"""
    path = write_model(tmp_path / "picky.onnx", text)
    write_colour(tmp_path / "photos" / "a.png", "red")
    write_colour(tmp_path / "photos" / "b.png", "white")
    good, bad = open_model(path).rows(data.find_images(tmp_path / "photos"))
    assert good.status == "ok"
    assert bad.status == "failed"
    assert bad.error is not None
    assert "Reshape" in bad.error
    assert (bad.height, bad.width) == (12, 10)


def test_opencv_keeps_its_threads_afterwards(colours: Path, photos: Path) -> None:
    import cv2

    before = cv2.getNumThreads()
    list(open_model(colours).rows(data.find_images(photos)))
    assert cv2.getNumThreads() == before


class TestPredict:
    def test_a_path(self, colours: Path, photos: Path) -> None:
        model = open_model(colours)
        (best, p), *_ = model.predict(photos / "00.png").top()
        assert (best, p > 0.99) == ("red", True)
        assert model.predict(str(photos / "01.png")).top(1)[0][0] == "green"

    def test_bytes_and_pixels(self, colours: Path, photos: Path) -> None:
        model = open_model(colours)
        from_path = model.predict(photos / "00.png")
        from_bytes = model.predict((photos / "00.png").read_bytes())
        pixels = np.zeros((5, 30, 3), dtype=np.uint8)
        pixels[..., 0] = 255
        from_pixels = model.predict(pixels)
        assert from_path.top(3) == from_bytes.top(3) == from_pixels.top(3)
        np.testing.assert_array_equal(from_path.scores, from_pixels.scores)

    def test_a_list(self, colours: Path, photos: Path) -> None:
        answers = open_model(colours).predict([photos / f"{at:02d}.png" for at in range(6)])
        assert [answer.top(1)[0][0] for answer in answers] == ["red", "green", "blue"] * 2

    def test_an_empty_list(self, colours: Path) -> None:
        assert open_model(colours).predict([]) == []

    def test_more_than_there_are(self, colours: Path, photos: Path) -> None:
        assert len(open_model(colours).predict(photos / "00.png").top(10)) == 3

    @pytest.mark.parametrize(
        ("name", "message"),
        [("07b.png", "07b.png: the file is empty"), ("none.png", "none.png: cannot be read: No such file")],
    )
    def test_a_bad_image_is_an_error_that_names_it(self, colours: Path, photos: Path, name: str, message: str) -> None:
        with pytest.raises(ImageError) as caught:
            open_model(colours).predict(photos / name)
        assert message in str(caught.value)

    @pytest.mark.parametrize("image", [np.zeros((8, 8, 3)), np.zeros((8, 8), np.uint8), 7, np.zeros((8, 8, 4), "u1")])
    def test_what_is_no_image(self, colours: Path, image: Any) -> None:
        with pytest.raises(TypeError, match="must be a path, bytes, or a uint8 RGB array"):
            open_model(colours).predict(image)

    def test_boxes_are_for_detectors(self, colours: Path, photos: Path) -> None:
        with pytest.raises(TypeError, match="boxes is for detectors"):
            _ = open_model(colours).predict(photos / "00.png").boxes


def test_every_bad_file_is_read_or_refused_with_a_reason(colours: Path, shared: Path) -> None:
    rows = list(open_model(colours).rows(data.find_images(shared / "bad_images", all_files=True)))
    assert rows
    for row in rows:
        assert (row.status == "ok") == (row.error is None), row.key
        assert row.status != "failed", f"{row.key}: {row.error}"
        assert row.digest is not None
