"""A verification in words: shared by export, verify and inspect."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnnkit.spec import ModelSpec
    from cnnkit.verification import OwnPreprocessing, Verification, Witness

DIGEST_SHOWN = 12  # letters of the 64: enough to tell files apart
SHARES = {  # in a comparison, and in words
    "top1_agreement": "the same best class",
    "top5_agreement": "the same five best",
    "detections_agreement": "the same boxes",
}


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


def recorded(spec: "ModelSpec") -> list[tuple[str, str]]:
    """What a file says of its own verification and, where it was quantised, of the gate that it passed."""
    record, gate = spec.verification, _gate(spec.provenance.get("quantization"))
    if not record or "skipped" in record:
        said = "not against torch; against the float file by its gate" if gate else "no"
        return [("Verified", f"{said}: {record['skipped']}" if record else said), *gate]
    more = [_agreement(record), *_on_what(record)] if record.get("comparisons") else _on_what(record)
    return [("Verified", _compared(record)), *(("", line) for line in more if line), *gate]


def _compared(record: dict[str, Any]) -> str:
    outputs = [output for each in record.get("comparisons", []) for output in each.get("outputs", [])]
    apart = max((output.get("max_abs", 0.0) for output in outputs), default=None)
    said = "" if apart is None else f", largest difference from the source {apart:.2g}"
    return f"{'yes' if record.get('passed') else 'FAILED'}, on {len(record.get('images', []))} images{said}"


def _agreement(record: dict[str, Any]) -> str:
    """The worst share of decisions that are the source's, over all batches and providers, and where that was."""
    comparisons = record.get("comparisons", [])
    said = []
    for key, words in SHARES.items():
        shares = [each[key] for each in comparisons if key in each]
        said += [f"{words} on {min(shares):.1%}"] if shares else []
    sizes = ", ".join(str(size) for size in sorted({each["batch_size"] for each in comparisons}))
    places = ", ".join(sorted({each["provider"] for each in comparisons}))
    return "; ".join([*said, f"{places}, {sizes} at a time", f"tolerances of {record.get('precision', 'fp32')}"])


def _on_what(record: dict[str, Any]) -> list[str]:
    """Which images, known by their digests, and which versions."""
    images = record.get("images", [])
    first = f", the first {images[0]['name']}, sha256 {images[0]['sha256'][:DIGEST_SHOWN]}..." if images else ""
    versions = ", ".join(f"{name} {version}" for name, version in record.get("versions", {}).items())
    return [f"images of {record.get('origin', 'unknown origin')}{first}", versions]


def _gate(facts: dict[str, Any] | None) -> list[tuple[str, str]]:
    if not facts:
        return []
    from pydantic import ValidationError

    from cnnkit import quantization

    try:
        done = quantization.Quantization.model_validate(facts)
    except ValidationError:
        return [("Gate", "recorded in a form that this version does not know; --json prints it")]
    accepted = "; accepted undecided, as asked" if done.accepted_undecided else ""
    made = f"calibrated on {done.n_calibration} images ({done.method}), of the float file {done.source_sha256}"
    return [("Gate", f"{done.decision.sentence()}{accepted}"), ("", made)]
