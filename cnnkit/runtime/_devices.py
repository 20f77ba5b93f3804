"""--device and --providers to what onnxruntime is asked for, and what to say when it cannot be had."""

from dataclasses import dataclass, field
from typing import Any

from cnnkit.errors import DeviceError, UsageError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"

DEVICES = ("auto", "cpu", "cuda", "openvino", "tensorrt")

INSTALL = {
    CUDA: 'pip uninstall onnxruntime; pip install "cnnkit[gpu]" (the two wheels overwrite each other)',
    TENSORRT: 'pip uninstall onnxruntime; pip install "cnnkit[gpu]", and TensorRT: pip install tensorrt',
    OPENVINO: 'pip install "cnnkit[openvino]"',
}


@dataclass(frozen=True, slots=True)
class Request:
    """The providers to ask for, first choice first, each with its options; `name` is what the user typed."""

    name: str
    providers: tuple[tuple[str, dict[str, Any]], ...]

    @property
    def first(self) -> str:
        return self.providers[0][0]


@dataclass(frozen=True, slots=True)
class Provider:
    """What a session really runs on: the provider's name, the options it was given, its arithmetic."""

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    precision: str = "fp32"


def parse_device(device: str, *, precision: str) -> list[Request]:
    """What to try, in order; only `auto` tries more than one."""
    kind, _, number = device.partition(":")
    if kind not in DEVICES or (number and (kind != "cuda" or not number.isdigit())):
        raise UsageError(f"device {device!r} is not one of auto, cpu, cuda, cuda:N, openvino, tensorrt.")
    cpu = Request("cpu", ((CPU, {}),))
    if kind == "cpu":
        return [cpu]
    if kind == "openvino":
        return [Request(device, ((OPENVINO, {}),))]
    cuda = (CUDA, cuda_options(int(number or 0), precision=precision))
    if kind == "tensorrt":
        return [Request(device, ((TENSORRT, tensorrt_options(precision=precision)), cuda, (CPU, {})))]
    request = Request(device, (cuda, (CPU, {})))
    return [request, cpu] if kind == "auto" else [request]


def device_of(provider: str, options: dict[str, Any]) -> dict[str, str]:
    """The arguments of `open_session` that give this provider again."""
    names = {CPU: "cpu", OPENVINO: "openvino", TENSORRT: "tensorrt", CUDA: f"cuda:{options.get('device_id', 0)}"}
    return {"device": names[provider]} if provider in names else {"providers": provider}


def cuda_options(number: int, *, precision: str) -> dict[str, Any]:
    """HEURISTIC, because the exhaustive search costs seconds for each new shape; TF32 is not fp32."""
    return {
        "device_id": str(number),
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0" if precision == "fp32" else "1",
    }


def tensorrt_options(*, precision: str) -> dict[str, Any]:
    return {"device_id": "0", "trt_fp16_enable": str(precision == "fp16"), "trt_bf16_enable": str(precision == "bf16")}


def match_providers(text: str, available: list[str]) -> Request:
    """Providers by name or part of it, any case, comma separated: `dml,cpu`."""
    found: list[tuple[str, dict[str, Any]]] = []
    for part in (word.strip() for word in text.split(",") if word.strip()):
        matching = [name for name in available if part.lower() in name.lower()]
        exact = [name for name in matching if name.lower() in (part.lower(), f"{part.lower()}executionprovider")]
        matching = exact or matching
        if len(matching) != 1:
            what = f"fits {', '.join(matching)}" if matching else "is not there"
            raise DeviceError(f"provider {part!r} {what}. onnxruntime here has {', '.join(available)}.")
        found.append((matching[0], {}))
    if not found:
        raise UsageError("--providers is empty. Name one, or leave the option out.")
    return Request(text, tuple(found))


def not_installed(provider: str, available: list[str], *, asked: str) -> DeviceError:
    mend = INSTALL.get(provider)
    how = f"Install it: {mend}." if mend else ""
    return DeviceError(
        f"device {asked!r} cannot be had: this onnxruntime has no {provider}, only {', '.join(available)}. "
        f"{how} --allow-fallback goes on with the CPU."
    )
