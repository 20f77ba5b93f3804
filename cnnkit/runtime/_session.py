"""One open model: onnxruntime's session with what it really runs on."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from cnnkit.errors import DeviceError, MachineError, ModelError
from cnnkit.runtime._devices import CPU, Provider, Request, match_providers, not_installed, parse_device

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
    """A model that runs. `run` may be called by several threads at once."""

    def __init__(self, session: Any, *, path: Path | None, provider: Provider, how: dict[str, Any]) -> None:
        self._session = session
        self.path = path
        self.provider = provider
        self.how = how  # what `open_session` needs to open the same again
        self.inputs = tuple(_info(each) for each in session.get_inputs())
        self.outputs = tuple(_info(each) for each in session.get_outputs())
        self.metadata: dict[str, str] = dict(session.get_modelmeta().custom_metadata_map)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """All outputs by name. MemoryError when the device has no more; onnxruntime's own errors otherwise."""
        try:
            values = self._session.run(None, dict(feeds))
        except Exception as error:
            if any(sign in str(error).lower() for sign in OUT_OF_MEMORY):
                raise MemoryError(first_line(error)) from error
            raise
        return {info.name: value for info, value in zip(self.outputs, values, strict=True)}


def open_session(
    model: Path | bytes,
    *,
    device: str | None = None,
    providers: str | None = None,
    threads: int | None = None,
    allow_fallback: bool = False,
    precision: str = "fp32",
) -> Session:
    """Open a model on a device, and check that it is the one that was asked for.

    Args:
        model: an .onnx file, or its bytes.
        device: auto (also None), cpu, cuda, cuda:N, openvino or tensorrt; `auto` is CUDA when that opens, else the CPU.
        providers: instead of `device`, names or parts of names of providers, comma separated.
        threads: intra-op threads of one run; 1 unless given, since workers share a session.
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
    available = onnxruntime.get_available_providers()
    asked = [match_providers(providers, available)] if providers else parse_device(device or "auto", precision=precision)
    if allow_fallback and asked[-1].first != CPU:
        asked.append(Request("cpu", ((CPU, {}),)))
    problem: DeviceError | None = None
    for request in asked:
        if request.first not in available:
            problem = problem or not_installed(request.first, available, asked=request.name)
            continue
        session = _open(onnxruntime, model, request, threads=threads or 1)
        got = session.get_providers()
        if got[0] == request.first:
            how = {
                "providers" if providers else "device": request.name,
                "threads": threads or 1,
                "precision": precision,
            }
            provider = Provider(got[0], _given_options(session, request))
            return Session(session, path=model if isinstance(model, Path) else None, provider=provider, how=how)
        problem = DeviceError(f"device {request.name!r} cannot be had: the session opened on {', '.join(got)}.")
    raise problem or DeviceError(f"no device can be had: this onnxruntime has {', '.join(available)}.")


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


def _open(onnxruntime: Any, model: Path | bytes, request: Request, *, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # an error comes back as an exception; its log line would only say it twice
    what = model if isinstance(model, bytes) else str(model)
    try:
        return onnxruntime.InferenceSession(what, options, providers=list(request.providers))
    except Exception as error:
        raise _not_opened(model, error, onnxruntime.__version__) from error


def _not_opened(model: Path | bytes, error: Exception, version: str) -> ModelError:
    name = model if isinstance(model, Path) else "the model"
    text = str(error)
    if "rotobuf" in text and ("pars" in text or "No graph" in text):
        return ModelError(f"{name}: is not an ONNX model (its bytes do not parse as one).")
    return ModelError(f"{name}: onnxruntime {version} cannot open it: {first_line(error)}")


def _given_options(session: Any, request: Request) -> dict[str, Any]:
    asked = dict(request.providers)[request.first]
    real = session.get_provider_options().get(request.first, {})
    return {name: real.get(name, value) for name, value in sorted(asked.items())}


def _info(value: Any) -> TensorInfo:
    shape = tuple(size if isinstance(size, int) and size > 0 else None for size in value.shape)
    return TensorInfo(value.name, DTYPES.get(value.type, value.type), shape)
