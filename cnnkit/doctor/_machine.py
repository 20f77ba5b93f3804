"""The machine: versions, providers that really open a session, cores, and packages that fight each other."""

import importlib
import importlib.metadata
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

from cnnkit import __version__
from cnnkit.errors import CnnkitError

PACKAGES = (
    "numpy",
    "opencv-python",
    "pillow",
    "onnx",
    "onnxruntime",
    "onnxruntime-gpu",
    "onnxruntime-ep-openvino",
    "pyarrow",
    "scikit-learn",
    "torch",
    "onnxscript",
    "kornia",
    "hotcoco",
)
OPENVINO_PLUG_IN = "onnxruntime-ep-openvino"
# distributions that unpack into the same folder: with two of them the last one installed wins, in parts
RIVALS = {
    "onnxruntime": (
        "onnxruntime",
        "onnxruntime-gpu",
        "onnxruntime-directml",
        "onnxruntime-openvino",
        "onnxruntime-qnn",
    ),
    "OpenCV": (
        "opencv-python",
        "opencv-python-headless",
        "opencv-contrib-python",
        "opencv-contrib-python-headless",
    ),
}


@dataclass(frozen=True, slots=True)
class ProviderCheck:
    """A provider that onnxruntime was built with or has been given, and whether a session opens on it."""

    name: str
    opens: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Finding:
    level: Literal["problem", "warning"]
    what: str
    mend: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The machine as cnnkit sees it; truthy when nothing keeps it from working."""

    cnnkit: str
    python: str
    platform: str
    versions: dict[str, str | None]
    providers: list[ProviderCheck]
    cores: int
    cores_reason: str
    findings: list[Finding]

    def __bool__(self) -> bool:
        return not any(finding.level == "problem" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "ok": bool(self)}


def diagnose() -> Diagnosis:
    """Look at versions, providers, cores and conflicts; opens one small session for each provider."""
    versions = {name: _version(name) for name in PACKAGES}
    findings = [*_rivals(), *_opencv(), *_compiled(), *_exporter(versions)]
    providers, trouble = _providers()
    cores, reason = _cores()
    return Diagnosis(
        cnnkit=__version__,
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.machine()}",
        versions=versions,
        providers=providers,
        cores=cores,
        cores_reason=reason,
        findings=[*findings, *trouble],
    )


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _rivals() -> list[Finding]:
    findings = []
    for family, names in RIVALS.items():
        present = [name for name in names if _version(name) is not None]
        if len(present) > 1:
            keep = "onnxruntime-gpu" if "onnxruntime-gpu" in present else present[0]
            findings.append(
                Finding(
                    "problem",
                    f"{len(present)} {family} distributions write into the same folder: {', '.join(present)}",
                    f"{_pip()} uninstall -y {' '.join(present)} && {_pip()} install {keep}",
                )
            )
    return findings


def _opencv() -> list[Finding]:
    try:
        importlib.import_module("cnnkit.images")
    except CnnkitError as error:
        return [Finding("problem", str(error), f"{_pip()} install opencv-python-headless")]
    return []


def _exporter(versions: dict[str, str | None]) -> list[Finding]:
    if versions["torch"] and not versions["onnxscript"]:
        return [
            Finding("warning", "torch is here without onnxscript: export cannot run", f"{_pip()} install onnxscript")
        ]
    return []


def _providers() -> tuple[list[ProviderCheck], list[Finding]]:
    from cnnkit import graphs, runtime

    try:
        installed = runtime.import_onnxruntime().get_available_providers()
    except CnnkitError as error:
        mend = f'{_pip()} install "cnnkit[cpu]", or "cnnkit[gpu]" for CUDA'
        return [], [Finding("problem", str(error), mend)]
    probe = graphs.probe_model()
    checks = [_tried(name, partial(runtime.open_session, probe, providers=name)) for name in installed]
    if _version(OPENVINO_PLUG_IN) and not any("OpenVINO" in name for name in installed):
        checks.append(_tried("OpenVINO plug-in", partial(runtime.open_session, probe, device="openvino")))
    if any(check.opens for check in checks):
        return checks, []
    mend = f'{_pip()} install --force-reinstall "cnnkit[cpu]"'
    return checks, [Finding("problem", "no provider opens a session", mend)]


def _tried(name: str, open_session: Callable[[], object]) -> ProviderCheck:
    try:
        open_session()
    except CnnkitError as error:
        return ProviderCheck(name, False, str(error))
    return ProviderCheck(name, True, "a session opens on it and runs a model")


def _compiled() -> list[Finding]:
    """Whether the exact resize is the compiled one; Pillow gives the same pixels, more slowly."""
    try:
        from cnnkit.images import has_compiled_resize
    except CnnkitError:
        return []  # OpenCV does not load, which has a finding of its own
    if has_compiled_resize():
        return []
    what = "the exact resize was not compiled, so Pillow does it: the same pixels, several times slower"
    return [
        Finding("warning", what, f"install a C compiler (Debian: gcc), then {_pip()} install --force-reinstall cnnkit")
    ]


def _cores() -> tuple[int, str]:
    from cnnkit import runtime

    cores = runtime.available_cores()
    return cores.count, cores.reason


def _pip() -> str:
    return f"{sys.executable} -m pip"
