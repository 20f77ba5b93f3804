"""ModelSpec: what an .onnx file says about itself: preprocessing, classes, output and provenance, as JSON inside."""

import hashlib
import json
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cnnkit.errors import ModelError

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
    model_config = ConfigDict(extra="forbid", frozen=True)


class Resize(_Model):
    """Change the size. `shortest`: the short side becomes `size`, the long one int(size * long / short)."""

    op: Literal["resize"] = "resize"
    size: Annotated[int, Field(ge=1)] | Size
    mode: Literal["shortest", "exact", "letterbox"] = "shortest"
    filter: str = "bilinear"
    implementation: Literal["pillow", "torch", "opencv"] = "pillow"
    fill: Annotated[int, Field(ge=0, le=255)] = 114
    align: Literal["center", "top_left"] = "center"
    upscale: bool = True

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
    size: Size


class Pad(_Model):
    """Add a border; `padding` is [left, top, right, bottom] in pixels, as torchvision writes it."""

    op: Literal["pad"] = "pad"
    padding: tuple[int, int, int, int]
    fill: Annotated[int, Field(ge=0, le=255)] = 0
    mode: Literal["constant", "edge", "reflect", "symmetric"] = "constant"

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
    scale: float
    offset: float = 0.0


class Normalize(_Model):
    """(x - mean) / std for each channel, in the order in which the model takes its channels."""

    op: Literal["normalize"] = "normalize"
    mean: tuple[float, ...]
    std: tuple[float, ...]

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

    exif: bool = True
    alpha: Literal["drop", "white", "black"] = "drop"


class ModelInput(_Model):
    """The tensor that takes the image; `channels` is the order the model takes them in, `size` is [height, width].

    `any_size`: the file prepares pictures of any size itself, one at a time; `size` is what it makes of them.
    """

    name: str = "input"
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    dtype: Literal["float32", "float16", "uint8", "int8"] = "float32"
    channels: Channels = "RGB"
    size: Size
    any_size: Literal[True] | None = None

    @property
    def n_channels(self) -> int:
        return 1 if self.channels == "GRAY" else 3


class ClassificationOutput(_Model):
    """The tensor of scores. `background`: output 0 is no class. A quantised output has `scale` and `zero_point`."""

    name: str = "logits"
    activation: Literal["softmax", "sigmoid", "none"] = "softmax"
    background: bool = False
    scale: float | None = None
    zero_point: int | None = None


class DetectionOutput(_Model):
    """The tensor of boxes, and how it is read; `conf`, `iou` and `max_detections` say what is kept.

    Where boxes, scores (or logits) and labels are tensors of their own, `scores` and `labels` name them; `form`,
    `normalized` (coordinates in 0..1) and `first_label` (the label of class 0) say what these hold. `multi_label`: a
    cell counts for each class that reaches `conf`, as detectors' own evaluations have it, not for its best one only.
    """

    name: str
    decoder: str
    strides: tuple[int, ...] | None = None
    iou: float = 0.65
    conf: float = 0.25
    max_detections: int = 100
    agnostic: bool = False
    multi_label: bool = True
    scores: str | None = None
    labels: str | None = None
    form: Literal["xyxy", "yxyx", "xywh", "cxcywh"] | None = None
    normalized: bool | None = None
    first_label: int | None = None


class ClassName(_Model):
    name: str
    aliases: tuple[str, ...] = ()


class ModelSpec(_Model):
    """Everything a file says about itself; `provenance` and `verification` do not enter the hash."""

    schema_: Literal[1] = Field(1, alias="schema")
    task: Literal["classification", "detection"] = "classification"
    input: ModelInput
    decode: Decode = Decode()
    preprocess: tuple[Operation, ...]
    output: ClassificationOutput | DetectionOutput
    classes: tuple[ClassName, ...]
    provenance: dict[str, Any] = {}
    verification: dict[str, Any] = {}

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
    """Say what pydantic found wrong in one line: `input.size: Field required; ...`."""
    lines = []
    for problem in error.errors(include_url=False):
        where = ".".join(str(part) for part in problem["loc"]) or "spec"
        shown = "" if isinstance(problem["input"], dict | list | BaseModel) else f" (got {problem['input']!r})"
        lines.append(f"{where}: {problem['msg'].removeprefix('Value error, ')}{shown}")
    return "; ".join(lines)


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
