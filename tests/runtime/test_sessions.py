"""Sessions: what opens, what does not, and what each says about it."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cnnkit.errors import DeviceError, MachineError, ModelError, UsageError
from cnnkit.runtime import Provider, device_of, open_session

WriteModel = Callable[..., Path]
FEED = np.linspace(0, 1, 2 * 3 * 8 * 8, dtype=np.float32).reshape(2, 3, 8, 8)


def test_a_session_says_what_it_takes_and_gives(colours: Path) -> None:
    session = open_session(colours, device="cpu")
    assert [(info.name, info.dtype, info.shape) for info in session.inputs] == [("input", "float32", (None, 3, 8, 8))]
    assert [str(info) for info in session.outputs] == ["float32 (N, 3)"]
    assert list(session.metadata) == ["cnnkit.spec"]
    assert session.provider == Provider("CPUExecutionProvider")
    assert session.path == colours


def test_run_gives_outputs_by_name(colours: Path) -> None:
    outputs = open_session(colours).run({"input": FEED})
    np.testing.assert_allclose(outputs["logits"], FEED.mean(axis=(2, 3)), rtol=1e-5)


def test_a_model_can_come_as_bytes(colours: Path) -> None:
    session = open_session(colours.read_bytes())
    assert session.path is None
    assert session.run({"input": FEED})["logits"].shape == (2, 3)


def test_a_session_opens_again_as_it_was(colours: Path) -> None:
    session = open_session(colours, device="auto", threads=2)
    again = open_session(colours, **session.how)
    assert (again.provider, again.how) == (session.provider, session.how)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "model.onnx: is empty; an .onnx file was expected."),
        (b"hello, world", "model.onnx: is not an ONNX model (its bytes do not parse as one)."),
        (b"\x89PNG\r\n\x1a\n" + b"x" * 99, "model.onnx: is not an ONNX model (its bytes do not parse as one)."),
    ],
)
def test_bytes_that_are_no_model(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        open_session(path)
    assert str(caught.value) == f"{tmp_path}/{message}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.onnx: No such file or directory; an \.onnx file was expected"):
        open_session(tmp_path / "gone.onnx")


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is a folder"):
        open_session(tmp_path)


def test_an_operator_that_onnxruntime_does_not_have(write_model: WriteModel, tmp_path: Path) -> None:
    text = """<ir_version: 8, opset_import: ["" : 17, "elsewhere" : 1]>
    g (float[N,3] x) => (float[N,3] y) { y = elsewhere.Frobnicate(x) }"""
    path = write_model(tmp_path / "odd.onnx", text, None)
    with pytest.raises(ModelError, match=r"odd\.onnx: onnxruntime \S+ cannot open it: .*Frobnicate"):
        open_session(path)


def test_without_onnxruntime(colours: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MachineError, match=r'Install it: pip install "cnnkit\[cpu\]"'):
        open_session(colours)


@pytest.mark.parametrize("device", ["gpu", "cpu:1", "cuda:x"])
def test_unknown_devices(colours: Path, device: str) -> None:
    with pytest.raises(UsageError, match="is not one of auto, cpu, cuda, cuda:N, openvino, tensorrt"):
        open_session(colours, device=device)


def test_unknown_precision(colours: Path) -> None:
    with pytest.raises(UsageError, match="precision 'half' is not one of fp32, bf16, fp16, int8"):
        open_session(colours, precision="half")


def test_the_cpu_says_that_it_knows_one_precision(colours: Path) -> None:
    provider = open_session(colours, device="cpu", precision="bf16").provider
    assert provider.precision == "fp32"
    assert provider.notes == ("The CPU provider computes in fp32; it makes no use of --precision bf16.",)


class FakeSession:
    """What onnxruntime gives; `placed` is how many operators each provider got."""

    def __init__(self, providers: list[str], placed: dict[str, int]) -> None:
        self._providers = providers
        self._placed = placed

    def get_providers(self) -> list[str]:
        return self._providers

    def get_inputs(self) -> list[Any]:
        return [SimpleNamespace(name="input", type="tensor(float)", shape=["N", 3, 8, 8])]

    def get_outputs(self) -> list[Any]:
        return [SimpleNamespace(name="logits", type="tensor(float)", shape=["N", 3])]

    def get_modelmeta(self) -> Any:
        return SimpleNamespace(custom_metadata_map={})

    def get_provider_graph_assignment_info(self) -> list[Any]:
        return [SimpleNamespace(ep_name=name, get_nodes=lambda n=n: [None] * n) for name, n in self._placed.items()]


class FakeOnnxruntime:
    """An onnxruntime with providers of our choice; `opens` are those on which a session really opens."""

    __version__ = "9.9"
    __file__ = "/nowhere/onnxruntime/__init__.py"

    def __init__(self, *available: str, opens: tuple[str, ...], placed: dict[str, int] | None = None) -> None:
        self.available = list(available)
        self.opens = opens
        self.placed = placed
        self.asked: list[list[Any]] = []
        self.calls: list[str] = []

    def get_available_providers(self) -> list[str]:
        return self.available

    def preload_dlls(self) -> None:
        print("Failed to load libsomething")  # noqa: T201
        self.calls.append("preload")

    def SessionOptions(self) -> Any:
        return SimpleNamespace(add_session_config_entry=lambda key, value: self.calls.append(key))

    def InferenceSession(self, model: Any, options: Any, *, providers: list[Any]) -> FakeSession:
        self.asked.append(providers)
        self.calls.append("open")
        got = [name for name, _ in providers if name in self.opens] or ["CPUExecutionProvider"]
        return FakeSession(got, self.placed if self.placed is not None else {got[0]: 5})


CPU, CUDA, TENSORRT = "CPUExecutionProvider", "CUDAExecutionProvider", "TensorrtExecutionProvider"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeOnnxruntime], FakeOnnxruntime]:
    def put(fake: FakeOnnxruntime) -> FakeOnnxruntime:
        monkeypatch.setitem(sys.modules, "onnxruntime", fake)  # type: ignore[arg-type]
        return fake

    return put


def test_auto_takes_cuda_when_it_opens(colours: Path, use: Any, capsys: pytest.CaptureFixture[str]) -> None:
    fake = use(FakeOnnxruntime(CUDA, CPU, opens=(CUDA, CPU)))
    session = open_session(colours)
    assert session.provider.name == CUDA
    assert fake.calls == ["preload", "session.record_ep_graph_assignment_info", "open"]
    assert capsys.readouterr().out == ""  # what preloading prints is no answer
    assert fake.asked == [
        [(CUDA, {"device_id": "0", "cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}), (CPU, {})]
    ]


def test_auto_takes_the_cpu_and_says_so_when_cuda_does_not_open(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(CUDA, CPU, opens=(CPU,)))
    provider = open_session(colours).provider
    assert provider.name == CPU
    assert provider.notes == (
        "Running on the CPU: device 'cuda' cannot be had: CUDAExecutionProvider is installed, but the session opened "
        "on CPUExecutionProvider. Or go on without it: --allow-fallback.",
    )


def test_auto_takes_the_cpu_in_silence_when_there_is_no_cuda(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(CPU, opens=(CPU,)))
    assert open_session(colours).provider == Provider(CPU)


def test_auto_never_takes_anything_else(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(TENSORRT, CPU, opens=(TENSORRT, CPU)))
    assert open_session(colours).provider.name == CPU


def test_cuda_that_falls_back_is_an_error(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(CUDA, CPU, opens=(CPU,)))
    with pytest.raises(DeviceError, match="device 'cuda:1' cannot be had: CUDAExecutionProvider is installed, but"):
        open_session(colours, device="cuda:1")


def test_cuda_that_is_not_installed_says_what_to_install(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(CPU, opens=(CPU,)))
    with pytest.raises(DeviceError) as caught:
        open_session(colours, device="cuda")
    assert str(caught.value) == (
        "device 'cuda' cannot be had: this onnxruntime has no CUDAExecutionProvider, only CPUExecutionProvider. "
        'Install it: pip uninstall onnxruntime; pip install "cnnkit[gpu]" (the two wheels overwrite each other). '
        "Or go on without it: --allow-fallback."
    )


def test_fallback_is_taken_when_allowed_and_said(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(CPU, opens=(CPU,)))
    provider = open_session(colours, device="cuda", allow_fallback=True).provider
    assert provider.name == CPU
    assert provider.notes[0].startswith("Running on the CPU: device 'cuda' cannot be had")


def test_a_provider_that_runs_no_operator_was_not_obtained(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(CUDA, CPU, opens=(CUDA, CPU), placed={CPU: 7}))
    with pytest.raises(DeviceError, match="runs none of this model's operators \\(CPUExecutionProvider 7\\)"):
        open_session(colours, device="cuda")


def test_operators_that_run_elsewhere_are_noted(colours: Path, use: Any) -> None:
    use(FakeOnnxruntime(CUDA, CPU, opens=(CUDA, CPU), placed={CUDA: 90, CPU: 3}))
    notes = open_session(colours, device="cuda").provider.notes
    assert notes == ("Operators by provider: CPUExecutionProvider 3, CUDAExecutionProvider 90.",)


def test_tensorrt_stands_before_cuda_and_cpu(colours: Path, use: Any) -> None:
    fake = use(FakeOnnxruntime(TENSORRT, CUDA, CPU, opens=(TENSORRT, CUDA, CPU)))
    session = open_session(colours, device="tensorrt", precision="fp16")
    assert (session.provider.name, session.provider.precision) == (TENSORRT, "fp16")
    assert [name for name, _ in fake.asked[0]] == [TENSORRT, CUDA, CPU]
    assert fake.asked[0][0][1]["trt_fp16_enable"] == "1"


def test_cuda_number_and_precision_reach_the_provider(colours: Path, use: Any) -> None:
    fake = use(FakeOnnxruntime(CUDA, CPU, opens=(CUDA, CPU)))
    session = open_session(colours, device="cuda:3", precision="bf16")
    assert fake.asked[0][0][1]["device_id"] == "3"
    assert session.provider.options["use_tf32"] == "1"
    assert device_of(CUDA, session.provider.options) == {"device": "cuda:3"}


@pytest.mark.parametrize(
    ("typed", "names"),
    [("cpu", [CPU]), ("CUDA,cpu", [CUDA, CPU]), ("dml, cpu", ["DmlExecutionProvider", CPU]), ("tensorrt", [TENSORRT])],
)
def test_providers_by_partial_name(colours: Path, use: Any, typed: str, names: list[str]) -> None:
    available = (TENSORRT, CUDA, "DmlExecutionProvider", CPU)
    fake = use(FakeOnnxruntime(*available, opens=available))
    assert open_session(colours, providers=typed).provider.name == names[0]
    assert [name for name, _ in fake.asked[0]] == names


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("rocm", "provider 'rocm' is not there. onnxruntime here has CUDAExecutionProvider, CPUExecutionProvider."),
        ("execution", "provider 'execution' fits CUDAExecutionProvider, CPUExecutionProvider, OpenVINOExec"),
    ],
)
def test_providers_that_fit_none_or_several(colours: Path, use: Any, typed: str, message: str) -> None:
    use(FakeOnnxruntime(CUDA, CPU, opens=(CUDA, CPU)))
    with pytest.raises(DeviceError) as caught:
        open_session(colours, providers=typed)
    assert str(caught.value).startswith(message)


def test_out_of_memory_is_a_memory_error(colours: Path) -> None:
    class Full(FakeSession):
        def run(self, names: Any, feeds: Any) -> Any:
            raise RuntimeError("[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for 9999 bytes")

    session = open_session(colours)
    session._session = Full([CPU], {})
    with pytest.raises(MemoryError, match="Failed to allocate memory for 9999 bytes"):
        session.run({"input": FEED})


class TestOpenVino:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("onnxruntime_ep_openvino")

    def test_it_runs_every_operator_in_fp32_and_agrees_with_the_cpu(self, shared: Path) -> None:
        model = shared / "models" / "cifar10_tutorial.onnx"
        there, here = open_session(model, device="openvino"), open_session(model, device="cpu")
        assert there.provider == Provider("OpenVINOExecutionProvider", {"INFERENCE_PRECISION_HINT": "f32"})
        feed = {here.inputs[0].name: np.random.default_rng(0).standard_normal((4, 3, 32, 32)).astype(np.float32)}
        name = here.outputs[0].name
        np.testing.assert_allclose(there.run(feed)[name], here.run(feed)[name], rtol=1e-4, atol=1e-4)

    def test_by_provider_name_too(self, colours: Path) -> None:
        assert open_session(colours, providers="openvino").provider.name == "OpenVINOExecutionProvider"

    def test_threads_may_share_a_session(self, colours: Path) -> None:
        from concurrent.futures import ThreadPoolExecutor

        session = open_session(colours, device="openvino", streams=2)
        feeds = [FEED + at for at in range(16)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda feed: session.run({"input": feed})["logits"], feeds))
        for feed, answer in zip(feeds, answers, strict=True):
            np.testing.assert_allclose(answer, feed.mean(axis=(2, 3)), rtol=1e-4)


def test_openvino_without_its_package(colours: Path, use: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_openvino", None)
    use(FakeOnnxruntime(CPU, opens=(CPU,)))
    with pytest.raises(DeviceError, match=r'Install it: pip install "cnnkit\[openvino\]"'):
        open_session(colours, device="openvino")


def test_a_file_of_torch_is_sent_to_export(tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(b"hello, world")
    with pytest.raises(ModelError, match=r"is not an ONNX model .* `cnnkit export` makes one of it\."):
        open_session(path)
