"""The GPU class on a fake device with onnxruntime's contract: what is copied, bound, kept and filled up.

No GPU takes part: what the fake computes is NumPy's.
"""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cnnkit import data
from cnnkit.pipeline import open_model
from cnnkit.records import Classification
from cnnkit.runtime import open_session
from cnnkit.runtime._gpu import GpuSession

WriteColour = Callable[..., Path]


class FakeValue:
    """Memory of the device."""

    made = 0

    def __init__(self, shape: tuple[int, ...], dtype: Any) -> None:
        FakeValue.made += 1
        self.array = np.zeros(shape, dtype=dtype)

    @staticmethod
    def ortvalue_from_shape_and_type(shape: tuple[int, ...], dtype: Any, device: str, number: int) -> "FakeValue":
        assert (device, number) == ("cuda", 1)
        return FakeValue(shape, dtype)

    def shape(self) -> list[int]:
        return list(self.array.shape)

    def update_inplace(self, array: NDArray[Any]) -> None:
        assert array.flags.c_contiguous
        np.copyto(self.array, array)


class FakeBinding:
    def __init__(self) -> None:
        self.inputs: dict[str, FakeValue] = {}
        self.outputs: list[tuple[str, str]] = []
        self.results: list[NDArray[Any]] = []

    def bind_ortvalue_input(self, name: str, value: FakeValue) -> None:
        self.inputs[name] = value

    def bind_output(self, name: str, device: str) -> None:
        self.outputs.append((name, device))

    def copy_outputs_to_cpu(self) -> list[NDArray[Any]]:
        return self.results


class FakeGpuSession:
    """Means over the pixels, as the model of colours computes them."""

    def __init__(self, metadata: dict[str, str], *, memory: int) -> None:
        self.metadata = metadata
        self.memory = memory
        self.shapes: list[tuple[int, ...]] = []
        self.threads: set[int] = set()

    def get_providers(self) -> list[str]:
        return ["CUDAExecutionProvider", "CPUExecutionProvider"]

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="input", type="tensor(float)", shape=["N", 3, 8, 8])]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="logits", type="tensor(float)", shape=["N", 3])]

    def get_modelmeta(self) -> Any:
        return SimpleNamespace(custom_metadata_map=self.metadata)

    def io_binding(self) -> FakeBinding:
        return FakeBinding()

    def run_with_iobinding(self, binding: FakeBinding) -> None:
        array = binding.inputs["input"].array
        if len(array) > self.memory:
            raise RuntimeError("CUDA failure 2: out of memory ; GPU=1")
        self.shapes.append(array.shape)
        self.threads.add(threading.get_ident())
        binding.results = [array.mean(axis=(2, 3))]


@pytest.fixture
def device(colours: Path, monkeypatch: pytest.MonkeyPatch) -> FakeGpuSession:
    session = FakeGpuSession(open_session(colours, device="cpu").metadata, memory=64)
    FakeValue.made = 0
    fake = SimpleNamespace(
        __version__="9.9",
        __file__="/nowhere/__init__.py",
        OrtValue=FakeValue,
        get_available_providers=lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"],
        SessionOptions=lambda: SimpleNamespace(add_session_config_entry=lambda key, value: None),
        InferenceSession=lambda model, options, providers: session,
    )
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)  # type: ignore[arg-type]
    return session


@pytest.fixture
def photos(tmp_path: Path, write_colour: WriteColour) -> Path:
    for at in range(19):
        write_colour(tmp_path / "photos" / f"{at:02d}.png", ("red", "lime", "blue")[at % 3])
    return tmp_path / "photos"


def test_memory_of_the_device_is_kept_from_batch_to_batch(colours: Path, device: FakeGpuSession) -> None:
    session = open_session(colours, device="cuda:1")
    assert (session.runners, session.wants_full_batches) == (2, True)
    for seed in range(3):
        feed = np.random.default_rng(seed).random((4, 3, 8, 8), dtype=np.float32)
        np.testing.assert_allclose(session.run({"input": feed})["logits"], feed.mean(axis=(2, 3)))
    assert FakeValue.made == 1
    session.run({"input": feed[:2]})
    assert FakeValue.made == 2  # another shape


