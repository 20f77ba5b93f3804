"""A torch module with all that came along with it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit.importers import Found
from cnnkit.spec import ModelSpec

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Source:
    """What is exported, and what a file is verified against.

    Attributes:
        module: takes (N, C, H, W) float32, gives scores.
        name: what a file made from it is called.
        text: what it was called, for messages and provenance.
        spec: the whole spec, where the source holds one.
        found: parts of a spec that came along.
        network: its name in `cnnkit.models`, when it is one of these.
        data: the folder that it was trained on, if known.
        shape: (C, H, W) that it takes, where that is fixed.
        fixed_batch: the batch size that it takes, where that is fixed.
        facts: what goes into the provenance.
        notes: what the user should hear.
    """

    module: "nn.Module"
    name: str
    text: str
    spec: ModelSpec | None = None
    found: Found | None = None
    network: str | None = None
    data: Path | None = None
    shape: tuple[int, int, int] | None = None
    fixed_batch: int | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
