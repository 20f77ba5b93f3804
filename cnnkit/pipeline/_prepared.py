"""Input arrays without running them: what calibration and measurements need."""

from collections.abc import Iterable, Iterator
from typing import Any

from numpy.typing import NDArray

from cnnkit import images
from cnnkit.errors import ImageError
from cnnkit.pipeline._job import read_file
from cnnkit.records import Sample
from cnnkit.spec import ModelSpec


def prepared(spec: ModelSpec, samples: Iterable[Sample]) -> Iterator[tuple[Sample, NDArray[Any]]]:
    """Each sample that can be read, with its input array (1, C, H, W) or (1, H, W, C); the others are left out."""
    preprocess = images.Preprocess(spec)
    for sample in samples:
        try:
            array, _ = preprocess(images.decode(read_file(sample.path), spec.decode))
        except ImageError:
            continue
        yield sample, array[None]
