"""Where the numbers come from: model, run, data, provider, cost and speed."""

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
    """Where the predictions lie, relative to the results folder, and the sha256 of their manifest or their file."""

    path: str | None
    sha256: str


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


class Speed(ResultsModel):
    latency_ms_p50: float | None = None
    latency_ms_p95: float | None = None
    images_per_s: float | None = None
    peak_memory_bytes: int | None = None


class Intervals(ResultsModel):
    """How the intervals that need resampling were made."""

    level: float = 0.95
    resamples: int
    seed: int
