"""Where the numbers come from: model, run, data, provider, cost and speed."""

from typing import Literal

from cnnkit.results._model import ResultsModel

NO_PREDICTION = "no_prediction"  # in `DataFacts.bad`: another tool's file does not name the image
SHOWN_PARTS = 2  # of a path that lies elsewhere: DATA/PART


def place_in_words(path: str) -> str:
    """A path of results.json for people: without the `../..` that only leads there from the results folder."""
    parts = path.replace("\\", "/").split("/")
    kept = parts[next((at for at, part in enumerate(parts) if part != ".."), len(parts)) :]
    if not kept or len(kept) == len(parts):
        return path
    return "/".join(kept) if len(kept) <= SHOWN_PARTS else "/".join(["…", *kept[-SHOWN_PARTS:]])


class ModelFacts(ResultsModel):
    """The model; of another tool's predictions only the name of their file is known."""

    name: str
    sha256: str | None = None
    spec_hash: str | None = None


class RunFacts(ResultsModel):
    """Where the predictions lie, relative to the results folder, and the sha256 of their manifest or their file.

    `fast_decode`: JPEGs of more than twice the size needed were decoded at a fraction of it.
    """

    path: str | None
    sha256: str
    fast_decode: bool = False


class DataFacts(ResultsModel):
    """What was scored. `n` images have a label and a prediction; `n_bad` have a label and no answer."""

    root: str
    part: str | None = None
    truth: str | None = None
    fingerprint: str
    n: int
    n_bad: int = 0
    bad: dict[str, int] = {}
    n_unlabelled: int = 0
    n_outside_part: int = 0
    n_classes: int
    n_classes_scored: int

    @property
    def merely_unnamed(self) -> bool:
        """Whether all that lack an answer lack it because a file of answers leaves them out."""
        return set(self.bad) == {NO_PREDICTION}


class ProviderFacts(ResultsModel):
    name: str
    precision: str = "fp32"


class Cost(ResultsModel):
    size_bytes: int | None = None
    parameters: int | None = None
    multiply_adds: int | None = None


RateOf = Literal["run", "files", "model"]
RATE_LABELS: dict[RateOf | None, str] = {
    "run": "images/s of the run",
    "files": "images/s from files",
    "model": "images/s of the model alone",
    None: "images/s",
}


class Speed(ResultsModel):
    """What was measured; `noisy` says that a benchmark found its machine too noisy to trust the figures.

    Images per second are of the run as it was, of a benchmark's whole way from files, or of its model alone: three
    figures that do not compare.
    """

    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None
    images_per_s: float | None = None
    images_per_s_of: RateOf | None = None
    peak_memory_bytes: int | None = None
    noisy: bool | None = None

    def rate(self, of: RateOf | None) -> float | None:
        """Images per second where they are of that kind."""
        return self.images_per_s if self.images_per_s_of == of else None


class Intervals(ResultsModel):
    """How the intervals that need resampling were made."""

    level: float = 0.95
    resamples: int
    seed: int
