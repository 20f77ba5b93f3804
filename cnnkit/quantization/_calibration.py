"""The ranges of a float model's tensors on real images, streamed: a few images are in memory at a time."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import redirect_stdout
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from cnnkit.errors import DataError

Feed = Mapping[str, NDArray[Any]]
Method = Literal["minmax", "entropy", "percentile"]

METHODS: tuple[Method, ...] = ("minmax", "entropy", "percentile")
CHUNK = 4  # feeds whose intermediate tensors are in memory at once


def measure_ranges(model: Path, feeds: Iterable[Feed], *, method: Method) -> Any:
    """Run `model` on `feeds` and return onnxruntime's TensorsData: a range for each tensor.

    `minmax` keeps the extremes; `entropy` and `percentile` fill one histogram a tensor, chunk after chunk, so that
    memory depends on the model and not on the number of images.

    Raises:
        DataError: no feeds.
    """
    from onnxruntime.quantization import calibrate

    kinds = {
        "minmax": calibrate.CalibrationMethod.MinMax,
        "entropy": calibrate.CalibrationMethod.Entropy,
        "percentile": calibrate.CalibrationMethod.Percentile,
    }
    waiting = iter(feeds)
    first = next(waiting, None)
    if first is None:
        raise DataError("calibration needs at least one readable image, got none. Give --calib another folder.")
    with tempfile.TemporaryDirectory() as folder:
        augmented = str(Path(folder) / "augmented.onnx")
        calibrator = calibrate.create_calibrator(model, None, augmented, kinds[method])
        with redirect_stdout(StringIO()):  # the histogram calibrators talk; stdout is for data
            for chunk in _chunks(chain([first], waiting)):
                calibrator.collect_data(_reader(chunk))
            return calibrator.compute_data()


def _chunks(feeds: Iterator[Feed]) -> Iterator[list[Feed]]:
    while chunk := list(islice(feeds, CHUNK)):
        yield chunk


def _reader(chunk: list[Feed]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self.feeds = iter(chunk)

        def get_next(self) -> Feed | None:
            return next(self.feeds, None)

    return Reader()
