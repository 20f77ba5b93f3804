"""ModelSpec: what an .onnx file says about itself: preprocessing, classes, output and provenance, as JSON inside."""

import hashlib
import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cnnkit.errors import ModelError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = [
    "METADATA_KEY",
    "SCHEMA",
    "CenterCrop",
    "ClassName",
    "ClassificationOutput",
    "Decode",
    "DetectionOutput",
    "ModelInput",
    "ModelSpec",
    "Normalize",
    "Operation",
    "Pad",
    "Rescale",
    "Resize",
    "ToGray",
    "parse_spec",
    "spec_problems",
]

SCHEMA = 1
METADATA_KEY = "cnnkit.spec"

Channels = Literal["RGB", "BGR", "GRAY"]
Size = tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]]  # [height, width]

FILTERS = {
    "pillow": ("nearest", "box", "bilinear", "bicubic", "hamming", "lanczos"),
    "torch": ("bilinear", "bicubic"),
    "opencv": ("nearest", "linear", "cubic", "area", "lanczos4"),
}


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Resize(_Model):
    """Change the size. `shortest`: the short side becomes `size`, the long one int(size * long / short)."""

    op: Literal["resize"] = "resize"
    size: Annotated[int, Field(ge=1)] | Size = Field(description="The short side, or [height, width], in pixels.")
    mode: Literal["shortest", "exact", "letterbox"] = Field(
        "shortest",
        description="To a short side; to both sides whatever the shape; or fitted inside both, the rest filled.",
    )
    filter: str = Field("bilinear", description="Which one the implementation is to use.")
    implementation: Literal["pillow", "torch", "opencv"] = Field(
        "pillow", description="Whose arithmetic: they differ by up to 60 of 255 levels under one name of a filter."
    )
    fill: int = Field(114, ge=0, le=255, description="letterbox: the grey around the picture.")
    align: Literal["center", "top_left"] = Field("center", description="letterbox: where the picture lies.")
    upscale: bool = Field(True, description="letterbox: whether a picture smaller than the input is enlarged.")

    @model_validator(mode="after")
    def _size_fits_mode(self) -> Self:
        if (self.mode == "shortest") != isinstance(self.size, int):
            wanted = "one number" if self.mode == "shortest" else "[height, width]"
            raise ValueError(f"resize mode {self.mode!r} takes size as {wanted}, got {self.size}")
        if self.filter not in FILTERS[self.implementation]:
            known = ", ".join(FILTERS[self.implementation])
            raise ValueError(f"{self.implementation} has no filter {self.filter!r}; it has {known}")
        return self


class CenterCrop(_Model):
    """Cut `size` out of the middle, from int(round((side - size) / 2)); a smaller picture is padded with 0 first."""

    op: Literal["center_crop"] = "center_crop"
    size: Size = Field(description="What is kept, [height, width] in pixels.")


