"""--device and --providers to what onnxruntime is asked for, and what to say when it cannot be had."""

import ctypes
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnnkit.errors import DeviceError, UsageError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
TENSORRT = "TensorrtExecutionProvider"
OPENVINO = "OpenVINOExecutionProvider"
GPU_PROVIDERS = (CUDA, TENSORRT)

DEVICES = ("auto", "cpu", "cuda", "openvino", "tensorrt")
PRECISIONS = ("fp32", "bf16", "fp16", "int8")

INSTALL = {
    CUDA: 'pip uninstall onnxruntime; pip install "cnnkit[gpu]" (the two wheels overwrite each other)',
    TENSORRT: 'pip uninstall onnxruntime; pip install "cnnkit[gpu]" tensorrt',
    OPENVINO: 'pip install "cnnkit[openvino]"',
}
LIBRARIES = {CUDA: "onnxruntime_providers_cuda", TENSORRT: "onnxruntime_providers_tensorrt"}


@dataclass(frozen=True, slots=True)
class Provider:
    """What a session runs on: the provider, those of its options that may change an answer, its arithmetic.

    `precision` is the least precise arithmetic that the provider uses on floating-point operators; asked for again,
    it gives the same options. `notes` say where less was given than allowed.
    """

    name: str
    options: dict[str, Any] = field(default_factory=dict)
    precision: str = "fp32"
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What to try: the name that was typed, the provider wanted and what it falls back on for single operators."""

    name: str
    provider: Provider
    behind: tuple[Provider, ...] = ()
    tuning: dict[str, Any] = field(default_factory=dict)  # options that change speed and no answer

    @property
    def providers(self) -> list[tuple[str, dict[str, Any]]]:
        """As InferenceSession takes them."""
        first = (self.provider.name, {**self.provider.options, **self.tuning})
        return [first, *((each.name, each.options) for each in self.behind)]


def parse_device(device: str, *, precision: str) -> list[Request]:
    """What to try, in order; only `auto` tries more than one thing."""
    kind, _, number = device.partition(":")
    if kind not in DEVICES or (number and (kind != "cuda" or not number.isdigit())):
        raise UsageError(f"device {device!r} is not one of auto, cpu, cuda, cuda:N, openvino, tensorrt.")
    if precision not in PRECISIONS:
        raise UsageError(f"precision {precision!r} is not one of {', '.join(PRECISIONS)}.")
    cpu = Request("cpu", cpu_provider(precision))
    if kind == "cpu":
        return [cpu]
    if kind == "openvino":
        return [Request(device, Provider(OPENVINO, precision=precision), (Provider(CPU),))]
    cuda = cuda_provider(int(number or 0), precision=precision)
    if kind == "tensorrt":
        return [Request(device, tensorrt_provider(precision), (cuda, Provider(CPU)))]
    request = Request(device if kind == "cuda" else "cuda", cuda, (Provider(CPU),))
    return [request, cpu] if kind == "auto" else [request]


def cpu_provider(precision: str = "fp32") -> Provider:
    note = f"The CPU provider computes in fp32; it makes no use of --precision {precision}."
    return Provider(CPU, notes=() if precision == "fp32" else (note,))


def cuda_provider(number: int, *, precision: str) -> Provider:
    """TF32 is not fp32; HEURISTIC, because the exhaustive search costs seconds for each new shape."""
    options = {
        "device_id": str(number),
        "cudnn_conv_algo_search": "HEURISTIC",
        "use_tf32": "0" if precision == "fp32" else "1",
    }
    return Provider(CUDA, options, precision)


def tensorrt_provider(precision: str) -> Provider:
    options = {"device_id": "0"}
    if precision in ("fp16", "bf16", "int8"):
        options["trt_bf16_enable" if precision == "bf16" else "trt_fp16_enable"] = "1"
    return Provider(TENSORRT, options, precision)


def openvino_provider(precision: str, *, capabilities: str) -> Provider:
    """The precision is always said: left alone it is bf16 wherever the processor can. `capabilities` as it lists them.

    What the processor has no instructions for is computed in fp32, which is faster there and more precise.
    """
    allowed = {"fp32": (), "bf16": ("bf16",), "fp16": ("fp16", "bf16"), "int8": ("bf16", "fp16")}[precision]
    used = next((each for each in allowed if each.upper() in capabilities.split()), "fp32")
    hint = {"fp32": "f32", "bf16": "bf16", "fp16": "f16"}[used]
    note = f"OpenVINO computes in fp32: this processor has no {precision}."
    notes = (note,) if precision in ("bf16", "fp16") and used == "fp32" else ()
    return Provider(OPENVINO, {"INFERENCE_PRECISION_HINT": hint}, used, notes)


def openvino_config(provider: Provider, *, streams: int, threads: int) -> dict[str, str]:
    """The plug-in's own option: its `precision` option is ignored in silence, `load_config` is not."""
    speed = {"NUM_STREAMS": str(streams), "INFERENCE_NUM_THREADS": str(streams * threads)}
    return {"load_config": json.dumps({"CPU": {**provider.options, **speed}})}


