"""What another toolkit says about a model, as far as it says it."""

from dataclasses import dataclass
from typing import Literal

from cnnkit.spec import Channels, ClassName, Operation


@dataclass(frozen=True, slots=True)
class Found:
    """Parts of a spec, and where they were found. None: not said there.

    `exact` is False when cnnkit's operations come close without being the same to the pixel; `notes` say where.
    """

    origin: str
    task: Literal["classification", "detection"] = "classification"
    channels: Channels | None = None
    size: tuple[int, int] | None = None
    preprocess: tuple[Operation, ...] | None = None
    classes: tuple[ClassName, ...] | None = None
    activation: Literal["softmax", "sigmoid", "none"] | None = None
    decoder: str | None = None
    exact: bool = True
    notes: tuple[str, ...] = ()