class Pad(_Model):
    """Add a border; `padding` is [left, top, right, bottom] in pixels, as torchvision writes it."""

    op: Literal["pad"] = "pad"
    padding: tuple[int, int, int, int] = Field(description="[left, top, right, bottom] in pixels.")
    fill: int = Field(0, ge=0, le=255, description="constant: the level of the border.")
    mode: Literal["constant", "edge", "reflect", "symmetric"] = Field(
        "constant", description="What the border is made of, as torchvision names it."
    )

    @field_validator("padding")
    @classmethod
    def _not_negative(cls, padding: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        if min(padding) < 0:
            raise ValueError(f"padding must not be negative, got {list(padding)}")
        return padding


class ToGray(_Model):
    """Grey by Pillow's `convert("L")`: (19595 R + 38470 G + 7471 B + 2^15) >> 16."""

    op: Literal["to_gray"] = "to_gray"


class Rescale(_Model):
    """x * scale + offset, in float32."""

    op: Literal["rescale"] = "rescale"
    scale: float = Field(description="Multiplied with first; 1/255 takes a pixel to 0 .. 1.")
    offset: float = Field(0.0, description="Added then.")


class Normalize(_Model):
    """(x - mean) / std for each channel, in the order in which the model takes its channels."""

    op: Literal["normalize"] = "normalize"
    mean: tuple[float, ...] = Field(description="Taken off, one for each channel or one for all.")
    std: tuple[float, ...] = Field(description="Divided by, above 0.")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if len(self.mean) != len(self.std):
            raise ValueError(f"normalize has {len(self.mean)} means and {len(self.std)} standard deviations")
        if any(value <= 0 for value in self.std):
            raise ValueError(f"normalize: every standard deviation must be above 0, got {list(self.std)}")
        return self


Operation = Annotated[Resize | CenterCrop | Pad | ToGray | Rescale | Normalize, Field(discriminator="op")]


class Decode(_Model):
    """How a file becomes RGB uint8: turned as EXIF says or not; what an alpha channel is laid over."""

    exif: bool = Field(True, description="Turn the picture as its EXIF orientation says.")
    alpha: Literal["drop", "white", "black"] = Field(
        "drop", description="Leave transparency out, as OpenCV does, or lay the picture over white or black."
    )


class ModelInput(_Model):
    """The tensor that takes the image."""

    name: str = Field("input", description="The graph's name for it.")
    layout: Literal["NCHW", "NHWC"] = Field("NCHW", description="Where the channels stand.")
    dtype: Literal["float32", "float16", "uint8", "int8"] = Field("float32", description="The type of its values.")
    channels: Channels = Field("RGB", description="The order in which the model takes them; mean and std follow it.")
    size: Size = Field(description="[height, width] in pixels: what the preprocessing ends in.")
    any_size: Literal[True] | None = Field(
        None, description="The file prepares uint8 NHWC pictures of any size itself, one at a time, to `size`."
    )

    @property
    def n_channels(self) -> int:
        return 1 if self.channels == "GRAY" else 3


class ClassificationOutput(_Model):
    """The tensor of scores."""

    name: str = Field("logits", description="The graph's name for it.")
    activation: Literal["softmax", "sigmoid", "none"] = Field(
        "softmax", description="What turns its values into scores; none: they are probabilities already."
    )
    background: bool = Field(False, description="Output 0 is no class and is left out, the rest not renormalised.")
    scale: float | None = Field(None, description="Of a quantised output: (value - zero_point) * scale.")
    zero_point: int | None = Field(None, description="Of a quantised output.")


class DetectionOutput(_Model):
    """The tensor of boxes, and how it is read."""

    name: str = Field(description="The graph's name for it.")
    decoder: str = Field(description="How its numbers become boxes.")
    strides: tuple[int, ...] | None = Field(None, description="Pixels between the cells of each grid.")
    iou: float = Field(
        0.65, ge=0, le=1, allow_inf_nan=False, description="Of two boxes that overlap more, the weaker one is left out."
    )
    conf: float = Field(0.25, ge=0, le=1, allow_inf_nan=False, description="Boxes below this score are left out.")
    max_detections: int = Field(100, ge=1, description="How many of the best are kept in a picture.")
    agnostic: bool = Field(False, description="Whether boxes of different classes suppress one another.")
    multi_label: bool = Field(
        True, description="A cell counts for each class that reaches `conf`, not for its best one only."
    )
    scores: str | None = Field(None, description="The tensor of scores (or logits), where it is one of its own.")
    labels: str | None = Field(None, description="The tensor of labels, where it is one of its own.")
    form: Literal["xyxy", "yxyx", "xywh", "cxcywh"] | None = Field(None, description="What four numbers of a box are.")
    normalized: bool | None = Field(None, description="Coordinates lie in 0 .. 1.")
    first_label: int | None = Field(None, description="The label that stands for class 0.")


OUTPUTS = (ClassificationOutput.__name__, DetectionOutput.__name__)


class ClassName(_Model):
    """What a class is called. Truth is matched by name or alias, never by position."""

    name: str = Field(description="Shown in reports and predictions.")
    aliases: tuple[str, ...] = Field((), description="Other names that mean it, such as a WordNet id.")


class ModelSpec(_Model):
    """Everything a file says about itself; `provenance` and `verification` do not enter the hash."""

    schema_: Literal[1] = Field(1, alias="schema", description="The version of this format.")
    task: Literal["classification", "detection"] = Field("classification", description="What the model is for.")
    input: ModelInput = Field(description="What the model is fed.")
    decode: Decode = Field(Decode(), description="How a file becomes pixels.")
    preprocess: tuple[Operation, ...] = Field(
        description="What happens to the pixels, in this order; from the first rescale or normalize on, to values."
    )
    output: ClassificationOutput | DetectionOutput = Field(description="What it answers.")
    classes: tuple[ClassName, ...] = Field(description="In the order of the outputs.")
    provenance: dict[str, Any] = Field({}, description="What the file was made from, by what, and what was said then.")
    verification: dict[str, Any] = Field({}, description="The record of `cnnkit verify`: figures, images, versions.")

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = [*_output_problems(self), *_operation_problems(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.classes]

    @property
    def geometry_operations(self) -> tuple[Operation, ...]:
        """What happens to uint8 pixels: everything before the first rescale or normalize."""
        return self.preprocess[: self._split]

    @property
    def value_operations(self) -> tuple[Operation, ...]:
        return self.preprocess[self._split :]

    @property
    def _split(self) -> int:
        values = (at for at, op in enumerate(self.preprocess) if isinstance(op, Rescale | Normalize))
        return next(values, len(self.preprocess))

    @property
    def spec_hash(self) -> str:
        """sha256 of the canonical JSON of everything but provenance and verification."""
        facts = self.to_dict()
        for changing in ("provenance", "verification"):
            facts.pop(changing, None)
        return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def to_json(self, *, indent: int | None = None) -> str:
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)


def parse_spec(text: str | bytes, *, source: str) -> ModelSpec:
    """Read a spec; `source` is named in the ModelError that a bad one raises."""
    try:
        facts = json.loads(text)
    except ValueError as error:
        raise ModelError(f"{source}: the spec is not JSON: {error}") from error
    if not isinstance(facts, dict):
        raise ModelError(f"{source}: the spec must be a JSON object, got {type(facts).__name__}")
    schema = facts.get("schema", SCHEMA)
    if isinstance(schema, int) and schema > SCHEMA:
        raise ModelError(
            f"{source}: the spec has schema {schema}, this cnnkit reads up to {SCHEMA}. Upgrade cnnkit to read it."
        )
    try:
        return ModelSpec.model_validate(facts)
    except ValidationError as error:
        raise ModelError(f"{source}: the spec is not valid: {spec_problems(error)}") from error


def spec_problems(error: ValidationError) -> str:
    """Say what pydantic found wrong in one line: `input.size: is missing; ...`."""
    return "; ".join(_said(problem) for problem in _of_the_output_meant(error.errors(include_url=False)))


def _said(problem: "ErrorDetails") -> str:
    where = ".".join(str(part) for part in problem["loc"] if part not in OUTPUTS)
    plain = {"missing": "is missing", "extra_forbidden": "there is no such field"}.get(problem["type"])
    message = plain or problem["msg"].removeprefix("Value error, ").replace("Input should be", "should be")
    whole = problem["type"] == "json_invalid" or isinstance(problem["input"], dict | list | BaseModel)
    shown = "" if whole else f" (got {problem['input']!r})"
    return f"{where}: {message}{shown}" if where else f"{message}{shown}"


def _of_the_output_meant(problems: "list[ErrorDetails]") -> "list[ErrorDetails]":
    """An output that is neither kind gets the problems of both: those of the nearer kind are told."""
    counts = Counter(name for problem in problems for name in OUTPUTS if name in problem["loc"])
    if len(counts) < 2:
        return problems
    further = counts.most_common(1)[0][0]
    return [problem for problem in problems if further not in problem["loc"]]


def _output_problems(spec: ModelSpec) -> list[str]:
    problems = []
    if (spec.task == "detection") != isinstance(spec.output, DetectionOutput):
        problems.append(f"task {spec.task!r} does not go with output {type(spec.output).__name__}")
    if not spec.classes:
        problems.append("classes is empty: a model has at least one class")
    names = [entry.name for entry in spec.classes]
    if len(set(names)) != len(names) and spec.task == "detection":
        problems.append("two classes have the same name")
    return problems


def _operation_problems(spec: ModelSpec) -> list[str]:
    if spec.input.any_size:
        ready = (spec.input.layout, spec.input.dtype) == ("NHWC", "uint8") and spec.input.channels != "GRAY"
        return [] if ready and not spec.preprocess else ["any_size goes with NHWC, uint8, RGB or BGR and no preprocess"]
    problems = []
    grays = [at for at, op in enumerate(spec.preprocess) if isinstance(op, ToGray)]
    if grays != ([0] if spec.input.channels == "GRAY" else []):
        problems.append("to_gray stands first in preprocess exactly when input.channels is GRAY")
    late = [op.op for op in spec.value_operations if not isinstance(op, Rescale | Normalize)]
    if late:
        problems.append(f"{', '.join(late)} stands after the values: geometry comes before rescale and normalize")
    for op in spec.value_operations:
        if isinstance(op, Normalize) and len(op.mean) not in (1, spec.input.n_channels):
            problems.append(f"normalize has {len(op.mean)} means for {spec.input.n_channels} channels")
    return problems
