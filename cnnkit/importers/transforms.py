"""A transform object of torchvision, timm or albumentations -> preprocessing. Nothing is imported or called."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cnnkit.errors import ModelError
from cnnkit.importers import albumentations, timm, torchvision
from cnnkit.importers._chain import MEND, Chain
from cnnkit.importers._found import Found

__all__ = ["TOOLKITS", "from_transform"]

TOOLKITS: Mapping[str, Mapping[str, Callable[[Any, Chain], None]]] = {
    "torchvision": torchvision.OPERATIONS,
    "timm": timm.OPERATIONS,
    "albumentations": albumentations.OPERATIONS,
}
CONTAINERS = ("Compose", "Sequential")


def from_transform(transform: Any, *, origin: str | None = None) -> Found:
    """Read a transform by the class names and fields of its operations.

    Args:
        transform: an operation, a Compose or Sequential of them, or a list.
        origin: what it is called in messages.

    Raises:
        ModelError: an operation that a spec cannot say, named; one that changes pictures at random; nothing at all.
    """
    chain = Chain(origin or f"the transform {type(transform).__name__}")
    operations = list(_flat(transform))
    if not operations:
        raise ModelError(f"{chain.origin}: it holds no operation. {MEND}")
    for operation in operations:
        _reader(operation, chain)(operation, chain)
    return chain.found()


def _flat(transform: Any) -> Iterator[Any]:
    if isinstance(transform, list | tuple):
        inner: Any = transform
    elif type(transform).__name__ in CONTAINERS:
        inner = transform.transforms if hasattr(transform, "transforms") else list(transform)
    else:
        yield transform
        return
    for operation in inner:
        yield from _flat(operation)


def _reader(operation: Any, chain: Chain) -> Callable[[Any, Chain], None]:
    kind = type(operation)
    toolkit = kind.__module__.partition(".")[0]
    name = kind.__name__
    known = TOOLKITS.get(toolkit, {})
    if name in known:
        return known[name]
    if kind.__name__ in ("function", "method", "partial"):
        name = getattr(operation, "__qualname__", name)
        raise chain.refusal(f"the function {name}", "cannot be read: what it does is in its code")
    if name.startswith(("Random", "AutoAugment", "TrivialAugment", "AugMix", "ColorJitter", "Coarse")):
        raise chain.refusal(
            f"{name}", "changes pictures at random: give the transform of validation, not that of training"
        )
    if toolkit not in TOOLKITS:
        raise chain.refusal(
            f"{name} of {kind.__module__}",
            f"is no operation that can be read; those of these can: {', '.join(TOOLKITS)}",
        )
    raise chain.refusal(name, f"is no operation that can be read; these can: {', '.join(sorted(known))}")
