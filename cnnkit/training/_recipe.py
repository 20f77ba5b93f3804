"""The recipe: every choice that decides what a training run computes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cnnkit import models
from cnnkit.errors import UsageError
from cnnkit.spec import spec_problems

__all__ = ["Recipe", "recipe_for"]

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]


class Recipe(BaseModel):
    """What `train` takes as keywords. A field that is None, or not given, is the network's own or the default here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    net: str
    epochs: Count = 20
    lr: Positive = 0.001
    batch_size: Count = 32
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    holdout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # share of each class kept for validation

    # the images
    imgsz: Count | None = None
    channels: Literal["RGB", "GRAY"] | None = None
    preset: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    # the fit
    optimizer: Literal["adam", "adamw", "sgd", "adagrad"] = "adam"
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9  # of sgd
    l2: NotNegative = 0.0


def recipe_for(net: str, **given: Any) -> Recipe:
    """The network's own settings with what was given laid over them."""
    settings = {**models.network(net).recipe, **{name: value for name, value in given.items() if value is not None}}
    try:
        return Recipe(net=net, **settings)
    except ValidationError as error:
        raise UsageError(f"training cannot start: {spec_problems(error)}") from error