def match_providers(text: str, available: list[str], *, precision: str) -> Request:
    """Providers by name or part of it, any case, comma separated: `dml,cpu`."""
    found: list[Provider] = []
    names = [name for name in dict.fromkeys([*available, OPENVINO]) if "." not in name]  # X.AUTO is a plug-in's alias
    for part in (word.strip() for word in text.split(",") if word.strip()):
        matching = [name for name in names if part.lower() in name.lower()]
        exact = [name for name in matching if name.lower() in (part.lower(), f"{part.lower()}executionprovider")]
        matching = exact or matching
        if len(matching) != 1:
            what = f"fits {', '.join(matching)}" if matching else "is not there"
            raise DeviceError(f"provider {part!r} {what}. onnxruntime here has {', '.join(available)}.")
        found.append(_known(matching[0], precision))
    if not found:
        raise UsageError("--providers is empty. Name one, or leave the option out.")
    return Request(text, found[0], tuple(found[1:]))


def _known(name: str, precision: str) -> Provider:
    makers = {CPU: cpu_provider, TENSORRT: tensorrt_provider}
    if name in makers:
        return makers[name](precision)
    return cuda_provider(0, precision=precision) if name == CUDA else Provider(name, precision=precision)


def device_of(provider: str, options: dict[str, Any]) -> dict[str, str]:
    """The arguments of `open_session` that give this provider again."""
    names = {CPU: "cpu", OPENVINO: "openvino", TENSORRT: "tensorrt", CUDA: f"cuda:{options.get('device_id', 0)}"}
    return {"device": names[provider]} if provider in names else {"providers": provider}


def not_installed(request: Request, available: list[str]) -> DeviceError:
    mend = INSTALL.get(request.provider.name)
    how = f" Install it: {mend}." if mend else ""
    return DeviceError(
        f"device {request.name!r} cannot be had: this onnxruntime has no {request.provider.name}, only "
        f"{', '.join(available)}.{how} Or go on without it: --allow-fallback."
    )


def not_opened(request: Request, got: list[str], *, folder: Path) -> DeviceError:
    """It is installed, and the session opened on something else; `folder` holds onnxruntime's libraries."""
    why = _why_not_loaded(request.provider.name, folder)
    return DeviceError(
        f"device {request.name!r} cannot be had: {request.provider.name} is installed, but the session opened on "
        f"{', '.join(got)}{f' ({why})' if why else ''}. Or go on without it: --allow-fallback."
    )


def not_placed(request: Request, counts: dict[str, int]) -> DeviceError:
    elsewhere = ", ".join(f"{name} {n}" for name, n in counts.items())
    return DeviceError(
        f"device {request.name!r} cannot be had: {request.provider.name} opened, but runs none of this model's "
        f"operators ({elsewhere}). Or go on without it: --allow-fallback."
    )


def _why_not_loaded(provider: str, folder: Path) -> str | None:
    """What onnxruntime only logs: why a provider's library did not load. Loading it again says it."""
    name = LIBRARIES.get(provider)
    for library in sorted(folder.glob(f"*{name}.*")) if name else []:
        try:
            ctypes.CDLL(str(library))
        except OSError as error:
            return str(error)
    return None
