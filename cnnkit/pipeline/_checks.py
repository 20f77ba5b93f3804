"""Does the file take what its spec makes, and give what its spec reads?"""

from cnnkit.errors import ModelError, UsageError
from cnnkit.runtime import TensorInfo
from cnnkit.spec import CenterCrop, ClassificationOutput, ModelSpec, Pad, Resize

MEND = "Give other flags or --spec FILE, or re-export it with the right spec."


def check_spec(
    spec: ModelSpec, inputs: tuple[TensorInfo, ...], outputs: tuple[TensorInfo, ...], *, source: str
) -> None:
    """Raise ModelError when model and spec do not fit together; `source` is named in it."""
    _check_input(spec, inputs, source)
    _check_made_size(spec, source)
    _check_output(spec, outputs, source)


def input_shape(spec: ModelSpec) -> tuple[int, ...]:
    """The shape of one prepared image, without the batch axis."""
    height, width = spec.input.size
    channels = spec.input.n_channels
    return (channels, height, width) if spec.input.layout == "NCHW" else (height, width, channels)


def _check_input(spec: ModelSpec, inputs: tuple[TensorInfo, ...], source: str) -> None:
    names = [info.name for info in inputs]
    if names != [spec.input.name]:
        raise ModelError(
            f'{source}: its spec feeds the input "{spec.input.name}", but it takes {_listed(names)}. {MEND}'
        )
    info = inputs[0]
    made = input_shape(spec)
    fits = len(info.shape) == 4 and all(
        size in (None, wanted) for size, wanted in zip(info.shape[1:], made, strict=True)
    )
    if not fits or info.dtype != spec.input.dtype:
        dtype = "" if info.dtype == spec.input.dtype else f"{spec.input.dtype} "
        raise ModelError(
            f'{source}: input "{info.name}" is {info} but the preprocessing in its spec makes '
            f"{dtype}(N, {', '.join(map(str, made))}). {MEND}"
        )


def _check_made_size(spec: ModelSpec, source: str) -> None:
    made = _made_size(spec)
    if made is not None and made != spec.input.size:
        raise ModelError(
            f"{source}: the preprocessing in its spec makes pictures of {list(made)} (height, width), "
            f"but input.size is {list(spec.input.size)}. {MEND}"
        )


def refuse_open_size(spec: ModelSpec, *, source: str) -> None:
    """Raise UsageError where the last resize aims at a short side and nothing cuts the long one."""
    sizing = [each for each in spec.geometry_operations if isinstance(each, Resize | CenterCrop)]
    if sizing and isinstance(sizing[-1], Resize) and sizing[-1].mode == "shortest":
        height, width = spec.input.size
        raise UsageError(
            f"{source}: its preprocessing ends in a resize of the short side to {sizing[-1].size}, which leaves the "
            f"long side open, and the input takes {height}x{width}. End it with a centre crop, or squeeze the "
            "picture: --resize exact."
        )


def _made_size(spec: ModelSpec) -> tuple[int, int] | None:
    """(height, width) after the geometry, None when it depends on the picture."""
    size: tuple[int, int] | None = None
    for operation in spec.geometry_operations:
        if isinstance(operation, Resize):
            size = None if isinstance(operation.size, int) else operation.size
        elif isinstance(operation, CenterCrop):
            size = operation.size
        elif isinstance(operation, Pad) and size is not None:
            left, top, right, bottom = operation.padding
            size = size[0] + top + bottom, size[1] + left + right
    return size


def _check_output(spec: ModelSpec, outputs: tuple[TensorInfo, ...], source: str) -> None:
    by_name = {info.name: info for info in outputs}
    if spec.output.name not in by_name:
        raise ModelError(
            f'{source}: its spec reads the output "{spec.output.name}", but it gives {_listed(list(by_name))}. {MEND}'
        )
    if not isinstance(spec.output, ClassificationOutput):
        return
    info = by_name[spec.output.name]
    if info.dtype in ("uint8", "int8", "int32") and spec.output.scale is None:
        raise ModelError(
            f'{source}: output "{info.name}" is {info.dtype}: quantised scores need output.scale and '
            f"output.zero_point in the spec. Pass --spec FILE with them."
        )
    scores = n_scores(info)
    background = spec.output.background
    if scores is not None and scores != len(spec.classes) + int(background):
        problem = _class_mismatch(len(spec.classes), scores, background=background)
        raise ModelError(f'{source}: output "{info.name}" is {info}: {problem}')


def n_scores(info: TensorInfo) -> int | None:
    """How many scores an output gives for one image; None when its shape leaves it open."""
    if len(info.shape) < 2 or any(size is None for size in info.shape[1:]):
        return None
    count = 1
    for size in info.shape[1:]:
        count *= size or 1
    return count


def _class_mismatch(n: int, scores: int, *, background: bool) -> str:
    if scores == n + 1 and not background:
        return (
            f"{scores} scores for {n} class names. If output 0 is a background class, say --background; "
            f"else give --labels FILE with {scores} names."
        )
    return (
        f"{scores} scores for {n} class names{' and a background' if background else ''}. "
        f"Give --labels FILE with a name for each score."
    )


def _listed(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names) or "nothing"
