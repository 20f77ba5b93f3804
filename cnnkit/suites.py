"""Evaluation suites: models x data x measures in a TOML file, with the values they are expected to have beside it."""

import json
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cnnkit.errors import DataError
from cnnkit.files import write_text
from cnnkit.spec import spec_problems

__all__ = [
    "BUILT_IN_DATA",
    "READING",
    "Case",
    "Expected",
    "Suite",
    "read_expected",
    "read_suite",
    "suite_schema",
    "write_expected",
]

BUILT_IN_DATA = ("sklearn:digits", "sklearn:digit-scenes")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)


class _Reading(_Table):
    """How a model is read that does not say it itself, or is to be read otherwise: the flags of `cnnkit eval`."""

    preset: str | None = None
    imgsz: tuple[int, int] | None = Field(None, description="[height, width] of the input.")
    resize: Literal["shortest", "exact", "letterbox", "none"] | None = None
    resize_size: int | None = None
    interpolation: str | None = Field(None, description="implementation:filter, such as pillow:bilinear.")
    align: Literal["center", "top_left"] | None = None
    fill: int | None = None
    channel_order: Literal["RGB", "BGR"] | None = None
    scale: float | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    activation: Literal["softmax", "sigmoid", "none"] | None = None
    background: bool | None = None
    decoder: str | None = None
    conf: float | None = None
    iou: float | None = None
    max_detections: int | None = None
    agnostic: bool | None = None
    box_form: str | None = None
    output_name: str | None = None


READING = tuple(_Reading.model_fields)


class Case(_Reading):
    """One model on one data set. Paths are relative to the suite file.

    `sklearn:digits` and `sklearn:digit-scenes` are made on the spot.
    `measures` are names of figures; a value may differ from the accepted one by its `tolerance`, 0 where none is given.
    The rest is what `cnnkit eval` takes under the same names.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    model: str
    data: str
    split: str | None = None
    measures: Annotated[tuple[str, ...], Field(min_length=1)]
    tolerance: dict[str, Annotated[float, Field(ge=0)]] = {}
    truth: str | None = None
    truth_index: bool = False
    multilabel: bool = False
    threshold: float | None = None
    class_map: str | None = None
    labels: str | None = None
    protocol: Literal["coco", "voc07", "voc12", "all"] | None = None

    @model_validator(mode="after")
    def _tolerances_have_measures(self) -> "Case":
        stray = sorted(set(self.tolerance) - set(self.measures))
        if stray:
            raise ValueError(f"tolerance names {', '.join(stray)}, which measures does not list")
        return self


class Suite(_Table):
    """A suite file. Case names are unique: they name the folders that results go to."""

    schema_: Literal[1] = Field(1, alias="schema")
    case: Annotated[tuple[Case, ...], Field(min_length=1)]

    @field_validator("case")
    @classmethod
    def _unique(cls, cases: tuple[Case, ...]) -> tuple[Case, ...]:
        names = [case.name for case in cases]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two cases are named {', '.join(twice)}")
        return cases


class Expected(_Table):
    """The values a suite had when they were accepted: case -> measure -> value."""

    schema_: Literal[1] = Field(1, alias="schema")
    values: dict[str, dict[str, float | None]]


def read_suite(path: Path) -> Suite:
    try:
        return Suite.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        unknown = any(problem["type"] == "extra_forbidden" for problem in error.errors())
        known = f". A case may have: {', '.join(Case.model_fields)}." if unknown else ""
        raise DataError(f"{path}: not a suite: {spec_problems(error)}{known}") from error


def read_expected(path: Path) -> Expected:
    """The accepted values; an empty set when the file is not there yet."""
    if not path.exists():
        return Expected(values={})
    try:
        return Expected.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise DataError(f"{path}: not a file of expected values: {spec_problems(error)}") from error


def write_expected(path: Path, expected: Expected) -> None:
    write_text(path, json.dumps(expected.model_dump(mode="json", by_alias=True), indent=1, sort_keys=True) + "\n")


def suite_schema() -> dict[str, Any]:
    """The JSON schema of a suite file."""
    return Suite.model_json_schema(by_alias=True)
