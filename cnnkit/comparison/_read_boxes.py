"""What two results owe to the file alone, and what to how its output is read and scored, in words."""

from typing import Any

from cnnkit.comparison._contender import Contender

NOT_READING = ("name", "type", "task")  # the graph's own name for a tensor decides nothing
LIMITED = "scored"
LIMIT = "at most {} detections of an image and class scored"


def same_file_notes(first: Contender, other: Contender) -> list[str]:
    """One line where both are one model file, so that no difference can come from its weights."""
    ours, theirs = first.results.model, other.results.model
    if theirs.sha256 is None or ours.sha256 != theirs.sha256:
        return []
    if ours.spec_hash == theirs.spec_hash and first.results.run.fast_decode == other.results.run.fast_decode:
        return [f"the same file as {first.name}, with the same spec"]
    return [f"the same file as {first.name}, with other settings: a difference is theirs, not the model's"]


def output_notes(first: Contender, other: Contender) -> list[str]:
    """One line for the settings of the output (`conf`, `iou`, `max_detections`, ...) that differ.

    Nothing is said where a spec is gone; what is then known stands among the notes on preprocessing. Nor of a limit on
    what is scored that one alone has: VOC's rule knows none.
    """
    if (first.spec is None) != (other.spec is None):
        return []
    ours, theirs = _settings(first), _settings(other)
    if LIMITED not in ours or LIMITED not in theirs:
        for settings in (ours, theirs):
            settings.pop(LIMITED, None)
    differing = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    if not differing:
        return []
    own, lacking = (", ".join(_told(name, each.get(name)) for name in differing) for each in (theirs, ours))
    return [f"other reading of the output than {first.name}: {own}; {first.name}: {lacking}"]


def _settings(contender: Contender) -> dict[str, Any]:
    spec, limits = contender.spec, contender.results.protocol.get("max_detections")
    read = {} if spec is None else spec.output.model_dump(exclude=set(NOT_READING))
    return {**read, **({LIMITED: limits[-1]} if isinstance(limits, list | tuple) and limits else {})}


def _told(name: str, value: Any) -> str:
    """`conf 0.25`, `agnostic no`, `strides unset`."""
    if name == LIMITED:
        return LIMIT.format(value)
    if isinstance(value, bool):
        return f"{name} {'yes' if value else 'no'}"
    if value is None:
        return f"{name} unset"
    return f"{name} {value:g}" if isinstance(value, int | float) else f"{name} {value}"
