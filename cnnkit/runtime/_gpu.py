"""A session on a GPU: batches are prepared in pinned memory and copied into memory of the device that is kept.

CUDA and TensorRT go through this class alike.
"""

import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.runtime._session import Session, memory_errors

IN_FLIGHT = 2  # one batch is copied while the other is computed


class GpuSession(Session):
    """Runs by IO binding. Every new shape costs a search for algorithms, so callers fill up the last batch."""

    runners = IN_FLIGHT
    wants_full_batches = True

    def __init__(self, session: Any, *, device_id: int, memory: str = "cuda", **facts: Any) -> None:
        super().__init__(session, **facts)
        self._device_id = device_id
        self._memory = memory  # as onnxruntime names it
        self._kept = threading.local()
        self._pinned: list[Any] = []  # as long as the session lives: arrays lie in them

    def new_buffer(self, shape: tuple[int, ...], dtype: str) -> NDArray[Any]:
        """Zeros in page-locked memory, which the device copies from by itself; in ordinary memory where none is had."""
        value = _pinned_value(shape, dtype, self.provider.name, self._device_id)
        array = None if value is None else np.asarray(value.numpy())
        if array is None or array.ctypes.data != value.data_ptr():  # a copy would be no help
            return super().new_buffer(shape, dtype)
        self._pinned.append(value)
        array[...] = 0
        return array

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        with memory_errors():
            binding = self._session.io_binding()
            for name, array in feeds.items():
                binding.bind_ortvalue_input(name, self._on_device(name, array))
            for info in self.outputs:
                binding.bind_output(info.name, "cpu")
            self._session.run_with_iobinding(binding)
            values = binding.copy_outputs_to_cpu()
        return {info.name: value for info, value in zip(self.outputs, values, strict=True)}

    def _on_device(self, name: str, array: NDArray[Any]) -> Any:
        """The array in this thread's memory of the device, which is made anew only for another shape."""
        from onnxruntime import OrtValue

        kept: dict[str, Any] = self._kept.__dict__
        value = kept.get(name)
        if value is None or tuple(value.shape()) != array.shape:
            value = kept[name] = OrtValue.ortvalue_from_shape_and_type(
                array.shape, array.dtype.type, self._memory, self._device_id
            )
        value.update_inplace(array)
        return value


def _pinned_value(shape: tuple[int, ...], dtype: str, provider: str, device_id: int) -> Any:
    """Page-locked host memory of a provider's device as an OrtValue; None where onnxruntime has no allocator for it."""
    import onnxruntime

    try:
        places = [
            device.memory_info(onnxruntime.OrtDeviceMemoryType.HOST_ACCESSIBLE)
            for device in onnxruntime.get_ep_devices()
            if device.ep_name == provider
        ]
        place = places[device_id] if device_id < len(places) else None
        if place is None:
            return None
        return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.dtype(dtype).type, memory_info=place)
    except Exception:  # an older onnxruntime, or a device without it: ordinary memory serves, only slower
        return None
