"""One picture as a network gets it, and the network run on it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import graphs, images, runtime
from cnnkit.errors import DataError, ImageError
from cnnkit.pipeline import Model
from cnnkit.records import Geometry
from cnnkit.runtime import Session
from cnnkit.spec import ModelSpec


@dataclass(frozen=True)
class Seen:
    """`picture` RGB (H, W, 3) as decoded; `pixels` (h, w, C) uint8 after the geometry; `values` what the model takes.

    `values` are (C, h, w) or (h, w, C), without the batch axis.
    """

    picture: NDArray[np.uint8]
    pixels: NDArray[np.uint8]
    values: NDArray[Any]
    geometry: Geometry

    @property
    def rgb(self) -> NDArray[np.uint8]:
        """The pixels with three channels."""
        return self.pixels if self.pixels.shape[2] == 3 else np.repeat(self.pixels, 3, axis=2)


def see(spec: ModelSpec, image: Path) -> Seen:
    """Read one picture as the spec says. DataError, which names it, when it cannot be read."""
    preprocess = images.Preprocess(spec)
    try:
        picture = images.decode(image.read_bytes(), spec.decode)
    except OSError as error:
        raise DataError(f"{image}: cannot be read: {error.strerror}. A picture was expected.") from error
    except ImageError as error:
        raise DataError(f"{image}: {error}.") from error
    pixels, geometry = preprocess.geometry(picture)
    return Seen(picture, pixels, preprocess.values(pixels), geometry)


def run(session: Session, spec: ModelSpec, batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """The outputs for a batch of prepared images; where the file takes more at a time the rest is filled up."""
    n, fixed = len(batch), session.inputs[0].shape[0]
    if fixed is not None and fixed > n:
        batch = np.concatenate([batch, np.zeros((fixed - n, *batch.shape[1:]), batch.dtype)])
    return session.run({spec.input.name: batch})


def session_with(model: Model, graph: Any, tensors: list[str]) -> Session:
    """A graph of the model's file on the model's device, with these tensors among its outputs."""
    whole = graphs.to_bytes(graphs.with_outputs(graph, tensors), what="To look inside it one")
    return runtime.open_session(whole, **model.session.how)
