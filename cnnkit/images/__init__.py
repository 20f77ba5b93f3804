"""From the bytes of a file to a model's input: decoding, and what the spec's preprocessing says."""

from cnnkit.images._headers import Header
from cnnkit.images._kernel import has_compiled_resize
from cnnkit.images._opencv import opencv_on_one_thread
from cnnkit.images.decoding import DEFAULT_MAX_PIXELS, check_header, decode
from cnnkit.images.preprocessing import Preprocess
from cnnkit.images.presets import PRESETS, Preset, preset

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "PRESETS",
    "Header",
    "Preprocess",
    "Preset",
    "check_header",
    "decode",
    "has_compiled_resize",
    "opencv_on_one_thread",
    "preset",
]
