"""The spec of a module: what came with it, what its transform says, what was typed, what one run of it shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from cnnkit import data, images, models, pipeline
from cnnkit.errors import UsageError
from cnnkit.exporting._activation import seen_activation
from cnnkit.importers import Found, from_transform
from cnnkit.spec import (
    ClassificationOutput,
    ClassName,
    DetectionOutput,
    ModelInput,
    ModelSpec,
    Operation,
    Rescale,
    Resize,
    ToGray,
    spec_problems,
)
from cnnkit.verification import Source, find_pictures, forward, in_eval_mode, refused_by

ASK = (
    "nothing says how an image is prepared for it. Give --transform package.module:val_transform, --preset NAME "
    f"({', '.join(images.PRESETS)}; raw where flags such as --mean and --std say the rest), or --spec FILE"
)


@dataclass(frozen=True, slots=True)
class Described:
    """A spec, and sentences on what was deduced for it. `exact`: its pixels are those of the transform."""

    spec: ModelSpec
    notes: tuple[str, ...]
    exact: bool = True


def describe(
    source: Source,
    *,
    transform: Any = None,
    transform_name: str | None = None,
    classes: Sequence[str | ClassName] | None = None,
    shape: tuple[int, int, int] | None = None,
    look_at: Path | None = None,
    **options: Unpack[pipeline.SpecOptions],
) -> Described:
    """Put a module's spec together; what is typed wins over what the transform says, and that over what came along.

    Args:
        source: the module.
        transform: a torchvision, timm or albumentations object.
        transform_name: what it is called in messages.
        classes: names in the order of the outputs, when no label file is given.
        shape: (C, H, W) of an example, when one is given.
        look_at: images that tell probabilities from logits; those of the training record or two photographs when None.
        options: as `pipeline.open_model` takes them.

    Raises:
        UsageError: what is missing, by name and flag; a geometry that leaves the size open.
        ModelError: parts that do not fit together.
    """
    typed: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    given = typed.pop("spec", None)
    typed.pop("labels", None)
    if given is not None or (source.spec is not None and transform is None and "preset" not in typed):
        base = pipeline.given_spec(given, labels=options.get("labels")) or source.spec
        assert base is not None
        named = _names(options.get("labels"), classes)
        return _of_fixed_size(Described(_finished(base, typed, named, source), ()), source)
    found = from_transform(transform, origin=transform_name) if transform is not None else source.found
    _ask_for_preprocessing(source, found, typed)
    chosen = _input(source, found, typed, shape)
    preprocess = _preprocess(source, found, typed, chosen)
    typed.pop("preset", None)
    typed.pop("imgsz", None)
    reading = _Reading(source, chosen, found, typed)
    named = _names(options.get("labels"), classes) or _found_names(found, source)
    output, made_names = reading.output(named)
    notes = (*(found.notes if found else ()), *reading.notes)
    try:
        base = ModelSpec(
            task="detection" if isinstance(output, DetectionOutput) else "classification",
            input=chosen,
            preprocess=preprocess,
            output=output,
            classes=made_names,
        )
    except ValidationError as error:
        raise UsageError(f"{source.text}: its spec is not valid: {spec_problems(error)}") from error
    spec = _finished(base, typed, None, source)
    said = getattr(found, "activation", None) == "none" or "activation" in typed
    if not said and isinstance(spec.output, ClassificationOutput):
        spec, seen = seen_activation(source, spec, find_pictures(look_at, source.data))
        notes += tuple(seen)
    return _of_fixed_size(Described(spec, notes, exact=found.exact if found else True), source)


def _of_fixed_size(described: Described, source: Source) -> Described:
    pipeline.refuse_open_size(described.spec, source=source.text)
    return described


def _ask_for_preprocessing(source: Source, found: Found | None, typed: dict[str, Any]) -> None:
    described = "preset" in typed or (found is not None and found.preprocess is not None)
    natural = models.network(source.network).input if source.network else None
    if not described and (natural is None or natural.values == "standard"):
        raise UsageError(f"{source.text}: {ASK}.")


def _finished(
    base: ModelSpec, typed: dict[str, Any], named: tuple[tuple[ClassName, ...], bool] | None, source: Source
) -> ModelSpec:
    if named is not None:
        background = {"background": True} if named[1] and base.task == "classification" else {}
        base = base.model_copy(update={"classes": named[0], "output": base.output.model_copy(update=background)})
    try:
        return pipeline.overridden(base, typed)
    except ValidationError as error:
        raise UsageError(f"{source.text}: with these options the spec is not valid: {spec_problems(error)}") from error


def _names(
    labels: Path | str | None, classes: Sequence[str | ClassName] | None
) -> tuple[tuple[ClassName, ...], bool] | None:
    """Class names, and whether they began with a background."""
    if labels is not None:
        read = data.read_labels(Path(labels))
        return read.classes, read.background
    if classes is None:
        return None
    return tuple(each if isinstance(each, ClassName) else ClassName(name=str(each)) for each in classes), False


def _found_names(found: Found | None, source: Source) -> tuple[tuple[ClassName, ...], bool] | None:
    for origin in (found, source.found):
        if origin is not None and origin.classes:
            return origin.classes, False
    return (source.spec.classes, False) if source.spec is not None else None


def _input(
    source: Source, found: Found | None, typed: dict[str, Any], shape: tuple[int, int, int] | None
) -> ModelInput:
    """Size and channels: typed, else what the transform ends in, else what the module or the example takes."""
    known = source.shape or shape
    natural = models.network(source.network).input if source.network else None
    sides = typed.get("imgsz") or (found.size if found else None) or (known[1:] if known else None)
    if sides is None and natural is not None:
        sides = (natural.size, natural.size)
    if sides is None:
        raise UsageError(f"{source.text}: the size of its input is not known. Give --imgsz 224 (or HEIGHTxWIDTH).")
    if found is not None and found.channels is not None:
        return ModelInput(channels=found.channels, size=sides)
    n_channels = known[0] if known else _first_channels(source)
    if n_channels not in (1, 3):
        raise UsageError(f"{source.text}: takes {n_channels} channels; images have 1 or 3.")
    return ModelInput(channels="GRAY" if n_channels == 1 else "RGB", size=sides)


def _first_channels(source: Source) -> int:
    """What the first convolution takes; 3 without any."""
    counts = [getattr(part, "in_channels", None) for part in source.module.modules()]
    return next((count for count in counts if isinstance(count, int)), 3)


def _preprocess(
    source: Source, found: Found | None, typed: dict[str, Any], chosen: ModelInput
) -> tuple[Operation, ...]:
    if "preset" in typed:
        channels, operations = images.preset(typed["preset"], size=chosen.size, channels=chosen.n_channels)
        if channels != chosen.channels:
            typed.setdefault("channel_order", channels)
        return tuple(operations)
    if found is not None and found.preprocess is not None:
        return found.preprocess
    assert source.network is not None  # else `_ask_for_preprocessing` has asked
    natural = models.network(source.network).input
    if natural.values in ("imagenet", "tf"):
        return tuple(images.preset(natural.values, size=chosen.size, channels=chosen.n_channels)[1])
    gray = (ToGray(),) if chosen.channels == "GRAY" else ()
    mode: Literal["letterbox", "exact"] = "letterbox" if models.network(source.network).strides else "exact"
    return (*gray, Resize(size=chosen.size, mode=mode), Rescale(scale=1 / 255))


class _Reading:
    """What one run of the module shows of its output."""

    def __init__(self, source: Source, chosen: ModelInput, found: Found | None, typed: dict[str, Any]) -> None:
        self._source, self._found, self._typed = source, found, typed
        self.notes: list[str] = []
        self._values = self._run((source.fixed_batch or 1, chosen.n_channels, *chosen.size))

    def _run(self, shape: tuple[int, ...]) -> NDArray[np.float64]:
        batch = np.random.default_rng(0).random(shape, dtype=np.float32)
        what = f"{self._source.text}: does not run on an image {shape}"
        with refused_by(what), in_eval_mode(self._source.module):
            return forward(self._source.module, batch)[0]

    def output(
        self, named: tuple[tuple[ClassName, ...], bool] | None
    ) -> tuple[ClassificationOutput | DetectionOutput, tuple[ClassName, ...]]:
        decoder = self._typed.get("decoder")
        strides = models.network(self._source.network).strides if self._source.network else ()
        if strides and decoder in (None, "yolox"):
            names = named[0] if named else self._numbered(self._values.shape[2] - 5)
            return DetectionOutput(name="output", decoder="yolox", strides=strides), names
        if decoder:
            if named is None:
                raise UsageError(f"{self._source.text}: a detector needs the names of its classes. Give --labels FILE.")
            return DetectionOutput(name="output", decoder=decoder), named[0]
        scores = self._scores()
        background = bool(self._typed.get("background")) or bool(named and named[1])
        count = len(scores) - int(background)
        names = named[0] if named else self._numbered(count)
        if len(names) != count:
            raise UsageError(self._mismatch(len(names), len(scores), background))
        return ClassificationOutput(activation=self._activation(), background=background), names

    def _numbered(self, count: int) -> tuple[ClassName, ...]:
        self.notes.append(f"It has no class names (--labels FILE gives them); they are 0 to {count - 1}.")
        return tuple(ClassName(name=str(at)) for at in range(count))

    def _scores(self) -> NDArray[np.float64]:
        shape = self._values.shape
        if len(shape) < 2 or any(side != 1 for side in shape[2:]):
            raise UsageError(
                f"{self._source.text}: gives {shape}, and scores (N, classes) were expected. "
                "For a detector say how its output is read: --decoder NAME."
            )
        scores: NDArray[np.float64] = self._values.reshape(shape[0], -1)[0]
        return scores

    def _activation(self) -> Any:
        said = self._found.activation if self._found is not None else None
        return said or "softmax"  # where that is not typed, images show whether it is probabilities already

    def _mismatch(self, names: int, scores: int, background: bool) -> str:
        said = f"{self._source.text}: gives {scores} scores, and there are {names} class names"
        if scores == names + 1 and not background:
            return f"{said}. If output 0 is a background and no class, give --background."
        return f"{said}. Give --labels FILE with one for each score."
