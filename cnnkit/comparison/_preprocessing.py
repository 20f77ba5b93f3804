"""What two models see differently, in words."""

from typing import Any

from cnnkit.comparison._contender import Contender
from cnnkit.spec import ModelSpec, Operation, Resize


def preprocessing_notes(first: Contender, other: Contender) -> list[str]:
    """What `other` does to a picture and `first` does not, and the other way round; decoding first."""
    return [*_decoding_notes(first, other), *_spec_notes(first, other)]


def _decoding_notes(first: Contender, other: Contender) -> list[str]:
    ours, theirs = (each.results.run.fast_decode for each in (first, other))
    if ours == theirs:
        return []
    how = {True: "decoded at a fraction of it (fast decoding)", False: "decoded whole"}
    return [f"JPEGs of more than twice the size needed were {how[theirs]}, those of {first.name} {how[ours]}"]


def _spec_notes(first: Contender, other: Contender) -> list[str]:
    hashes = [each.results.model.spec_hash for each in (first, other)]
    if hashes[0] == hashes[1]:
        return []
    if None in hashes:
        unknown = " and ".join(each.name for each, spec in zip((first, other), hashes, strict=True) if spec is None)
        return [f"predictions of another tool: how {unknown} saw the images is not known"]
    if first.spec is None or other.spec is None:
        gone = " and ".join(each.name for each in (first, other) if each.spec is None)
        return [f"other preprocessing, other classes or another output than {first.name}; the run of {gone} is gone"]
    ours, theirs = _steps(first.spec), _steps(other.spec)
    if ours == theirs:
        return []
    own = [step for step in theirs if step not in ours]
    lacking = [step for step in ours if step not in theirs]
    if not own and not lacking:
        return [f"other preprocessing than {first.name}: the same steps in another order"]
    told = [*([", ".join(own)] if own else []), *([f"{first.name}: {', '.join(lacking)}"] if lacking else [])]
    return [f"other preprocessing than {first.name}: {'; '.join(told)}"]


def _steps(spec: ModelSpec) -> list[str]:
    """What becomes of a picture, step by step, as `resize 256 shortest pillow bilinear`."""
    height, width = spec.input.size
    steps = [f"input {height} x {width} {spec.input.channels}"]
    if not spec.decode.exif:
        steps.append("EXIF orientation left alone")
    if spec.decode.alpha != "drop":
        steps.append(f"alpha over {spec.decode.alpha}")
    return [*steps, *(_step(operation) for operation in spec.preprocess)]


def _step(operation: Operation) -> str:
    """`resize shortest 256 pillow bilinear`, `normalize mean 0.485, 0.456, 0.406 std ...`."""
    if isinstance(operation, Resize) and operation.mode != "letterbox":
        how = f"{operation.implementation} {operation.filter}"
        return f"resize {operation.mode} {_value(operation.size)} {how}{'' if operation.upscale else ' down only'}"
    facts = operation.model_dump(exclude_defaults=True)
    return " ".join([operation.op.replace("_", " "), *(f"{name} {_value(value)}" for name, value in facts.items())])


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        sides = len(value) == 2 and all(isinstance(each, int) for each in value)
        return (" x " if sides else ", ").join(_value(each) for each in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
