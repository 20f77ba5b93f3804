"""The spec that a network is trained with, which travels in its checkpoint."""

from collections.abc import Sequence

from cnnkit import images, models
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
)
from cnnkit.training._recipe import Recipe

__all__ = ["draft_spec", "learns_values", "network_arguments", "with_values"]


def draft_spec(recipe: Recipe, classes: Sequence[str]) -> ModelSpec:
    """The spec before anything is known of the pixels; `with_values` adds what the training part says."""
    entry = models.network(recipe.net)
    channels = recipe.channels or entry.input.channels
    if channels != entry.input.channels and not entry.fixed:
        raise UsageError(f"{recipe.net} takes {entry.input.channels} images, not {channels}.")
    size = recipe.imgsz or entry.input.size
    order, operations = _operations(recipe, entry.input, channels, size)
    return ModelSpec(
        input=ModelInput(channels=order, size=(size, size)),
        preprocess=_with_mean(operations, recipe),
        output=ClassificationOutput(),
        classes=tuple(ClassName(name=name) for name in classes),
    )


def network_arguments(recipe: Recipe, spec: ModelSpec) -> dict[str, int | str | float]:
    """What `models.create` takes beside the name and the number of classes."""
    if not models.network(recipe.net).fixed:
        return {}
    return {"channels": spec.input.n_channels, "size": spec.input.size[0]}


def learns_values(recipe: Recipe) -> bool:
    """Whether one mean and one standard deviation over the training part go into the spec."""
    own = models.network(recipe.net).input.values == "standard"
    return own and recipe.preset is None and recipe.mean is None


def with_values(spec: ModelSpec, mean: float, std: float) -> ModelSpec:
    normalize = Normalize(mean=(mean,), std=(std,))
    return spec.model_copy(update={"preprocess": (*spec.preprocess, normalize)})


def _operations(
    recipe: Recipe, natural: models.NaturalInput, channels: Channels, size: int
) -> tuple[Channels, tuple[Operation, ...]]:
    named = recipe.preset or (natural.values if natural.values in images.PRESETS else None)
    if named is not None:
        return images.preset(named, size=(size, size), channels=1 if channels == "GRAY" else 3)
    gray: tuple[Operation, ...] = (ToGray(),) if channels == "GRAY" else ()
    return channels, (*gray, Resize(size=(size, size), mode="exact"), Rescale(scale=1 / 255))


def _with_mean(operations: tuple[Operation, ...], recipe: Recipe) -> tuple[Operation, ...]:
    if (recipe.mean is None) != (recipe.std is None):
        raise UsageError("--mean and --std go together: give both or neither.")
    if recipe.mean is None or recipe.std is None:
        return operations
    kept = tuple(op for op in operations if not isinstance(op, Normalize))
    return (*kept, Normalize(mean=recipe.mean, std=recipe.std))
