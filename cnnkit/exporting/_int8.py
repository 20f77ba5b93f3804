"""An export that ends in int8: written as float, quantised behind the gate, verified by its decisions."""

import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from cnnkit import files, graphs, quantization
from cnnkit.exporting._attempts import Attempts, Exported, Say
from cnnkit.spec import METADATA_KEY, parse_spec
from cnnkit.verification import verify


@dataclass(frozen=True, slots=True)
class Gate:
    """What quantisation is calibrated on and measured against; see `quantization.quantize`."""

    calib: Path | None = None
    labelled: Path | None = None
    max_drop: float = 1.0
    accept_undecided: bool = False
    class_map: Path | None = None
    split: str | None = None
    method: quantization.Method = "minmax"
    samples: int = quantization.CALIBRATION_IMAGES


def write_int8(attempts: Attempts, path: Path, gate: Gate) -> Exported:
    """Write `path` in int8; CheckFailed and no file when export, gate or verification says no."""
    assert gate.calib is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", dir=path.parent) as folder:
        done = attempts.write(Path(folder) / "float.onnx")
        small = Path(folder) / path.name
        told = _Told(small, path, attempts.say)
        quantization.quantize(
            done.path,
            small,
            calib=gate.calib,
            labelled=gate.labelled,
            max_drop=gate.max_drop,
            accept_undecided=gate.accept_undecided,
            class_map=gate.class_map,
            split=gate.split,
            method=gate.method,
            samples=gate.samples,
            say=told,
        )
        made = _verified(done, attempts, small, path)
        told.release()
        return made


def _verified(done: Exported, attempts: Attempts, small: Path, path: Path) -> Exported:
    """Compare the int8 file's decisions with the module's, and put that record into it instead of the float one's."""
    spec = parse_spec(graphs.read_metadata(small)[METADATA_KEY], source=str(small))
    changes: dict[str, object] = {"provenance": {**spec.provenance, "precision": "int8"}}
    found = None
    if attempts.pictures is not None:
        places = attempts.places
        found = verify(
            small,
            attempts.source.module,
            attempts.pictures,
            precision="int8",
            devices=places.devices,
            providers=places.providers,
        )
        found.require(f"{path} was not written: the int8 file")
        changes["verification"] = found.to_dict()
    spec = spec.model_copy(update=changes)
    graphs.write_metadata(small, small, {METADATA_KEY: spec.to_json()})
    files.write_bytes(path, small.read_bytes())
    return replace(done, path=path, spec=spec, verification=found)


@dataclass(frozen=True)
class _Told:
    """Sentences with the name that the file will have, and without the folder that will be gone.

    Those that name the file wait until it is there: the verification may yet refuse it.
    """

    small: Path
    path: Path
    say: Say
    held: list[str] = field(default_factory=list)

    def __call__(self, sentence: str) -> None:
        if str(self.small) in sentence:
            self.held.append(sentence.replace(str(self.small), str(self.path)))
        else:
            self.say(sentence.replace(f"{self.small.parent}/", ""))

    def release(self) -> None:
        for sentence in self.held:
            self.say(sentence)
