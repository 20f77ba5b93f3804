"""A file, and what was typed about it, to an open Model."""

from pathlib import Path
from typing import Unpack

from cnnkit import graphs, runtime
from cnnkit.pipeline._checks import check_spec
from cnnkit.pipeline._model import Model
from cnnkit.pipeline._resolve import SpecOptions, resolve_spec


def open_model(
    path: Path | str,
    *,
    device: str | None = None,
    providers: str | None = None,
    threads: int | None = None,
    streams: int | None = None,
    allow_fallback: bool = False,
    precision: str = "fp32",
    **options: Unpack[SpecOptions],
) -> Model:
    """Open an .onnx file together with its spec; options that are given override what the file says.

    `device` to `precision` are those of `runtime.open_session`.

    Raises ModelError when the file is not a model, holds no spec and none is given, or does not fit its spec;
    DeviceError when the device cannot be had.
    """
    path = Path(path)
    session = runtime.open_session(
        path,
        device=device,
        providers=providers,
        threads=threads,
        streams=streams,
        allow_fallback=allow_fallback,
        precision=precision,
    )
    spec, notes = resolve_spec(session, source=str(path), options=options)
    check_spec(spec, session.inputs, session.outputs, source=str(path))
    return Model(path, graphs.sha256_of(path), spec, session, (*session.provider.notes, *notes))
