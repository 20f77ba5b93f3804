"""run.json: the clock, the machine and the command; everything that may differ between equal runs."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from cnnkit.predictions._plan import _File


class Attempt(_File):
    """One process at work on a run: how long, how much, where the time went and how it ended."""

    started: str
    seconds: float
    images: int
    workers: int
    threads: int
    stages: dict[str, float]
    bound_by: str
    events: tuple[str, ...] = ()
    outcome: str


class RunRecord(_File):
    """`attempts` grows by one each time the run is begun or resumed."""

    schema_: Literal[1] = Field(1, alias="schema")
    command: tuple[str, ...]
    roots: dict[str, str]
    machine: dict[str, Any]
    attempts: tuple[Attempt, ...] = ()

    @property
    def images_per_s(self) -> float | None:
        """Over all attempts; None when nothing was run."""
        seconds = sum(attempt.seconds for attempt in self.attempts)
        images = sum(attempt.images for attempt in self.attempts)
        return images / seconds if images and seconds else None


def read_record(folder: Path) -> RunRecord | None:
    """The record of a run folder, None where there is none."""
    path = folder / "run.json"
    return RunRecord.read(path) if path.exists() else None
