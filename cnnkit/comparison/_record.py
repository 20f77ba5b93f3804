"""comparison.json: what was compared, every difference with its interval, and what follows in words."""

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnkit.errors import DataError
from cnnkit.results import Cost, DataFacts, Figure, ModelFacts, ProviderFacts, Speed
from cnnkit.spec import ClassName, spec_problems

COMPARISON_FILE = "comparison.json"

Verdict = Literal["first", "second", "undecided", "same"]
Answer = Literal["yes", "no", "cannot tell"]


class _Model(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, validate_by_name=True, validate_by_alias=True
    )


class ComparedResults(_Model):
    """One model: the name that it has here and no other, where its results lie, and the figures of its own page."""

    name: str
    results: str
    model: ModelFacts
    provider: ProviderFacts | None
    data: DataFacts
    figures: dict[str, Figure]
    cost: Cost = Cost()
    speed: Speed = Speed()
    notes: tuple[str, ...] = ()


class PairedDifference(_Model):
    """`second` minus `first` in a figure, on the same `n` images.

    `low` and `high` bound the 95 % interval, None where nothing moves the difference. `p` is of the hypothesis that
    there is none, `p_corrected` by Holm for all pairs in this measure; `better` follows from it at 5 %.
    `further_images` is about how many more would decide it, were the difference to stay.
    """

    first: str
    second: str
    measure: str
    value: float
    low: float | None
    high: float | None
    p: float | None
    p_corrected: float | None
    better: Verdict
    n: int
    method: str
    further_images: int | None = None
    sentence: str


class Equivalence(_Model):
    """Is `second` worse than `first` by less than `margin` (a share)? Decided by the interval of the difference."""

    first: str
    second: str
    measure: str
    margin: float
    drop: float
    low: float
    high: float
    answer: Answer
    further_images: int | None = None
    sentence: str


class Flip(_Model):
    """An image that one model gets right and the other wrong; classes as places in `classes`.

    None: the model's answer could be several of these classes, or it gave no confidence.
    """

    key: str
    digest: str | None
    label: int
    first: int | None
    second: int | None
    first_confidence: float | None
    second_confidence: float | None


class ClassChange(_Model):
    """A class of `n` images, and how many of them each model gets right; `label` is its place in `classes`."""

    label: int
    n: int
    first_right: int
    second_right: int


class Pair(_Model):
    """Two models, image by image."""

    first: str
    second: str
    both_right: int
    both_wrong: int
    only_first: int
    only_second: int
    same_answer: int
    flips: tuple[Flip, ...] = ()
    classes: tuple[ClassChange, ...] = ()


class _ObjectCounts(_Model):
    """Of `n` objects how many each detector finds, and how many it alone finds; false alarms: on no such object."""

    n: int
    first_found: int
    second_found: int
    only_first: int
    only_second: int
    first_false: int
    second_false: int


class ObjectImage(_ObjectCounts):
    """An image on which two detectors differ in objects found or in the number of false alarms."""

    key: str
    digest: str | None


class ObjectChange(_ObjectCounts):
    """A class; `label` is its place in `classes`."""

    label: int


class ObjectPair(_Model):
    """Two detectors, object by object, at one overlap.

    Each is taken from the confidence on at which its F1 is highest. `images` are those on which the two differ: the
    ones with the most objects that one alone finds come first.
    """

    first: str
    second: str
    iou: float
    first_confidence: float
    second_confidence: float
    n: int
    both: int
    only_first: int
    only_second: int
    neither: int
    first_false: int
    second_false: int
    images: tuple[ObjectImage, ...] = ()
    classes: tuple[ObjectChange, ...] = ()
    sentence: str = ""


class Front(_Model):
    """The models that no other beats in both the measure and the cost."""

    measure: str
    cost: str
    models: tuple[str, ...]


class ComparisonResults(_Model):
    """What comparison.json holds. All differences rest on the same `n` images; `n_left_out` lack an answer.

    `classes` are the baseline's. `measure` decides which model is better: it is tested for every pair.
    """

    schema_: Literal[1] = Field(1, alias="schema")
    task: Literal["classification", "detection"]
    multilabel: bool = False
    baseline: str
    measure: str
    n: int
    n_left_out: int = 0
    classes: tuple[ClassName, ...]
    models: tuple[ComparedResults, ...]
    sentences: tuple[str, ...]
    notes: tuple[str, ...] = ()
    differences: tuple[PairedDifference, ...]
    equivalence: tuple[Equivalence, ...] = ()
    pairs: tuple[Pair, ...] = ()
    object_pairs: tuple[ObjectPair, ...] = ()
    fronts: tuple[Front, ...] = ()
    level: float = 0.95
    resamples: int
    seed: int
    versions: dict[str, str]

    def to_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=1)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True)


def read_comparison(folder: Path) -> ComparisonResults:
    """Read comparison.json of a folder, or the file itself."""
    path = folder / COMPARISON_FILE if folder.is_dir() else folder
    try:
        return ComparisonResults.model_validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}. `cnnkit compare` makes one.") from error
    except ValidationError as error:
        raise DataError(
            f"{path}: not a {COMPARISON_FILE} that this cnnkit can read: {spec_problems(error)}. "
            f"Was it written by another version?"
        ) from error


def comparison_schema() -> dict[str, Any]:
    """The JSON schema of comparison.json."""
    return ComparisonResults.model_json_schema(by_alias=True)
