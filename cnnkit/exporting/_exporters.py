"""torch's two exporters, silent, writing one file each."""

import copy
import ctypes
import io
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from cnnkit import graphs
from cnnkit.errors import MachineError
from cnnkit.verification import in_eval_mode

if TYPE_CHECKING:
    from torch import Tensor, nn

Dynamic = Literal["batch", "none", "all"]
ExporterName = Literal["dynamo", "torchscript"]

NOISY = ("torch.onnx", "torch.onnx._internal.exporter", "onnxscript", "torch.export")


@dataclass(frozen=True, slots=True)
class Request:
    """What the exporters are asked for. `example` is the input that is traced."""

    module: "nn.Module"
    example: "Tensor"
    input_name: str
    output_names: Sequence[str]
    opset: int
    dynamic: Dynamic
    channels_last: bool = False

    @property
    def is_large(self) -> bool:
        """Whether one ONNX file cannot hold the weights, so that some go into a second one."""
        size = sum(tensor.nbytes for tensor in self.module.state_dict().values())
        return not graphs.fits_in_one_file(size)

    @property
    def open_axes(self) -> dict[int, str]:
        """Axes of the input that stay open, and what they are called."""
        if self.dynamic == "none":
            return {}
        if self.dynamic == "batch":
            return {0: "batch"}
        return {0: "batch", 1: "height", 2: "width"} if self.channels_last else {0: "batch", 2: "height", 3: "width"}


def by_dynamo(request: Request, path: Path) -> None:
    """torch.export, then its translation. Its own defaults would print to stdout and write two files."""
    import torch

    axes = {axis: torch.export.Dim(name) for axis, name in request.open_axes.items()}
    torch.onnx.export(
        request.module,
        (request.example,),
        path,
        dynamo=True,
        verbose=False,
        external_data=request.is_large,
        optimize=True,
        input_names=[request.input_name],
        output_names=list(request.output_names),
        opset_version=request.opset,
        dynamic_shapes=(axes,) if axes else None,
    )


def by_torchscript(request: Request, path: Path) -> None:
    """The older exporter, which records the operations of one run."""
    import torch

    axes = request.open_axes
    outputs = {name: {0: axes[0]} for name in request.output_names} if axes else {}
    torch.onnx.export(
        request.module,
        (request.example,),
        path,
        dynamo=False,
        verbose=False,
        input_names=[request.input_name],
        output_names=list(request.output_names),
        opset_version=request.opset,
        dynamic_axes={request.input_name: axes, **outputs} if axes else None,
    )


def draft(module: "nn.Module", shape: Sequence[int], path: Path) -> None:
    """Write a module as it is drawn for one input of `shape`, nothing folded or fused: to look at, not to run.

    Its weights are replaced by random ones: the exporter stores equal tensors once, and fresh ones are often equal.
    """
    torch, _ = require_exporter()
    module = copy.deepcopy(module)
    example = torch.zeros(tuple(shape))
    with torch.no_grad():
        for tensor in (*module.parameters(), *module.buffers()):
            if tensor.is_floating_point():
                tensor.uniform_()
    with in_eval_mode(module), quiet():
        torch.onnx.export(
            module,
            (example,),
            path,
            dynamo=False,
            verbose=False,
            input_names=["input"],
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,
        )


EXPORTERS: dict[ExporterName, Callable[[Request, Path], None]] = {"dynamo": by_dynamo, "torchscript": by_torchscript}


def run_exporter(name: ExporterName, request: Request, path: Path) -> None:
    """Write `path` with one exporter; whatever it raises comes through, whatever it prints does not."""
    with quiet():
        EXPORTERS[name](request, path)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep an exporter's talk off stdout and stderr; its failures still raise."""
    loggers = [logging.getLogger(name) for name in NOISY]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        with _without_descriptor_1(), redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


@contextmanager
def _without_descriptor_1() -> Iterator[None]:
    """Drop what torch's C++ writes to stdout past Python: of a failed export the whole graph."""
    sys.stdout.flush()
    try:
        shown = os.dup(1)
    except OSError:  # nobody listens
        yield
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    try:
        yield
    finally:
        if os.name == "posix":
            ctypes.CDLL(None).fflush(None)  # what C still holds back belongs to the exporter
        os.dup2(shown, 1)
        os.close(shown)


def require_exporter() -> Any:
    """Import what the exporters need, or say what to install."""
    try:
        import onnxscript
        import torch
    except ImportError as error:
        raise MachineError(
            f'export needs torch and onnxscript ({error}). Install: pip install "cnnkit[export]".'
        ) from error
    return torch, onnxscript
