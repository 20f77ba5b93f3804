"""A comparison as the facts that its page is made of."""

from collections.abc import Sequence

from cnnkit.comparison import ComparisonResults, Contender, Pair, PairedDifference, paired_boxes
from cnnkit.comparison import Flip as ComparedFlip
from cnnkit.report import ClassChange, ComparedModel, Comparison, DetectorPairing, Difference, Flip, Pairing


def page_of(found: ComparisonResults, contenders: Sequence[Contender]) -> Comparison:
    by_name = {contender.name: contender for contender in contenders}
    return Comparison(
        models=tuple(
            ComparedModel(model.name, contender.results, model.notes)
            for model, contender in zip(found.models, contenders, strict=True)
        ),
        sentences=found.sentences,
        differences=tuple(_difference(each) for each in found.differences),
        pairings=tuple(_pairing(each) for each in found.pairs),
        detectors=tuple(
            DetectorPairing(each, paired_boxes(by_name[each.first], by_name[each.second]))
            for each in found.object_pairs
        ),
        notes=found.notes,
    )


def _difference(each: PairedDifference) -> Difference:
    return Difference(
        first=each.first,
        second=each.second,
        measure=each.measure,
        value=each.value,
        low=each.low,
        high=each.high,
        p=each.p_corrected,
        n=each.n,
        method=each.method,
        sentence=each.sentence,
    )


def _pairing(each: Pair) -> Pairing:
    return Pairing(
        first=each.first,
        second=each.second,
        both_right=each.both_right,
        both_wrong=each.both_wrong,
        only_first=each.only_first,
        only_second=each.only_second,
        same_answer=each.same_answer,
        flips=[flip for found in each.flips if (flip := _flip(found))],
        classes=[ClassChange(found.label, found.n, found.first_right, found.second_right) for found in each.classes],
    )


def _flip(found: ComparedFlip) -> Flip | None:
    """None where an answer has no place among the classes shown."""
    if found.first is None or found.second is None:
        return None
    return Flip(
        key=found.key,
        digest=bytes.fromhex(found.digest) if found.digest else None,
        label=found.label,
        first=found.first,
        second=found.second,
        first_confidence=found.first_confidence,
        second_confidence=found.second_confidence,
    )
