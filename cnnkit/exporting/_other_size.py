"""A file whose height and width were to stay open, run on a picture of another size."""

from pathlib import Path
from typing import Any

import numpy as np

from cnnkit import runtime
from cnnkit.errors import CheckFailed
from cnnkit.exporting._exporters import Request
from cnnkit.verification import Precision, difference, forward

LARGER = 32


def check_other_size(path: Path, request: Request, *, precision: Precision, half_io: bool) -> None:
    """Raise CheckFailed unless file and module agree on an input whose sides are both larger."""
    channels, height, width = request.example.shape[1:]
    shape = (1, channels, height + LARGER, width + LARGER)
    batch = np.random.default_rng(1).random(shape, dtype=np.float32)
    sides = f"{shape[2]}x{shape[3]}"
    try:
        expected = forward(request.module, batch)[0]
    except Exception as error:  # a module of the user's may raise anything
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise CheckFailed(
            f"With --dynamic all it should take {sides}, which the module itself does not: {reason}"
        ) from error
    session = runtime.open_session(path, device="cpu")
    given: Any = batch.astype(np.float16) if half_io else batch
    try:
        got = session.run({request.input_name: given})[request.output_names[0]]
    except Exception as error:  # onnxruntime's errors have no common class
        raise CheckFailed(f"With --dynamic all it should take {sides}: {runtime.first_line(error)}") from error
    found = difference(request.output_names[0], expected, got.astype(np.float64), precision)
    if found.max_abs is None or (found.tolerance is not None and found.max_abs > found.tolerance):
        raise CheckFailed(
            f"With --dynamic all it should take {sides}, where it differs by {found.max_abs} from the module."
        )
