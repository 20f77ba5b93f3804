"""Who looks on: progress, epochs and what a user should know go through here."""

from collections.abc import Callable, Iterable

from cnnkit.training._record import EpochRecord

__all__ = ["Watch"]


class Watch:
    """Passes news on and keeps the notes. Progress is in images: one for reading each, then one for each epoch."""

    def __init__(
        self,
        progress: Callable[[int, int], None],
        on_epoch: Callable[[EpochRecord, float], None],
        say: Callable[[str], None],
    ) -> None:
        self._progress, self._say = progress, say
        self.epoch = on_epoch
        self.notes: list[str] = []
        self.total = self._done = 0

    def say(self, note: str) -> None:
        self.notes.append(note)
        self._say(note)

    def say_all(self, notes: Iterable[str]) -> None:
        for note in notes:
            self.say(note)

    def count(self, n: int) -> None:
        self._done += n
        self._progress(self._done, max(self.total, self._done))
