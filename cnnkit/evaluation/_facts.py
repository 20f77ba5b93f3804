"""Where the numbers come from: model, run, data, provider, versions, cost and speed."""

import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cnnkit.errors import CnnkitError, DataError
from cnnkit.evaluation._source import Source
from cnnkit.files import sha256_of
from cnnkit.predictions import Run, read_record
from cnnkit.results import Cost, ModelFacts, ProviderFacts, RunFacts, Speed
from cnnkit.spec import spec_problems


def model_facts(run: Run) -> ModelFacts:
    plan = run.plan
    return ModelFacts(name=plan.model.name, sha256=plan.model.sha256, spec_hash=plan.spec_hash)


def run_facts(source: Source, output: Path | None) -> RunFacts:
    path = place(source.run.path, output) if source.kept else None
    return RunFacts(path=path, sha256=source.run.sha256, fast_decode=source.run.plan.fast_decode)


def provider_facts(run: Run) -> ProviderFacts:
    return ProviderFacts(name=run.plan.provider.name, precision=run.plan.precision)


def versions_of(run: Run) -> dict[str, str]:
    """The versions that made the predictions, and those that scored them."""
    here = versions_here("hotcoco" if run.spec.task == "detection" else "scikit-learn")
    return {**(run.manifest.versions if run.manifest else {}), **here}


def versions_here(*packages: str) -> dict[str, str]:
    from importlib.metadata import version

    return {f"eval {name}": version(name) for name in ("cnnkit", "numpy", *packages)}


def cost_of(source: Source) -> Cost:
    """Bytes from the plan; parameters and multiply-adds from the model's file, where that is at hand."""
    size, model = source.run.plan.model.size_bytes, source.model or _model_of(source.run)
    if model is None:
        return Cost(size_bytes=size)
    from cnnkit.graphs import summarize

    try:
        graph = summarize(model, size=source.run.spec.input.size)
    except CnnkitError:  # a file that runs and that the reader of graphs does not understand
        return Cost(size_bytes=size)
    return Cost(size_bytes=size, parameters=graph.parameters, multiply_adds=graph.multiply_adds)


def _model_of(run: Run) -> Path | None:
    """The file that the run was made with, where it still lies there unchanged."""
    record = read_record(run.path)
    path = Path(record.roots.get("model", "")) if record else Path()
    return path if path.is_file() and sha256_of(path) == run.plan.model.sha256 else None


def speed_of(run: Run, bench: Path | None) -> Speed:
    """From what `bench --json` printed of this model, else the images per second that the run itself took."""
    if bench is None:
        record = read_record(run.path)
        rate = record.images_per_s if record else None
        return Speed(images_per_s=rate, images_per_s_of="run" if rate else None)
    facts = _read_json(bench)
    _refuse_other_model(facts, bench, run.plan.model.name, run.plan.model.sha256)
    return _speed_in(facts, bench)


def _speed_in(facts: dict[str, Any], bench: Path) -> Speed:
    try:
        return Speed.model_validate({name: facts[name] for name in Speed.model_fields if name in facts})
    except ValidationError as error:
        raise DataError(f"{bench}: its speed cannot be read: {spec_problems(error)}.") from error


def notes_on_speed(run: Run, bench: Path | None) -> list[str]:
    """A sentence where the speed is of another provider or precision than the predictions."""
    if bench is None:
        return []
    measured = next(iter(_read_json(bench)["candidates"]))
    made = {"provider": run.plan.provider.name, "precision": run.plan.precision}
    if all(measured.get(name, value) == value for name, value in made.items()):
        return []
    return [
        f"The speed is that of {measured.get('provider')} in {measured.get('precision')}, as {bench.name} has it; the "
        f"predictions were made by {made['provider']} in {made['precision']}."
    ]


def check_bench(bench: Path | None, source: Path) -> None:
    """Refuse a file of another model, or of none, or of no speed, before the model is run."""
    if bench is not None:
        facts = _read_json(bench)
        _speed_in(facts, bench)
        if source.is_file():
            _refuse_other_model(facts, bench, source.stem, sha256_of(source))


def _refuse_other_model(facts: dict[str, Any], bench: Path, name: str, sha256: str) -> None:
    """The speed that a benchmark's file begins with is that of its first candidate."""
    first = next(iter(facts.get("candidates") or [{}]))
    if "sha256" not in first:
        raise DataError(f"{bench}: not what `cnnkit bench --json` prints: it names no model.")
    if first["sha256"] != sha256:
        raise DataError(
            f"{bench}: the speed in it is that of {first.get('model')} ({first['sha256'][:12]}), what is scored is "
            f"{name} ({sha256[:12]}). Benchmark this model first in the list."
        )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error
    if not isinstance(facts, dict):
        raise DataError(f"{path}: expected a JSON object, got {type(facts).__name__}.")
    return facts


def place(path: Path, output: Path | None) -> str:
    """A path as results.json writes it: relative to the results folder, as given when there is none."""
    if output is None:
        return path.as_posix()
    return Path(os.path.relpath(path.absolute(), output.absolute())).as_posix()
