"""One open model: onnxruntime's session with what it really runs on."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import DeviceError, MachineError, ModelError
from cnnkit.runtime._cores import available_cores
from cnnkit.runtime._devices import (
    CPU,
    CUDA,
    GPU_PROVIDERS,
    OPENVINO,
    Provider,
    Request,
    cpu_provider,
    match_providers,
    not_installed,
    not_opened,
    not_placed,
    openvino_config,
    openvino_provider,
    parse_device,
)
from cnnkit.runtime._plugins import openvino_devices

DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(uint8)": "uint8",
    "tensor(int8)": "int8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(bool)": "bool",
    "tensor(bfloat16)": "bfloat16",
}
OF_TORCH = (".pt", ".pth", ".pt2", ".safetensors", ".ckpt")
OUT_OF_MEMORY = ("out of memory", "bad allocation", "bad_alloc", "failed to allocate memory", "failed to alloc")


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """An input or output: its dtype as NumPy names it, its shape with None where the size is open."""

    name: str
    dtype: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        sizes = ", ".join("N" if size is None else str(size) for size in self.shape)
        return f"{self.dtype} ({sizes})"


class Session:
    """A model that runs. `run` may be called by several threads at once.

    `runners` is how many threads should call it, None for as many as there are workers; `wants_full_batches` says
    that a smaller batch costs more than filling it up.
    """

    runners: int | None = None
    wants_full_batches = False

    def __init__(self, session: Any, *, path: Path | None, provider: Provider, how: dict[str, Any]) -> None:
        self._session = session
        self.path = path
        self.provider = provider
        self.how = how  # what `open_session` needs to open the same again
        self.inputs = tuple(_info(each) for each in session.get_inputs())
        self.outputs = tuple(_info(each) for each in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def new_buffer(self, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """Zeros in the memory that a batch is best prepared in."""
        return np.zeros(shape, dtype)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """All outputs by name. MemoryError when the device has no more; onnxruntime's own errors otherwise."""
        with memory_errors():
            values = self._session.run(None, dict(feeds))
        return {info.name: value for info, value in zip(self.outputs, values, strict=True)}


@contextlib.contextmanager
def memory_errors() -> Iterator[None]:
    """Turn onnxruntime's ways of saying that memory is out into MemoryError."""
    try:
        yield
    except Exception as error:
        if any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
            raise MemoryError(first_line(error)) from error
        raise


def open_session(
    model: Path | bytes,
    *,
    device: str | None = None,
    providers: str | None = None,
    threads: int | None = None,
    streams: int | None = None,
    allow_fallback: bool = False,
    precision: str = "fp32",
) -> Session:
    """Open a model on a device, and check that it is the one that was asked for.

    Args:
        model: an .onnx file, or its bytes.
        device: auto (also None), cpu, cuda, cuda:N, openvino or tensorrt; `auto` is CUDA when that opens, else the CPU.
        providers: instead of `device`, names or parts of names of providers, comma separated.
        threads: intra-op threads of one run; 1 unless given, since workers share a session.
        streams: how many runs there are at a time, for a device that wants to know; the cores unless given.
        allow_fallback: take the CPU when the device cannot be had.
        precision: the least precise arithmetic that the provider may use.

    Raises:
        ModelError: no such file, or not an ONNX model that this onnxruntime can open.
        DeviceError: the device cannot be had.
        MachineError: no onnxruntime.
    """
    onnxruntime = import_onnxruntime()
    if isinstance(model, Path):
        _check_file(model)
    opener = _Opener(onnxruntime, model, threads or 1, streams or available_cores().count)
    available = onnxruntime.get_available_providers()
    if providers:
        asked = [match_providers(providers, available, precision=precision)]
    else:
        asked = parse_device(device or "auto", precision=precision)
    expected = device not in (None, "auto") or providers is not None or CUDA in available
    if allow_fallback and asked[-1].provider.name != CPU:
        asked.append(Request("cpu", cpu_provider(precision)))
    problems: list[DeviceError] = []
    for request in asked:
        try:
            session, provider = opener.open(request)
        except DeviceError as error:
            problems.append(error)
            continue
        notes = [*provider.notes, *([f"Running on the CPU: {problems[0]}"] if problems and expected else [])]
        how: dict[str, Any] = {"providers" if providers else "device": request.name, "precision": precision}
        how |= {"threads": threads or 1, "streams": streams}
        path = model if isinstance(model, Path) else None
        return _wrapped(session, path=path, provider=replace(provider, notes=tuple(notes)), how=how)
    raise problems[0]


