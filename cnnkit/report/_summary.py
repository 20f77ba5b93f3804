"""The results in sentences."""

from collections.abc import Sequence
from pathlib import Path

from cnnkit.report._confusions import Pair
from cnnkit.report._detection_facts import detection_sentences, objects_or_images
from cnnkit.report._names import HEADLINES, meaning
from cnnkit.report._words import NBSP, count, counted, listed, measured, percent, plain, span
from cnnkit.results import Calibration, ClassFigures, OperatingPoint, Results, nothing_found

FEW_IMAGES = 30  # below this a class's own figures are called rough
TOO_FEW = 10  # below this a class is not named among the weakest: chance alone would put it there


def headline(results: Results) -> str:
    """One line: the figure that matters most, with its interval."""
    name = next((each for each in HEADLINES if each in results.figures), next(iter(results.figures), None))
    if name is None:
        return f"{results.model.name}: no figures"
    figure, words = results.figures[name], meaning(name)
    if name == "top1_accuracy" and figure.value is not None:
        found = f"{results.model.name} is right on {percent(figure.value)} of {counted(figure.n, 'image')}"
        between = span(figure.low, figure.high)
        return f"{found} (95{NBSP}% interval {between})" if between else found
    return f"{results.model.name}: {words.label} {measured(figure, share=words.share)}, {counted(figure.n, 'image')}"


def sentences(results: Results, labels: Sequence[str], pairs: Sequence[Pair]) -> list[str]:
    """What someone who reads nothing else should know."""
    found = [
        nothing_found(results),
        _top_five(results),
        _weakest(results, labels),
        *detection_sentences(results),
        _confusion(results, labels, pairs),
        _calibration(results),
        _operating_point(results),
        _bad_files(results),
        _few_images(results),
    ]
    return [each for each in found if each]


def _top_five(results: Results) -> str:
    figure = results.figures.get("top5_accuracy")
    if figure is None or figure.value is None or len(results.classes) <= 5:
        return ""
    return f"The true class is among the five best guesses for {measured(figure)}."


def _weakest(results: Results, labels: Sequence[str]) -> str:
    measure = "ap" if results.task == "detection" or results.multilabel else "recall"
    enough = [at for at, each in enumerate(results.per_class) if each.n >= TOO_FEW]
    known = [(value, at) for at in enough if (value := getattr(results.per_class[at], measure)) is not None]
    if len(known) < 2:
        return ""
    named = []
    for value, at in sorted(known)[:3]:
        each = results.per_class[at]
        of = objects_or_images(results, each.n)
        figure = f"{percent(value)} of {of} found" if measure == "recall" else f"AP {value:.3f}, {of}"
        named.append(f"{labels[at]} ({figure})")
    few = (
        f" of those with {objects_or_images(results, TOO_FEW)} and more"
        if any(0 < each.n < TOO_FEW for each in results.per_class)
        else ""
    )
    return f"Weakest classes{few}: {listed(named)}."


def _confusion(results: Results, labels: Sequence[str], pairs: Sequence[Pair]) -> str:
    if not pairs or pairs[0].count < 2:
        return ""
    worst = pairs[0]
    back = f", and {count(worst.back)} the other way round" if worst.back else ""
    return (
        f"Most frequent confusion: {labels[worst.true]} taken for {labels[worst.predicted]}, "
        f"{counted(worst.count, 'time')} ({percent(worst.share)} of its {_things(results)}){back}."
    )


def _calibration(results: Results) -> str:
    error = results.figures.get("ece") or results.figures.get("ece_equal_width")
    if error is None or error.value is None:
        return ""
    ends = span(error.low, error.high)
    between = f", 95{NBSP}% interval {ends}" if ends else ""
    if error.low == 0:
        return f"It may be as sure as it is right (calibration error {percent(error.value)}{between})."
    gap = _overconfidence(results.calibration)
    direction = "about as sure as it is right"
    if abs(gap) > 0.005:
        direction = "surer than it is right" if gap > 0 else "less sure than it is right"
    temperature = results.calibration.temperature if results.calibration else None
    mend = f"; dividing the logits by {plain(temperature)} fits these images best" if temperature else ""
    return f"On average it is {direction} (calibration error {percent(error.value)}{between}){mend}."


def _overconfidence(calibration: Calibration | None) -> float:
    """Mean confidence minus accuracy over all images."""
    bins = [each for each in calibration.equal_width if each.n] if calibration else []
    images = sum(each.n for each in bins)
    return sum(each.n * ((each.confidence or 0) - (each.accuracy or 0)) for each in bins) / max(images, 1)


def _operating_point(results: Results) -> str:
    """One of the points, the strictest that can be had; the page has all of them in a table."""
    reached = [each for each in results.operating_points if each.threshold is not None and each.coverage]
    if not reached:
        wanted = listed([f"{each.wanted_precision * 100:.6g}{NBSP}%" for each in results.operating_points] or [""])
        return f"No confidence on these images makes {wanted} of the answers right." if wanted else ""
    point = max(reached, key=lambda each: each.wanted_precision)
    return (
        f"On these images, {point.wanted_precision * 100:.6g}{NBSP}% of the answers are right from confidence "
        f"{point.threshold:.4g} on; that answers {percent(point.coverage)} of the images{_resting_on(point)}."
    )


def _resting_on(point: OperatingPoint) -> str:
    """The count and the interval of what was chosen on the same images."""
    between = span(point.low, point.high)
    return f" ({counted(point.n, 'answer')}, 95{NBSP}% interval {between})" if point.n and between else ""


def _bad_files(results: Results) -> str:
    data = results.data
    if not data.n_bad:
        return ""
    whole = results.figures.get("top1_accuracy_of_all")
    besides = f" Counted as wrong, the accuracy is {measured(whole)}." if whole else ""
    verb = "is" if data.n_bad == 1 else "are"
    without = f"{counted(data.n_bad, 'labelled image')} {_why_unanswered(results)}"
    return f"{without} and {verb} left out of the figures.{besides}"


def _why_unanswered(results: Results) -> str:
    if not results.data.merely_unnamed:
        return "could not be read"
    file = Path(results.run.path).name if results.run.path else results.model.name
    return f"{'has' if results.data.n_bad == 1 else 'have'} no answer in {file}"


def _few_images(results: Results) -> str:
    few = [each.n for each in results.per_class if 0 < each.n < FEW_IMAGES]
    scored = sum(each.n > 0 for each in results.per_class)
    if not few:
        return ""
    of = "" if len(few) < scored else f", at most {max(few)} each"
    which = f"{count(len(few))} of {counted(scored, 'class', 'classes')}"
    verb = "rests" if len(few) == 1 else "rest"
    return f"{which} {verb} on fewer than {FEW_IMAGES} {_things(results)}{of}: rough figures by class."


def _things(results: Results) -> str:
    return "objects" if results.task == "detection" else "images"


def with_enough_images(results: Results) -> list[int]:
    """Classes that can be called weak for more than bad luck; all of them when fewer than two can."""
    enough = [at for at, each in enumerate(results.per_class) if each.n >= TOO_FEW]
    return enough if len(enough) > 1 else list(range(len(results.per_class)))


def is_rough(each: ClassFigures) -> bool:
    return each.n < FEW_IMAGES
