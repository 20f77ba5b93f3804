"""The spec that a network is trained with, which travels in its checkpoint."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import ValidationError

from cnnkit import images, models, pipeline
from cnnkit.errors import UsageError
from cnnkit.spec import (
    Channels,
    ClassificationOutput,
    ClassName,
    DetectionOutput,
    ModelInput,
    ModelSpec,
    Normalize,
    Operation,
    Rescale,
    Resize,
    ToGray,
    spec_problems,
)
from cnnkit.training._recipe import Recipe

__all__ = ["draft_spec", "learns_values", "network_arguments", "with_values"]

OVERLAP = 0.5  # of two boxes of one class that overlap more, the weaker one is left out
CHANGES = ("preset", "resize", "interpolation", "mean", "std")


def draft_spec(recipe: Recipe, classes: Sequence[str]) -> ModelSpec:
    """The network's own preprocessing with the recipe's changes; `with_values` adds what the training part says."""
    entry = models.network(recipe.net)
    channels = recipe.channels or entry.input.channels
    if channels != entry.input.channels and not entry.fixed:
        raise UsageError(f"{recipe.net} takes {entry.input.channels} images, not {channels}.")
    size = recipe.imgsz or entry.input.size
    order, operations = _natural(entry, channels, size)
    spec = ModelSpec(
        task=recipe.task,
        input=ModelInput(channels=order, size=(size, size)),
        preprocess=operations,
        output=_output(entry),
        classes=tuple(ClassName(name=name) for name in classes),
    )
    changes = {name: getattr(recipe, name) for name in CHANGES if getattr(recipe, name) is not None}
    try:
        return pipeline.overridden(spec, changes)
    except ValidationError as error:
        raise UsageError(f"with these options the spec is not valid: {spec_problems(error)}") from error


def network_arguments(recipe: Recipe, spec: ModelSpec) -> dict[str, Any]:
    """What `models.create` takes beside the name and the number of classes."""
    arguments: dict[str, Any] = {}
    if models.network(recipe.net).fixed:
        arguments = {"channels": spec.input.n_channels, "size": spec.input.size[0]}
    if recipe.initial is not None:
        _check_initial(recipe)
        arguments["initial"] = recipe.initial
    return arguments


def _check_initial(recipe: Recipe) -> None:
    if not models.network(recipe.net).initial:
        known = ", ".join(name for name in models.names() if models.network(name).initial)
        raise UsageError(
            f"--initial is for {known}; {recipe.net} draws its weights by a rule of its own. Leave --initial out."
        )


def learns_values(recipe: Recipe) -> bool:
    """Whether one mean and one standard deviation over the training part go into the spec."""
    own = models.network(recipe.net).input.values == "standard"
    return own and recipe.preset is None and recipe.mean is None


def with_values(spec: ModelSpec, mean: float, std: float) -> ModelSpec:
    normalize = Normalize(mean=(mean,), std=(std,))
    return spec.model_copy(update={"preprocess": (*spec.preprocess, normalize)})


def _output(entry: models.Network) -> ClassificationOutput | DetectionOutput:
    if not entry.strides:
        return ClassificationOutput()
    return DetectionOutput(name="output", decoder="yolox", strides=entry.strides, iou=OVERLAP)


def _natural(entry: models.Network, channels: Channels, size: int) -> tuple[Channels, tuple[Operation, ...]]:
    """A classifier's picture is stretched to its input; a detector's keeps its shape."""
    natural = entry.input
    if natural.values in images.PRESETS:
        return images.preset(natural.values, size=(size, size), channels=1 if channels == "GRAY" else 3)
    gray: tuple[Operation, ...] = (ToGray(),) if channels == "GRAY" else ()
    mode: Literal["letterbox", "exact"] = "letterbox" if entry.strides else "exact"
    return channels, (*gray, Resize(size=(size, size), mode=mode), Rescale(scale=1 / 255))