def _wrapped(session: Any, *, path: Path | None, provider: Provider, how: dict[str, Any]) -> Session:
    if provider.name not in GPU_PROVIDERS:
        return Session(session, path=path, provider=provider, how=how)
    from cnnkit.runtime._gpu import GpuSession

    device_id = int(provider.options.get("device_id", 0))
    return GpuSession(session, device_id=device_id, path=path, provider=provider, how=how)


@dataclass(frozen=True, slots=True)
class _Opener:
    onnxruntime: Any
    model: Path | bytes
    threads: int
    streams: int

    def open(self, request: Request) -> tuple[Any, Provider]:
        """A session that runs on the provider asked for; DeviceError when that one cannot be had."""
        plugin: list[Any] = []
        provider = request.provider
        if provider.name == OPENVINO:
            plugin = openvino_devices(self.onnxruntime)
            capabilities = plugin[0].ep_metadata.get("OPTIMIZATION_CAPABILITIES", "") if plugin else ""
            provider = openvino_provider(provider.precision, capabilities=capabilities)
            config = openvino_config(provider, streams=self.streams, threads=self.threads)
            request = replace(request, provider=replace(provider, options={}), tuning=config)
        available = self.onnxruntime.get_available_providers()
        if provider.name not in available:
            raise not_installed(request, available)
        if provider.name in GPU_PROVIDERS:
            _preload(self.onnxruntime)
        session = self._session(request, plugin)
        got = session.get_providers()
        if got[0] != provider.name:
            raise not_opened(request, got, folder=Path(self.onnxruntime.__file__).parent / "capi")
        return session, _placed(session, request, provider)

    def _session(self, request: Request, plugin: list[Any]) -> Any:
        options = self.onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # an error comes back as an exception; its log line would only say it twice
        providers: list[Any] | None = request.providers
        if request.provider.name != CPU:
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        if plugin:
            options.add_provider_for_devices(plugin[:1], request.tuning)
            providers = None
        what = self.model if isinstance(self.model, bytes) else str(self.model)
        try:
            return self.onnxruntime.InferenceSession(what, options, providers=providers)
        except Exception as error:
            raise _not_a_model(self.model, error, self.onnxruntime.__version__) from error


def _placed(session: Any, request: Request, provider: Provider) -> Provider:
    """The provider with a note on operators that run elsewhere; DeviceError when all of them do."""
    ask = getattr(session, "get_provider_graph_assignment_info", None)
    if ask is None or provider.name == CPU:
        return provider
    counts: dict[str, int] = {}
    for part in ask():
        counts[part.ep_name] = counts.get(part.ep_name, 0) + len(part.get_nodes())
    if counts and not counts.get(provider.name):
        raise not_placed(request, counts)
    if len(counts) < 2:
        return provider
    told = ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))
    return replace(provider, notes=(*provider.notes, f"Operators by provider: {told}."))


def _preload(onnxruntime: Any) -> None:
    """CUDA and cuDNN from their Python packages, where they are; what onnxruntime prints of it is no answer."""
    preload = getattr(onnxruntime, "preload_dlls", None)
    if preload is not None:
        with contextlib.redirect_stdout(sys.stderr):
            preload()


def import_onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MachineError(
            f'onnxruntime cannot be imported ({error}). Install it: pip install "cnnkit[cpu]", '
            f'or "cnnkit[gpu]" for an NVIDIA GPU.'
        ) from error
    return onnxruntime


def first_line(error: BaseException) -> str:
    """An onnxruntime message without its code and without the lines that follow."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return text.split(" : ", 3)[-1].strip() if text.startswith("[ONNXRuntimeError]") else text


def _check_file(path: Path) -> None:
    if path.is_dir():
        raise ModelError(f"{path}: is a folder; an .onnx file was expected.")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise ModelError(f"{path}: is empty; an .onnx file was expected.")
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}; an .onnx file was expected.") from error


def _not_a_model(model: Path | bytes, error: Exception, version: str) -> ModelError:
    name = model if isinstance(model, Path) else Path("the model")
    text = str(error)
    if "rotobuf" in text and ("pars" in text or "No graph" in text):
        way = " `cnnkit export` makes one of it." if name.suffix in OF_TORCH else ""
        return ModelError(f"{name}: is not an ONNX model (its bytes do not parse as one).{way}")
    return ModelError(f"{name}: onnxruntime {version} cannot open it: {first_line(error)}")


def _info(value: Any) -> TensorInfo:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in value.shape)
    return TensorInfo(value.name, DTYPES.get(value.type, value.type), shape)
