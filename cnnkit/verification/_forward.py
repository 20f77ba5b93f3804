"""A torch module as a function of arrays."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ModelError

if TYPE_CHECKING:
    from torch import Tensor, nn


@contextmanager
def in_eval_mode(module: "nn.Module") -> Iterator[None]:
    """Put a module into eval mode, and every part of it back into its own mode afterwards.

    An exported program has no modes and stays as it is.
    """
    modes = {name: part.training for name, part in module.named_modules()}
    if not _is_program(module):
        module.eval()
    try:
        yield
    finally:
        for name, part in module.named_modules():
            part.training = modes.get(name, part.training)


def _is_program(module: "nn.Module") -> bool:
    """Whether a module comes from an exported program: torch gives those an `eval` of their own, which only raises."""
    return "eval" in vars(module)


@contextmanager
def refused_by(what: str, *, next_step: str = "") -> Iterator[None]:
    """ModelError of `what`, the reason and the next step for anything that a module of the user's raises inside."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # a module may raise anything
        reason = (str(error).strip().splitlines() or [""])[0]
        raise ModelError(f"{what}: {type(error).__name__}: {reason}{next_step}") from error


def forward(module: "nn.Module", batch: NDArray[Any]) -> list[NDArray[np.float64]]:
    """The module's output tensors, in the order in which an exporter names them, for one (n, ...) batch."""
    import torch

    with torch.inference_mode():
        result = module(torch.from_numpy(np.ascontiguousarray(batch)).to(_device_of(module)))
    return [leaf.detach().to("cpu", torch.float64).numpy() for leaf in output_tensors(result)]


def output_tensors(result: Any) -> list["Tensor"]:
    """The tensors in what a module returned: one, or those in a tuple, a list, a dict or a data class."""
    import torch

    leaves = torch.utils._pytree.tree_leaves(result)
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    if not tensors:
        raise ModelError(
            f"the module returns {type(result).__name__} without a tensor in it; an image model returns scores."
        )
    return tensors


def unsteady_parts(module: "nn.Module", batch: NDArray[Any]) -> list[str]:
    """Parts of a module that give two results for one input: random ones. Empty when the whole is deterministic."""
    first, second = (forward(module, batch) for _ in range(2))
    if all(np.array_equal(*pair, equal_nan=True) for pair in zip(first, second, strict=True)):
        return []
    return _first_random(module, batch) or [f"{type(module).__name__} itself"]


def _first_random(module: "nn.Module", batch: NDArray[Any]) -> list[str]:
    """Leaves whose outputs differ although their inputs did not."""
    runs = [_leaf_records(module, batch) for _ in range(2)]
    return [
        f"{name} ({type(dict(module.named_modules())[name]).__name__})"
        for name in runs[0]
        if name in runs[1]
        and _same(runs[0][name][0], runs[1][name][0])
        and not _same(runs[0][name][1], runs[1][name][1])
    ]


def _leaf_records(module: "nn.Module", batch: NDArray[Any]) -> dict[str, tuple[list["Tensor"], list["Tensor"]]]:
    import torch

    found: dict[str, tuple[list[Tensor], list[Tensor]]] = {}

    def keep(name: str) -> Any:
        def hook(_part: Any, given: Any, result: Any) -> None:
            leaves = torch.utils._pytree.tree_leaves
            tensors = [[x.clone() for x in leaves(side) if isinstance(x, torch.Tensor)] for side in (given, result)]
            found[name] = (tensors[0], tensors[1])

        return hook

    leaves = [(name, part) for name, part in module.named_modules() if name and not list(part.children())]
    hooks = [part.register_forward_hook(keep(name)) for name, part in leaves]
    try:
        forward(module, batch)
    finally:
        for each in hooks:
            each.remove()
    return found


def _same(first: list["Tensor"], second: list["Tensor"]) -> bool:
    return len(first) == len(second) and all(bool((a == b).all()) for a, b in zip(first, second, strict=True))


def _device_of(module: "nn.Module") -> Any:
    parameter = next(module.parameters(), None)
    return "cpu" if parameter is None else parameter.device
