"""Differences as a person says them."""

from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit.comparison._record import Answer, Front, ObjectPair, PairedDifference, Verdict
from cnnkit.comparison._tested import Tested

NOT_EVEN = 10_000_000  # more images than this are not asked for


@dataclass(frozen=True)
class Wording:
    """A measure in words; `share` is told in points, `up` says whether more is better."""

    label: str
    share: bool = True
    up: bool = True
    unit: str = ""


WORDINGS = {
    "top1_accuracy": Wording("accuracy"),
    "top5_error": Wording("top-5 error", up=False),
    "macro_f1": Wording("F1, mean of the classes"),
    "micro_f1": Wording("F1, all answers together"),
    "map": Wording("mAP"),
    "roc_auc": Wording("ROC AUC"),
    "ece": Wording("calibration error", up=False),
    "cross_entropy": Wording("cross-entropy", share=False, up=False, unit=" nats"),
    "brier": Wording("Brier score", share=False, up=False),
    "exact_match_accuracy": Wording("exact match"),
    "hamming_error": Wording("Hamming loss", up=False),
    "coco_AP": Wording("AP (COCO)"),
    "coco_AP50": Wording("AP50 (COCO)"),
    "coco_AP75": Wording("AP75 (COCO)"),
    "recall_at_best_f1": Wording("share of objects found"),
    "precision_at_best_f1": Wording("share of detections that are right"),
}


def wording(measure: str) -> Wording:
    return WORDINGS[measure]


HEADLINES = ("top1_accuracy", "exact_match_accuracy", "coco_AP")


class Amounts:
    """Writes amounts of one measure, with as many digits as n images can tell apart."""

    def __init__(self, measure: str, n: int) -> None:
        self.how = wording(measure)
        self.digits = (1 if n <= 1000 else 2) if self.how.share else 4

    def number(self, value: float) -> str:
        """Without unit; never rounded to 0 from something else."""
        scaled = 100 * value if self.how.share else value
        digits = self.digits
        while scaled and digits < 6 and not round(scaled, digits):
            digits += 1
        return f"{round(scaled, digits) + 0.0:.{digits}f}".replace("-", "−")

    def amount(self, value: float) -> str:
        return f"{self.number(value)}{self.unit}"

    @property
    def unit(self) -> str:
        return " points" if self.how.share else self.how.unit

    def interval(self, low: float | None, high: float | None) -> str:
        if low is None or high is None:
            return "no interval"
        return f"95 % interval {self.number(low)} to {self.number(high)}"


def difference_sentence(
    each: Tested, corrected: float | None, better: Verdict, *, n_pairs: int = 1, further: int | None = None
) -> str:
    """What a difference says, and what it does not."""
    words = Amounts(each.measure, each.n)
    if better == "same":
        return _same(each, words)
    winner, loser = (each.second, each.first) if (each.value > 0) == words.how.up else (each.first, each.second)
    interval, chance = _interval(each, words), _chance(corrected, n_pairs)
    if better == "undecided":
        return _undecided(each, winner, words, interval + chance, further)
    side = "higher" if words.how.up else "lower"
    amount = words.amount(abs(each.value))
    if each.measure in HEADLINES:
        return f"{winner} is better than {loser} by {amount} of {words.how.label}, {interval}{chance}."
    return f"{winner}: {words.how.label} {amount} {side} than {loser}'s, {interval}{chance}."


def _interval(each: Tested, words: Amounts) -> str:
    """Turned so that the difference is above 0."""
    if each.interval is None:
        return "no interval"
    low, high = each.interval
    return words.interval(low, high) if each.value >= 0 else words.interval(-high, -low)


def _same(each: Tested, words: Amounts) -> str:
    if each.split is None or each.interval is None:
        return f"{each.first} and {each.second} have the same {words.how.label}, image by image."
    return (
        f"{each.first} and {each.second} get the same of the {each.n:,} images right; a difference of up to "
        f"{words.amount(each.interval.high)} stays possible (95 % interval)."
    )


def _undecided(each: Tested, ahead: str, words: Amounts, doubt: str, further: int | None) -> str:
    lead = f"These data cannot tell which of {each.first} and {each.second} is better in {words.how.label}"
    if each.value:
        return f"{lead}: {ahead} is ahead by {words.amount(abs(each.value))}, {doubt}{_further(further)}."
    even = f"each is right on {each.split[0]:,} images that the other gets wrong" if each.split else "they are equal"
    return f"{lead}: {even}, {doubt}."


