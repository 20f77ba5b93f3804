"""Where training runs, and on how many threads."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnnkit.errors import DeviceError, UsageError

__all__ = ["find_device", "on_threads", "worth_threads"]

# below this a batch is done sooner than a second thread wakes up; digits: 0.4 million, SimpleConvNet: 170 million
FLOPS_WORTH_A_THREAD = 2e7


def find_device(name: str) -> torch.device:
    """`auto` is CUDA where torch sees one, else the CPU."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
        raise UsageError(f"device {name!r} is unknown; training runs on auto, cpu or cuda[:N].")
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise DeviceError(
            f"--device {name}: torch {torch.__version__} sees {torch.cuda.device_count()} CUDA devices. "
            "Install a CUDA build of torch and the driver, or use --device cpu."
        )
    return torch.device(name)


def worth_threads(network: nn.Module, image: tuple[int, int, int], *, batch_size: int, available: int) -> int:
    """How many threads a batch deserves: all that are there, or one for a small network. `image` is (C, H, W).

    Raises:
        UsageError: the network does not take images of this shape.
    """
    images = torch.zeros((1, *image), device=next(network.parameters()).device)
    training = network.training
    try:
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            network.eval()(images)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise UsageError(f"the network does not take images of {image[1]}x{image[2]}: {reason}") from error
    finally:
        network.train(training)
    return available if batch_size * counter.get_total_flops() > FLOPS_WORTH_A_THREAD else 1


@contextmanager
def on_threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
