"""Source to .onnx: exported, checked, verified, and only then given its name."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnkit import __version__, graphs
from cnnkit.errors import CheckFailed, UsageError
from cnnkit.exporting._checks import check_graph
from cnnkit.exporting._exporters import Dynamic, ExporterName, Request, require_exporter, run_exporter
from cnnkit.spec import METADATA_KEY, ModelSpec
from cnnkit.verification import (
    TRACED_BATCH,
    Source,
    Verification,
    find_pictures,
    in_eval_mode,
    open_source,
    output_tensors,
    unsteady_parts,
    verify,
)

if TYPE_CHECKING:
    from torch import Tensor

DEFAULT_OPSET = 18
FOLDER = Path("exported")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Exported:
    """What became of an export. `verification` is None only where it was typed that there be none."""

    path: Path
    spec: ModelSpec
    exporter: ExporterName
    verification: Verification | None
    notes: tuple[str, ...]


def export_source(
    source: Source,
    output: Path | None = None,
    *,
    images: Path | None = None,
    opset: int = DEFAULT_OPSET,
    dynamic: Dynamic = "batch",
    check: bool = True,
    overwrite: bool = False,
    say: Say = lambda message: None,
) -> Exported:
    """Write a module as one .onnx file with its spec inside.

    The dynamo exporter is tried first, the TorchScript exporter when that fails or its file is refused. The file is
    compared with the module on real images before it takes its name; nothing is left behind when it is refused.

    Args:
        source: the module with its spec.
        output: the file to write; `exported/NAME.onnx` when None.
        images: what to verify on; the training record's images or two photographs when None.
        opset: version of the operators.
        dynamic: which axes stay open.
        check: verify; False only at the user's word.
        overwrite: replace a file that is there.
        say: told what happens, in sentences.

    Raises:
        UsageError: the file is there already.
        CheckFailed: no exporter made a file that does what the module does.
    """
    require_exporter()
    path = output or FOLDER / f"{source.name}.onnx"
    _refuse_existing(path, overwrite=overwrite)
    spec = source.spec
    if spec is None:
        raise UsageError(f"{source.text}: nothing says how an image is prepared for it.")
    was_training = source.module.training
    with in_eval_mode(source.module):
        request = _request(source, spec, opset=opset, dynamic=dynamic)
        notes = _mode_notes(source, request, was_training=was_training)
        for note in notes:
            say(note)
        pictures = find_pictures(images, source.data) if check else None
        return _Attempts(source, spec, request, pictures, notes, say).write(path)


def _refuse_existing(path: Path, *, overwrite: bool) -> None:
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; -o names the .onnx file to write.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is there already. Give --overwrite to replace it, or another -o.")


def _request(source: Source, spec: ModelSpec, *, opset: int, dynamic: Dynamic) -> Request:
    import torch

    batch = 1 if dynamic == "none" else TRACED_BATCH
    height, width = spec.input.size
    example = torch.rand((batch, spec.input.n_channels, height, width), generator=torch.Generator().manual_seed(0))
    parameter = next(source.module.parameters(), None)
    if parameter is not None:
        example = example.to(parameter.device)
    return Request(source.module, example, spec.input.name, _output_names(source, spec, example), opset, dynamic)


def _output_names(source: Source, spec: ModelSpec, example: "Tensor") -> list[str]:
    import torch

    with torch.inference_mode():
        count = len(output_tensors(source.module(example)))
    return [spec.output.name, *(f"{spec.output.name}_{at}" for at in range(1, count))]


def _mode_notes(source: Source, request: Request, *, was_training: bool) -> list[str]:
    notes = []
    if was_training:
        notes.append(f"{source.text} was in training mode; it is exported in eval mode.")
    stubborn = [name or type(part).__name__ for name, part in source.module.named_modules() if part.training]
    if stubborn:
        notes.append(f"Still in training mode after eval(): {', '.join(stubborn[:5])}.")
    random = unsteady_parts(source.module, request.example.cpu().numpy())
    if random:
        notes.append(f"Two runs on one input gave two results; random are: {', '.join(random[:5])}.")
    return notes


class _Attempts:
    """One exporter after the other, until a file is right."""

    def __init__(
        self, source: Source, spec: ModelSpec, request: Request, pictures: Any, notes: list[str], say: Say
    ) -> None:
        self._source, self._spec, self._request = source, spec, request
        self._pictures, self._notes, self._say = pictures, notes, say

    def write(self, path: Path) -> Exported:
        refused: dict[str, str] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        for name in ("dynamo", "torchscript"):
            with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
                try:
                    return self._attempt(name, Path(folder) / path.name, path, refused)
                except Exception as error:  # an exporter may raise anything; every reason is told
                    refused[name] = _reason(error)
                    self._say(f"The {name} exporter's file is refused: {refused[name]}")
        reasons = " ".join(f"{name}: {reason}" for name, reason in refused.items())
        hints = " ".join(self._notes)
        raise CheckFailed(
            f"{self._source.text}: no exporter made a right file, and none was written. {reasons} {hints}".strip()
        )

    def _attempt(self, name: ExporterName, temporary: Path, path: Path, refused: dict[str, str]) -> Exported:
        run_exporter(name, self._request, temporary)
        model = graphs.load(temporary)
        check_graph(model, self._request, temporary)
        graphs.remove_stack_traces(model)
        spec = self._spec.model_copy(update={"provenance": self._provenance(name, refused)})
        found = self._verify(model, spec, temporary)
        record: dict[str, Any] = found.to_dict() if found else {"skipped": "--no-verify was given"}
        spec = spec.model_copy(update={"verification": record})
        graphs.set_metadata(model, {METADATA_KEY: spec.to_json()})
        graphs.save(model, path)
        return Exported(path, spec, name, found, tuple(self._notes))

    def _verify(self, model: Any, spec: ModelSpec, temporary: Path) -> Verification | None:
        if self._pictures is None:
            return None
        graphs.set_metadata(model, {METADATA_KEY: spec.to_json()})
        graphs.save(model, temporary)
        found = verify(temporary, self._source.module, self._pictures, traced_batch=len(self._request.example))
        found.require("The file")
        return found

    def _provenance(self, name: str, refused: dict[str, str]) -> dict[str, Any]:
        import torch

        facts: dict[str, Any] = {
            "source": self._source.text,
            "created_by": f"cnnkit {__version__}",
            "exporter": name,
            "torch": torch.__version__,
            "opset": self._request.opset,
            "dynamic": self._request.dynamic,
            **self._source.facts,
        }
        if refused:
            facts["refused"] = refused
        if self._notes:
            facts["notes"] = self._notes
        return facts


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if isinstance(error, CheckFailed) else f"{type(error).__name__}: {text}"


def export(
    source: Any, output: Path | str | None = None, *, overwrite: bool = False, images: Path | str | None = None
) -> Path:
    """Export a checkpoint of `cnnkit train`, verified; returns the file's path."""
    opened = source if isinstance(source, Source) else open_source(str(source))
    done = export_source(
        opened, Path(output) if output else None, overwrite=overwrite, images=Path(images) if images else None
    )
    return done.path