def _further(n: int | None) -> str:
    if n is None:
        return ""
    if n > NOT_EVEN:
        return "; not even ten million more images would, if that difference stays"
    return f"; about {rounded(n):,} more images would, if that difference stays"


def rounded(n: int) -> int:
    """Two significant digits, upwards: 3,812 is 3,900.

    >>> rounded(3812), rounded(7)
    (3900, 7)
    """
    step: int = 10 ** max(len(str(n)) - 2, 0)
    return -(-n // step) * step


def _chance(p: float | None, n_pairs: int) -> str:
    if p is None:
        return ""
    told = "p < 0.001" if p < 0.001 else f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"
    return f" ({told}, corrected for {n_pairs} pairs)" if n_pairs > 1 else f" ({told})"


def equivalence_sentence(
    each: Tested, drop: float, ends: tuple[float, float], margin: float, answer: Answer, further: int | None
) -> str:
    """Whether the second is worse than the first by less than the margin."""
    words = Amounts(each.measure, each.n)
    points = f"{100 * margin:g} point{'' if margin == 0.01 else 's'}"
    limit = f"at most {points} worse than {each.first}"
    found = f"the drop in {words.how.label} is {words.amount(drop)}, {words.interval(*ends)}"
    if answer == "yes":
        return f"{each.second} is {limit}: {found}."
    if answer == "no":
        return f"{each.second} is not {limit}: {found}."
    return f"These data cannot tell whether {each.second} is {limit}: {found}{_further(further)}."


def objects_sentence(pair: ObjectPair) -> str:
    """How many objects both detectors find, one alone, neither."""
    lines = f"from confidence {pair.first_confidence:.4g} and {pair.second_confidence:.4g} on, IoU {pair.iou:g}"
    return (
        f"Of {pair.n:,} objects {pair.first} and {pair.second} both find {pair.both:,}, {pair.first} alone "
        f"{pair.only_first:,}, {pair.second} alone {pair.only_second:,}, neither {pair.neither:,}, with "
        f"{pair.first_false:,} and {pair.second_false:,} false alarms ({lines})."
    )


def best_sentence(names: Sequence[str], values: Sequence[float], differences: Sequence[PairedDifference]) -> str:
    """Of three and more models: which one is ahead, whom it beats, whom these data cannot tell it from."""
    best = names[max(range(len(names)), key=lambda at: values[at])]
    beaten = [_other(each, best) for each in differences if best in (each.first, each.second) and _wins(each, best)]
    open_ = [name for name in names if name != best and name not in beaten]
    label = wording(differences[0].measure).label
    if not open_:
        return f"{best} is better in {label} than every other model: {listed(beaten)}."
    tied = [name for name, value in zip(names, values, strict=True) if value == max(values) and name != best]
    if tied:
        told = f"{listed([best, *tied])} have the same {label}, the highest"
        open_ = [name for name in open_ if name not in tied]
        told += f"; these data cannot tell {best} from {listed(open_)}" if open_ else ""
        return f"{told}; {best} is better than {listed(beaten)}." if beaten else f"{told}."
    told = f"{best} has the highest {label}, but these data cannot tell it from {listed(open_)}"
    return f"{told}; it is better than {listed(beaten)}." if beaten else f"{told}."


def _wins(each: PairedDifference, name: str) -> bool:
    return (each.better == "first" and each.first == name) or (each.better == "second" and each.second == name)


def _other(each: PairedDifference, name: str) -> str:
    return each.second if each.first == name else each.first


def listed(items: Sequence[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"


COST_NAMES = {
    "latency_ms_p50": "latency (p50)",
    "latency_ms_p95": "latency (p95)",
    "images_per_s": "images per second",
    "peak_memory_bytes": "peak memory",
    "size_bytes": "file size",
    "parameters": "number of parameters",
    "multiply_adds": "multiply-adds",
}


def front_sentence(front: Front) -> str:
    """Which models no other beats in quality and a cost together."""
    label, cost = wording(front.measure).label, COST_NAMES[front.cost]
    if len(front.models) == 1:
        return f"As measured, no other is better than {front.models[0]} in {label} or in {cost}."
    return f"As measured, not beaten in {label} and {cost} together: {listed(front.models)}."