def test_a_full_device_is_a_memory_error(colours: Path, device: FakeGpuSession) -> None:
    session = open_session(colours, device="cuda:1")
    with pytest.raises(MemoryError, match="out of memory"):
        session.run({"input": np.zeros((65, 3, 8, 8), np.float32)})


def test_rows_come_in_full_batches_from_two_runners(colours: Path, device: FakeGpuSession, photos: Path) -> None:
    model = open_model(colours, device="cuda:1")
    rows = list(model.rows(data.find_images(photos), batch_size=8, workers=4))
    assert [row.key for row in rows] == [f"{at:02d}.png" for at in range(19)]
    named = [model.spec.names[row.prediction.top_ids[0]] for row in rows if isinstance(row.prediction, Classification)]
    assert named == [("red", "green", "blue")[at % 3] for at in range(19)]
    assert device.shapes == [(8, 3, 8, 8)] * 3  # the last three are filled up
    assert len(device.threads) <= 2


def test_tensorrt_is_the_same_class(colours: Path, device: FakeGpuSession, monkeypatch: pytest.MonkeyPatch) -> None:
    both = ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(sys.modules["onnxruntime"], "get_available_providers", lambda: both)
    monkeypatch.setattr(device, "get_providers", lambda: both)
    session = open_session(colours, device="tensorrt")
    assert (type(session).__name__, session.provider.name) == ("GpuSession", "TensorrtExecutionProvider")


@pytest.mark.parametrize("dtype", ["float", "float16", "uint8"])
def test_the_calls_are_onnxruntimes_own(write_model: Callable[..., Path], tmp_path: Path, dtype: str) -> None:
    """The same class over a real session, its memory being the computer's."""
    import onnxruntime

    text = f"""<ir_version: 8, opset_import: ["" : 17]>
    twice ({dtype}[N,4] x) => ({dtype}[N,4] y, int64[2] size) {{ y = Add(x, x) size = Shape(x) }}"""
    path = write_model(tmp_path / "twice.onnx", text, None)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    provider = open_session(path).provider
    bound = GpuSession(session, device_id=0, memory="cpu", path=path, provider=provider, how={})
    for n in (2, 2, 3):
        feed = np.arange(4 * n).reshape(n, 4).astype(bound.inputs[0].dtype)
        outputs = bound.run({"x": feed})
        np.testing.assert_array_equal(outputs["y"], feed * 2)
        assert outputs["y"].dtype == feed.dtype
        assert outputs["size"].tolist() == [n, 4]


def _over_a_real_session(path: Path) -> GpuSession:
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    provider = open_session(path).provider
    return GpuSession(session, device_id=0, memory="cpu", path=path, provider=provider, how={})


def test_batches_are_prepared_in_memory_that_the_device_reads(colours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    asked = []
    real = onnxruntime.OrtValue.ortvalue_from_shape_and_type

    def pinned(shape: tuple[int, ...], dtype: Any, *, memory_info: str) -> Any:
        asked.append(memory_info)
        return real(shape, dtype)

    place = SimpleNamespace(ep_name="CPUExecutionProvider", memory_info=lambda kind: f"host memory, {kind.name}")
    monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda: [place])
    monkeypatch.setattr(onnxruntime.OrtValue, "ortvalue_from_shape_and_type", pinned)
    bound = _over_a_real_session(colours)
    buffer = bound.new_buffer((4, 3, 8, 8), "float32")
    assert (asked, buffer.shape, buffer.dtype, buffer.any()) == (
        ["host memory, HOST_ACCESSIBLE"], (4, 3, 8, 8), np.float32, np.False_,
    )  # fmt: skip
    assert buffer.ctypes.data == bound._pinned[0].data_ptr()


def test_without_such_memory_ordinary_memory_serves(colours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    bound = _over_a_real_session(colours)
    for devices in ([], [SimpleNamespace(ep_name="CPUExecutionProvider", memory_info=lambda kind: None)]):
        monkeypatch.setattr(onnxruntime, "get_ep_devices", lambda devices=devices: devices)
        buffer = bound.new_buffer((2, 4), "float16")
        assert (buffer.shape, buffer.dtype, buffer.any()) == ((2, 4), np.float16, np.False_)
    assert bound._pinned == []
