"""The shards of a run, one after the other: streamed where nothing is known against them, isolated where it is."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from cnnkit.errors import MachineError
from cnnkit.pipeline import IsolatedRows, Model, RowOptions
from cnnkit.predictions import Plan, RunFolder, Shard
from cnnkit.records import Row, Sample
from cnnkit.runtime import Timings

Progress = Callable[[int, int], None]
Say = Callable[[str], None]


@dataclass
class ShardRunner:
    """Brings a run to the point where every shard has its part.

    `done` counts the images that were run here, `events` says what happened on the way.
    """

    folder: RunFolder
    plan: Plan
    model: Model
    samples: Sequence[Sample]
    workers: int
    options: RowOptions
    progress: Progress
    say: Say
    timings: Timings = field(default_factory=Timings)
    events: list[str] = field(default_factory=list)
    done: int = 0

    def __post_init__(self) -> None:
        pending = sum(shard.stop - shard.start for shard in self.folder.pending(self.plan))
        self._resumed = self.plan.n - pending  # images whose parts were there before
        self._suspected = set(self.folder.began())

    def run(self) -> None:
        """Run what is pending. However it ends short of this process dying, it leaves no marker of its own."""
        self.progress(self._resumed, self.plan.n)
        try:
            while pending := self.folder.pending(self.plan):
                self._isolate([shard for shard in pending if shard.index in self._suspected])
                self._stream([shard for shard in pending if shard.index not in self._suspected])
        finally:
            self.folder.abandon(keep=self._suspected)

    def _stream(self, shards: Sequence[Shard]) -> None:
        """Run shards in this process, all through one stream of batches, so that no worker waits at a border."""
        rows = self.model.run_batches(self._batches(shards), self.options, workers=self.workers, timings=self.timings)
        with closing(rows):
            for shard in shards:
                try:
                    self._take(rows, shard)
                except MemoryError as error:
                    rows.close()
                    self._shrink(shard, error)
                    return

    def _batches(self, shards: Sequence[Shard]) -> Iterator[Sequence[Sample]]:
        for shard in shards:
            self.folder.begin(shard)
            for start in range(shard.start, shard.stop, shard.batch_size):
                yield self.samples[start : min(start + shard.batch_size, shard.stop)]

    def _take(self, rows: Iterator[list[Row]], shard: Shard) -> None:
        with self.folder.writing_part(self.plan, shard) as part:
            while part.n < shard.stop - shard.start:
                taken = next(rows)
                with self.timings.stage("write"):
                    part.add(taken)
                self.progress(self._resumed + self.done + part.n, self.plan.n)
        self.done += part.n

    def _isolate(self, shards: Sequence[Shard]) -> None:
        """Run shards, one by one, that a process may have died on."""
        for shard in shards:
            self._tell(f"Shard {shard.index} was begun by a process that died: it runs again in a child process.")
            child = IsolatedRows(self.model, self.workers, self.options)
            try:
                with self.timings.stage("isolated"):
                    rows = child.rows(self.samples[shard.start : shard.stop], batch_size=shard.batch_size)
            except MemoryError as error:
                self._shrink(shard, error)
                return
            for row in rows:
                if row.status == "crashed":
                    self._tell(f"{row.key}: {row.error}.")
            with self.timings.stage("write"):
                self.folder.write_part(self.plan, shard, rows)
            self.done += len(rows)
            self.progress(self._resumed + self.done, self.plan.n)

    def _shrink(self, shard: Shard, error: MemoryError) -> None:
        """Halve the batch from this shard on; what is written first holds when the run is resumed."""
        if shard.batch_size == 1 or self.model.fixed_batch is not None:
            raise MachineError(
                f"out of memory with batches of {shard.batch_size} ({error}). Fewer --workers need less."
            ) from error
        size = shard.batch_size // 2
        self.plan = self.folder.shrink_batches(self.plan, batch_size=size, from_shard=shard.index)
        self.folder.abandon(keep=self._suspected)
        self._tell(f"Out of memory ({error}): batches of {size} from shard {shard.index} on.")

    def _tell(self, sentence: str) -> None:
        self.events.append(sentence)
        self.say(sentence)
