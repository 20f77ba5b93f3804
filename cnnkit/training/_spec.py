"""The spec that a network is trained with, which travels in its checkpoint."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from cnnkit import images, models, pipeline
from cnnkit.errors import UsageError
from cnnkit.spec import (
    Channels,
    ClassificationOutput,
    ClassName,
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

CHANGES = ("preset", "resize", "interpolation", "mean", "std")


def draft_spec(recipe: Recipe, classes: Sequence[str]) -> ModelSpec:
    """The network's own preprocessing with the recipe's changes; `with_values` adds what the training part says."""
    entry = models.network(recipe.net)
    channels = recipe.channels or entry.input.channels
    if channels != entry.input.channels and not entry.fixed:
        raise UsageError(f"{recipe.net} takes {entry.input.channels} images, not {channels}.")
    size = recipe.imgsz or entry.input.size
    order, operations = _natural(entry.input, channels, size)
    spec = ModelSpec(
        input=ModelInput(channels=order, size=(size, size)),
        preprocess=operations,
        output=ClassificationOutput(),
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
        arguments["initial"] = recipe.initial
    return arguments


def learns_values(recipe: Recipe) -> bool:
    """Whether one mean and one standard deviation over the training part go into the spec."""
    own = models.network(recipe.net).input.values == "standard"
    return own and recipe.preset is None and recipe.mean is None


def with_values(spec: ModelSpec, mean: float, std: float) -> ModelSpec:
    normalize = Normalize(mean=(mean,), std=(std,))
    return spec.model_copy(update={"preprocess": (*spec.preprocess, normalize)})


def _natural(natural: models.NaturalInput, channels: Channels, size: int) -> tuple[Channels, tuple[Operation, ...]]:
    if natural.values in images.PRESETS:
        return images.preset(natural.values, size=(size, size), channels=1 if channels == "GRAY" else 3)
    gray: tuple[Operation, ...] = (ToGray(),) if channels == "GRAY" else ()
    return channels, (*gray, Resize(size=(size, size), mode="exact"), Rescale(scale=1 / 255))
