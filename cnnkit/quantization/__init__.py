"""int8 with a gate: static quantisation that is written only when it is shown to be as good."""

from cnnkit.quantization._calibration import METHODS, Method
from cnnkit.quantization._gate import Decision
from cnnkit.quantization._job import CALIBRATION_IMAGES, Quantization, quantize
from cnnkit.quantization._speed import Speed

__all__ = ["CALIBRATION_IMAGES", "METHODS", "Decision", "Method", "Quantization", "Speed", "quantize"]
