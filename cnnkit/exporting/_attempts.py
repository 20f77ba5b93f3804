"""One exporter after the other, until a file does what its source does."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cnnkit import __version__, graphs
from cnnkit.errors import CheckFailed, MachineError
from cnnkit.exporting._checks import check_graph
from cnnkit.exporting._exporters import EXPORTERS, ExporterName, Request, run_exporter
from cnnkit.exporting._fuse import Order, fuse, fused_spec
from cnnkit.exporting._half import to_half
from cnnkit.exporting._other_size import check_other_size
from cnnkit.spec import METADATA_KEY, ModelSpec
from cnnkit.verification import Pictures, Source, Verification, verify

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Form:
    """What becomes of the graph after torch has written it; `fuse` is the channel order of the pixels it takes.

    `find_fault`: look for the place when it comes out wrong.
    """

    precision: Literal["fp32", "fp16"] = "fp32"
    half_io: bool = False
    fuse: Order | None = None
    find_fault: bool = False


@dataclass(frozen=True, slots=True)
class Places:
    """Where a file is run to be verified; see `verification.verify`."""

    devices: tuple[str, ...] = ()
    providers: str | None = None


@dataclass(frozen=True)
class Exported:
    """What became of an export. `verification` is None only where it was typed that there be none."""

    path: Path
    spec: ModelSpec
    exporter: ExporterName
    verification: Verification | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Attempts:
    """Everything that the attempts share. `pictures` None: no verification; `transform`: the source's own, if any."""

    source: Source
    spec: ModelSpec
    request: Request
    pictures: Pictures | None
    notes: tuple[str, ...]
    say: Say
    transform: Any = None
    exact: bool = True
    form: Form = Form()
    places: Places = Places()

    def write(self, path: Path) -> Exported:
        """Write `path`; CheckFailed with every exporter's reason when none made a right file, and nothing is left."""
        refused: dict[str, str] = {}
        _make_folder(path)
        for name in EXPORTERS:
            with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
                try:
                    return self._attempt(name, Path(folder) / path.name, path, refused)
                except Exception as error:  # an exporter may raise anything; every reason is told
                    refused[name] = _reason(error)
                    self.say(f"The {name} exporter's file is refused: {refused[name]}")
        reasons = " ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise CheckFailed(
            " ".join(
                [f"{self.source.text}: no exporter made a right file, and none was written.", reasons, *self.notes]
            )
        )

    def _attempt(self, name: ExporterName, temporary: Path, path: Path, refused: dict[str, str]) -> Exported:
        run_exporter(name, self.request, temporary)
        model = graphs.load(temporary)
        check_graph(model, self.request, temporary)
        graphs.remove_stack_traces(model)
        spec = self.spec.model_copy(update={"provenance": self._provenance(name, refused)})
        if self.form.precision == "fp16":
            model = to_half(model, inputs_too=self.form.half_io)
        found = self._verify(model, spec, temporary)
        if self.form.fuse is not None:
            model, spec = fuse(model, spec, self.form.fuse), fused_spec(spec, self.form.fuse)
            found = self._verify(model, spec, temporary)
        record: dict[str, Any] = found.to_dict() if found else {"skipped": "--no-verify was given"}
        spec = spec.model_copy(update={"verification": record})
        graphs.set_metadata(model, {METADATA_KEY: spec.to_json()})
        graphs.save(model, path)
        return Exported(path, spec, name, found, self.notes)

    def _verify(self, model: Any, spec: ModelSpec, temporary: Path) -> Verification | None:
        if self.pictures is None:
            return None
        graphs.set_metadata(model, {METADATA_KEY: spec.to_json()})
        graphs.save(model, temporary)
        found = verify(
            temporary,
            self.source.module,
            self.pictures,
            precision=self.form.precision,
            traced_batch=len(self.request.example),
            devices=self.places.devices,
            providers=self.places.providers,
            transform=self.transform,
            exact=self.exact,
            find_fault=self.form.find_fault,
        )
        found.require("The file")
        if self.request.dynamic == "all" and not spec.input.any_size:
            check_other_size(temporary, self.request, precision=self.form.precision, half_io=self.form.half_io)
        return found

    def _provenance(self, name: str, refused: dict[str, str]) -> dict[str, Any]:
        import torch

        facts: dict[str, Any] = {
            "source": self.source.text,
            "created_by": f"cnnkit {__version__}",
            "exporter": name,
            "torch": torch.__version__,
            "opset": self.request.opset,
            "dynamic": self.request.dynamic,
            "precision": self.form.precision,
            **self.source.facts,
        }
        if refused:
            facts["refused"] = refused
        if self.notes:
            facts["notes"] = list(self.notes)
        return facts


def _make_folder(path: Path) -> None:
    """MachineError, with the name that was asked for, where no file can be made: before anything is exported."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent):
            pass
    except OSError as error:
        raise MachineError(f"{path}: cannot be written: {error.strerror}. Give another -o.") from error


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    text = lines[0] if lines else type(error).__name__
    return text if isinstance(error, CheckFailed) else f"{type(error).__name__}: {text}"
