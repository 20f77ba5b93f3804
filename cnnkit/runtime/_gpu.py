"""A session on a GPU: inputs are copied into memory of the device that is kept, batch after batch.

CUDA and TensorRT go through this class alike.
"""

import threading
from collections.abc import Mapping
from typing import Any

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
