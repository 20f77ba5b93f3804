"""The recipe: every choice that decides what a training run computes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cnnkit import models
from cnnkit.errors import UsageError
from cnnkit.spec import spec_problems

__all__ = ["Recipe", "recipe_for"]

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, lt=1)]
Probability = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


# settings of classifiers alone, and why
NOT_FOR_DETECTION = {
    "engine": "the CNN written out has no detector",
    "initial": "the detector draws its weights by He's rule",
    "label_smoothing": "how well a box fits takes its place",
    "class_weights": "its classes are learned one by one",
    "rotate": "the box around a turned object is not the turned box",
    "shear": "the box around a sheared object is not the sheared box",
    "crop_padding": "--translate moves pictures with their boxes",
}

ONLY_WITH = {  # a setting -> what alone makes something of it
    "momentum": ("optimizer", "sgd"),
    "step_epochs": ("schedule", "step"),
    "step_factor": ("schedule", "step"),
}


class Recipe(BaseModel):
    """What `train` takes as keywords. A field that is None, or not given, is the network's own or the default here."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    net: str
    task: Literal["classification", "detection"] = "classification"  # the network's
    engine: Literal["torch", "numpy"] = "torch"
    initial: Literal["he", "xavier"] | Positive | None = None  # initial weights, for networks that let one choose
    weights: Path | None = None  # start from these instead
    epochs: Count = 20
    batch_size: Count = 32
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    holdout: Share = 0.0  # share of each class kept for validation where there is no val part
    early_stop: Count | None = None  # epochs without a lower validation loss; the best epoch is kept
    precision: Literal["fp32", "bf16", "fp16"] = "fp32"

    # the network's input; None is what the network was drawn for
    imgsz: Count | None = None
    channels: Literal["RGB", "GRAY"] | None = None
    preset: str | None = None
    resize: Literal["shortest", "exact", "letterbox"] | None = None
    interpolation: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    # the fit
    optimizer: Literal["adam", "adamw", "sgd", "adagrad"] = "adam"
    lr: Positive = 0.001
    momentum: Share = 0.9  # of sgd
    schedule: Literal["constant", "cosine", "step"] = "constant"
    warmup: NotNegative = 0.0  # epochs in which the learning rate climbs from 0
    step_epochs: Count = 10  # of schedule step: every so many epochs ...
    step_factor: Annotated[float, Field(gt=0, lt=1)] = 0.1  # ... the learning rate is multiplied by this
    label_smoothing: Share = 0.0
    class_weights: Literal["balanced"] | dict[str, Positive] | None = None  # balanced: n / (classes * n of the class)
    l1: NotNegative = 0.0  # times the sum of |w|, biases and batch norms left out
    l2: NotNegative = 0.0  # weight decay, likewise

    # augmentation, of the training images alone
    resized_crop: Annotated[float, Field(gt=0, le=1)] | None = None  # least share of the picture's area
    crop_padding: Annotated[int, Field(ge=0)] = (
        0  # black border in pixels, from which a crop of the input's size is cut
    )
    flip: Probability = 0.0
    vertical_flip: Probability = 0.0
    rotate: Annotated[float, Field(ge=0, le=180)] = 0.0  # degrees, either way
    translate: Share = 0.0  # share of each side, either way
    zoom: Share = 0.0  # by a factor of 1 - zoom .. 1 + zoom
    shear: Annotated[float, Field(ge=0, lt=90)] = 0.0  # degrees, either way
    brightness: Share = 0.0
    contrast: Share = 0.0
    saturation: Share = 0.0
    hue: Annotated[float, Field(ge=0, le=0.5)] = 0.0  # share of the colour circle

    @model_validator(mode="after")
    def _mean_with_std(self) -> Self:
        if (self.mean is None) != (self.std is None):
            raise ValueError("mean and std go together: give both or neither")
        return self


def recipe_for(net: str | None, *, task: str | None = None, **given: Any) -> Recipe:
    """The network's own settings with what was given laid over them; for detection there is one network."""
    net = net or _network_for(task)
    entry = models.network(net)
    if task not in (None, entry.task):
        others = ", ".join(name for name in models.names() if models.network(name).task == task) or "none"
        raise UsageError(f"{net} is for {entry.task}, not for {task}; networks for that: {others}.")
    settings = {**entry.recipe, **{name: value for name, value in given.items() if value is not None}}
    try:
        recipe = Recipe(net=net, task=entry.task, **settings)
    except ValidationError as error:
        raise UsageError(f"training cannot start: {spec_problems(error)}.") from error
    _check_detection(recipe)
    _check_idle(recipe, given)
    return recipe


def _network_for(task: str | None) -> str:
    if task == "detection":
        return next(name for name in models.names() if models.network(name).task == task)
    known = ", ".join(name for name in models.names() if models.network(name).task == "classification")
    raise UsageError(f"which network? --net NAME, one of {known}; or --task detection for labelled boxes.")


def _check_idle(recipe: Recipe, given: Mapping[str, Any]) -> None:
    """Refuse what was given and would change nothing."""
    for name, (setting, value) in ONLY_WITH.items():
        has = getattr(recipe, setting)
        if given.get(name) is not None and has != value:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(
                f"{option} goes with --{setting} {value}; this run has {setting} {has}. Leave {option} out."
            )


def _check_detection(recipe: Recipe) -> None:
    """Refuse what would leave boxes behind, or means nothing to a detector."""
    if recipe.task != "detection":
        return
    for name, reason in NOT_FOR_DETECTION.items():
        if getattr(recipe, name) != Recipe.model_fields[name].default:
            raise UsageError(f"--{name.replace('_', '-')} is not for detection: {reason}.")
    if recipe.resize == "shortest":
        raise UsageError("--resize shortest is not for detection: it cuts objects off. Give letterbox or exact.")
