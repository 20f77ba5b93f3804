"""What either way of training hands to the job."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from cnnkit.training._record import EpochRecord

__all__ = ["Fitted"]


@dataclass(frozen=True)
class Fitted:
    """A trained network: `models.create(net, classes, **arguments)` takes `weights`, those of `kept_epoch`."""

    weights: dict[str, Tensor]
    arguments: dict[str, Any]
    epochs: list[EpochRecord]
    kept_epoch: int
    device: str
    threads: int
    parameters: int
