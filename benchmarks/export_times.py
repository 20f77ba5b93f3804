"""How long export and verification take, network by network.

    python benchmarks/export_times.py [--nets lenet5 resnet18] [--rounds 3] [--write]

Networks of `cnnkit.models` with fresh weights are written by each of torch's exporters, and the file is verified on 32
crops of two photographs, as `cnnkit export` does it. Medians over the rounds; --write puts them into
docs/performance.md. Run it on a quiet machine.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from page import add_write_option, as_table, measured_by, write_section

from cnnkit import exporting, models, verification
from cnnkit.exporting._exporters import EXPORTERS, Request, run_exporter
from cnnkit.spec import ClassificationOutput, ClassName, ModelInput, ModelSpec, Rescale, Resize, ToGray

CLASSES = 10
COLUMNS = ["network", "parameters", *(f"{name}, s" for name in EXPORTERS), "verify, s", "the whole export, s"]


def source(net: str) -> verification.Source:
    natural = models.network(net).input
    side, gray = natural.size, natural.channels == "GRAY"
    arguments = {"channels": 1 if gray else 3, "size": side} if models.network(net).fixed else {}
    spec = ModelSpec(
        input=ModelInput(channels=natural.channels, size=(side, side)),
        preprocess=(*((ToGray(),) if gray else ()), Resize(size=(side, side), mode="exact"), Rescale(scale=1 / 255)),
        output=ClassificationOutput(),
        classes=tuple(ClassName(name=str(at)) for at in range(CLASSES)),
    )
    torch.manual_seed(0)
    return verification.Source(models.create(net, CLASSES, **arguments).eval(), net, net, spec=spec)


def seconds(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def measure(net: str, rounds: int, folder: Path) -> list[str]:
    opened = source(net)
    assert opened.spec is not None
    example = torch.rand(verification.TRACED_BATCH, opened.spec.input.n_channels, *opened.spec.input.size)
    request = Request(opened.module, example, "input", ["logits"], exporting.DEFAULT_OPSET, "batch")
    path = folder / f"{net}.onnx"
    row = [net, f"{sum(p.numel() for p in opened.module.parameters()):,}"]
    with verification.in_eval_mode(opened.module):
        for name in EXPORTERS:
            row.append(f"{seconds(lambda name=name: run_exporter(name, request, path), rounds):.1f}")
    whole = seconds(lambda: exporting.export_source(opened, path, overwrite=True), rounds)
    verified = seconds(lambda: verification.verify(path, opened.module), rounds)
    return [*row, f"{verified:.1f}", f"{whole:.1f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", default=["digits", "lenet5", "resnet18", "googlenet"])
    parser.add_argument("--rounds", type=int, default=3)
    add_write_option(parser)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run_exporter("dynamo", _first_request(), Path(folder) / "first.onnx")  # what torch loads once is not counted
        rows = [measure(net, given.rounds, Path(folder)) for net in given.nets]
    what = f"medians of {given.rounds} rounds, torch {version('torch')}."
    text = f"{measured_by('export_times.py', what)}\n\n{as_table(COLUMNS, rows)}"
    print(text)
    if given.write:
        write_section("Export and verify", text)


def _first_request() -> Request:
    opened = source("digits")
    return Request(opened.module, torch.rand(2, 1, 8, 8), "input", ["logits"], exporting.DEFAULT_OPSET, "batch")


if __name__ == "__main__":
    main()
