"""Execution providers that come as packages of their own and are registered with onnxruntime: OpenVINO."""

import importlib
import threading
from typing import Any

from cnnkit.errors import DeviceError
from cnnkit.runtime._devices import OPENVINO

PACKAGE = "onnxruntime_ep_openvino"
REGISTRATION = "cnnkit_openvino"

_lock = threading.Lock()
_registered = False


def openvino_devices(onnxruntime: Any) -> list[Any]:
    """The plug-in's CPU device, registered on first use; empty when the package is not installed."""
    try:
        package = importlib.import_module(PACKAGE)
    except ImportError:
        return []
    _register(onnxruntime, package)
    return [
        device
        for device in onnxruntime.get_ep_devices()
        if device.ep_name == OPENVINO and device.ep_metadata.get("ov_device") == "CPU"
    ]


def _register(onnxruntime: Any, package: Any) -> None:
    global _registered  # onnxruntime keeps one table for the whole process
    with _lock:
        if _registered or any(device.ep_name == OPENVINO for device in onnxruntime.get_ep_devices()):
            return
        try:
            onnxruntime.register_execution_provider_library(REGISTRATION, str(package.get_library_path()))
        except Exception as error:
            raise DeviceError(
                f"device 'openvino' cannot be had: {PACKAGE} does not load into onnxruntime "
                f"{onnxruntime.__version__}: {error}. Install versions that go together: pip install -U "
                f'"cnnkit[openvino]".'
            ) from error
        _registered = True
