"""Specs and geometries for detectors."""

import numpy as np
import pytest

from cnnkit.postprocess import build_decoder
from cnnkit.records import Geometry
from cnnkit.spec import ClassName, DetectionOutput, ModelInput, ModelSpec


@pytest.fixture(scope="session")
def detector():
    """detector("yolox", size=(64, 64), classes=3, conf=0.1, ...) is a spec."""

    def make(decoder, *, size=(64, 64), classes=3, name="out", **output):
        return ModelSpec(
            task="detection",
            input=ModelInput(size=size),
            preprocess=(),
            output=DetectionOutput(name=name, decoder=decoder, **output),
            classes=tuple(ClassName(name=f"class{at}") for at in range(classes)),
        )

    return make


@pytest.fixture(scope="session")
def read(detector):
    """read("yolox", raw, ...) decodes one image's raw output, in an image that is the input itself."""

    def decode(decoder, raw, *, size=(64, 64), geometry=None, **options):
        spec = detector(decoder, size=size, **options)
        geometry = geometry or Geometry(size, size)
        [found] = build_decoder(spec)({"out": np.asarray(raw, np.float32)[None]}, [geometry])
        return found

    return decode
