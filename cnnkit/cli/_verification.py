"""A verification in words: shared by export and verify."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnkit.verification import OwnPreprocessing, Verification, Witness


def in_words(found: "Verification") -> list[str]:
    """How many images, how far apart, what was decided; then the source's own preprocessing, then the problems."""
    batches = ", ".join(str(size) for size in sorted({each.batch_size for each in found.comparisons}))
    verdict = "Verified" if found.passed else "NOT the same"
    lines = [f"{verdict} on {len(found.images)} images ({found.origin}), {batches} at a time: {_apart(found)}."]
    if found.own_preprocessing is not None:
        lines.append(f"Own preprocessing: {_own(found.own_preprocessing)}.")
    if found.witness is not None:
        lines.append(f"Witness: {_testimony(found.witness)}.")
    located = found.location.sentences if found.location else []
    return [*lines, *(f"  {sentence}" for sentence in (*found.problems, *located))]


def _testimony(witness: "Witness") -> str:
    """Which implementation it was, and how far from it the runtime is."""
    apart = max((each.max_abs for each in witness.outputs if each.max_abs is not None), default=0.0)
    why = f" (since {witness.why})" if witness.why else ""
    return f"{witness.name}{why} executes the graph too, on {witness.n_images} images: largest difference {apart:.2g}"


def _own(own: "OwnPreprocessing") -> str:
    if own.max_level is None or own.mean_level is None or own.top1_agreement is None:
        return own.not_run or "another shape"
    return (
        f"at most {own.max_level:.2g} of 255 levels apart, {own.mean_level:.2g} on the average of the worst image, "
        f"same best class on {own.top1_agreement:.1%} of the images"
    )


def _apart(found: "Verification") -> str:
    worst = found.worst
    if worst is None:
        return "nothing could be compared"
    said = [f"largest difference {worst.max_abs:.2g}"]
    if worst.tolerance is not None:
        said[0] += f" where {worst.tolerance:.2g} is allowed"
    agreements = [each.top1_agreement for each in found.comparisons if each.top1_agreement is not None]
    if agreements:
        said.append(f"same best class on {min(agreements):.1%} of the images")
    same = [each.detections_agreement for each in found.comparisons if each.detections_agreement is not None]
    if same:
        said.append(f"the same boxes on {min(same):.1%} of the images")
    changes = [each.max_probability_change for each in found.comparisons if each.max_probability_change is not None]
    if changes:
        said.append(f"largest change of a probability {max(changes):.2g}")
    return ", ".join(said)
