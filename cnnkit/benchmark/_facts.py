"""What was measured. Times are milliseconds of a wall clock, spreads are the middle half of the rounds."""

from pydantic import BaseModel, ConfigDict

from cnnkit.results import Speed

NOISY = 0.15  # spread of a fixed piece of work, as a share of its median, above which nothing here is to be trusted


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Latency(_Model):
    """One image at a time, all cores on it: percentiles over `n` runs after the warm-up."""

    n: int
    p50: float
    p90: float
    p95: float
    p99: float


class Cell(_Model):
    """Images per second of the model alone, ready arrays in: median over rounds, and the middle half."""

    batch_size: int
    workers: int
    images_per_s: float
    low: float
    high: float


class Stages(_Model):
    """The whole way from files: images per second, and the share of the workers' time that each stage takes."""

    images_per_s: float
    low: float
    high: float
    shares: dict[str, float]


class Ratio(_Model):
    """Against the first candidate, round by round: above 1 is faster."""

    median: float
    low: float
    high: float


class Candidate(_Model):
    """One file at one precision: the one really used, and the one asked for, which the provider may make no use of.

    `notes` say why the two differ, and what else the runtime and the reader of the file had to say.
    """

    model: str
    sha256: str
    precision: str
    asked_precision: str
    provider: str
    notes: tuple[str, ...] = ()
    load_ms: float
    latency: Latency
    cells: tuple[Cell, ...]
    from_files: Stages | None = None
    peak_memory_bytes: int
    latency_ratio: Ratio
    throughput_ratio: Ratio

    @property
    def label(self) -> str:
        """`squeezenet fp32`, or `squeezenet fp32 (bf16 asked)`."""
        asked = "" if self.asked_precision == self.precision else f" ({self.asked_precision} asked)"
        return f"{self.model} {self.precision}{asked}"

    @property
    def best(self) -> Cell:
        return max(self.cells, key=lambda cell: cell.images_per_s)


class Machine(_Model):
    cpu: str
    cores: int
    cores_reason: str
    memory_bytes: int | None
    system: str
    versions: dict[str, str]


class Benchmark(_Model):
    """All candidates on this machine. `noise` is the spread of a fixed piece of work between the rounds."""

    machine: Machine
    candidates: tuple[Candidate, ...]
    rounds: int
    noise: float

    @property
    def is_noisy(self) -> bool:
        return self.noise > NOISY

    @property
    def speed(self) -> Speed:
        """The first candidate in the terms of a results folder."""
        first = self.candidates[0]
        return Speed(
            latency_ms_p50=first.latency.p50,
            latency_ms_p95=first.latency.p95,
            images_per_s=first.from_files.images_per_s if first.from_files else first.best.images_per_s,
            images_per_s_of="files" if first.from_files else "model",
            peak_memory_bytes=first.peak_memory_bytes,
            noisy=self.is_noisy,
        )

    def to_dict(self) -> dict[str, object]:
        return {**self.speed.model_dump(), **self.model_dump(mode="json")}
