"""What a run is going to do: the model opened, the plan written or checked against the one that is there."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnkit import __version__, graphs, pipeline
from cnnkit.data import Listing
from cnnkit.inference._pace import Pace
from cnnkit.pipeline import Model, SpecOptions
from cnnkit.predictions import ModelFacts, Plan, ProviderFacts, RunFolder
from cnnkit.runtime import device_of

SHARD_SIZE = 1024
TOPK = 5

Say = Callable[[str], None]


@dataclass(frozen=True)
class Asked:
    """What was typed; None is taken from the plan that is there, else from the defaults."""

    device: str | None = None
    providers: str | None = None
    precision: str | None = None
    allow_fallback: bool = False
    batch_size: int | None = None
    shard_size: int | None = None
    topk: int | None = None
    fast_decode: bool | None = None


def open_planned(folder: RunFolder, path: Path, asked: Asked, options: SpecOptions, pace: Pace) -> Model:
    """Open the model as typed, and where nothing was typed as the plan says."""
    present = folder.plan
    how: dict[str, Any] = {"device": asked.device, "providers": asked.providers}
    if present is not None:
        folder.refuse(_model_differences(present, path))
        if asked.device is None and asked.providers is None:
            how = device_of(present.provider.name, present.provider.options)
        if not any(value is not None for value in options.values()):
            options = {"spec": present.spec}
    precision = asked.precision or (present.precision if present else "fp32")
    return pipeline.open_model(
        path,
        **how,
        precision=precision,
        threads=pace.threads,
        streams=pace.workers,
        allow_fallback=asked.allow_fallback,
        **options,
    )


def make_plan(folder: RunFolder, model: Model, listing: Listing, asked: Asked, pace: Pace) -> Plan:
    """The plan that holds: a new one, written; or the one that is there, when this one does not differ from it."""
    present = folder.plan
    batch_size, reason = model.batch_size(asked.batch_size or (present.batch_size if present else None))
    if present is None and asked.batch_size is None and reason is None:
        batch_size = pace.batch_size or batch_size
    plan = Plan(
        cnnkit=__version__,
        model=ModelFacts(name=model.name, sha256=model.sha256, size_bytes=graphs.size_of(model.path)),
        spec=model.spec,
        spec_hash=model.spec.spec_hash,
        batch_size=batch_size,
        batch_reason=reason,
        provider=ProviderFacts(name=model.session.provider.name, options=model.session.provider.options),
        precision=model.session.provider.precision,
        shard_size=asked.shard_size or (present.shard_size if present else SHARD_SIZE),
        topk=asked.topk or (present.topk if present else TOPK),
        fast_decode=decodes_fast(folder, asked),
        n=len(listing),
        inputs_sha256="",
    )
    if present is not None:
        folder.refuse([*present.differences(plan), *folder.input_differences(listing)])
        return present
    return folder.begin_run(plan, listing)


def decodes_fast(folder: RunFolder, asked: Asked) -> bool:
    """As typed, else as the plan that is there says, else not."""
    if asked.fast_decode is None:
        return folder.plan is not None and folder.plan.fast_decode
    return asked.fast_decode


def _model_differences(present: Plan, path: Path) -> list[str]:
    """Looked at before the file is opened: another file may not even open with the plan's spec."""
    sha256 = graphs.sha256_of(path) if path.is_file() else present.model.sha256
    was, now = present.model.sha256[:12], sha256[:12]
    return [f"model: {present.model.name} {was} in the plan, {path.stem} {now} now"] if was != now else []
