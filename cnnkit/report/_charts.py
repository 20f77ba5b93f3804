"""Which charts a page of results has, each with its caption."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from cnnkit import drawing
from cnnkit.metrics import wilson
from cnnkit.report._summary import with_enough_images
from cnnkit.report._thresholds import Thresholds
from cnnkit.report._words import count, percent
from cnnkit.results import Calibration, ClassFigures, Curve, Results

SHOWN = 5  # curves in colour beside the one of all classes
FAINT = 40  # that many classes still make a picture as thin lines
WEAKEST = 15


@dataclass(frozen=True)
class Chart:
    name: str
    svg: Markup
    heading: str
    caption: str
    classes: tuple[tuple[str, str], ...] = ()  # those whose curve can be picked, as (id, label)


def class_charts(results: Results, labels: Sequence[str]) -> list[Chart]:
    """The weakest classes, and how all of them spread when they are too many to be drawn."""
    measure = "recall" if any(each.recall is not None for each in results.per_class) else "ap"
    heading = {"recall": "Recall", "ap": "AP"}[measure]
    values = [getattr(each, measure) for each in results.per_class]
    candidates = [(values[at], -results.per_class[at].n, at) for at in with_enough_images(results)]
    known = sorted(each for each in candidates if each[0] is not None)
    if len(known) < 2:
        return []
    weakest = [(results.per_class[at], labels[at]) for _, _, at in known[:WEAKEST]]
    charts = [_weakest_bars(weakest, measure, heading, n_classes=len(known))]
    everyone = [value for value in values if value is not None]
    return [*charts, _spread(everyone, heading)] if len(everyone) > WEAKEST else charts


def _spread(values: Sequence[float], heading: str) -> Chart:
    counts, edges = np.histogram(values, bins=20, range=(0, 1))
    median = float(np.median(values))
    svg = drawing.histogram(
        counts,
        edges,
        name="spread",
        title=f"{heading} over the classes",
        description=f"From {percent(min(values))} to {percent(max(values))}, half of them above {percent(median)}.",
        x_label=heading,
        y_label="Classes",
        percent=True,
    )
    return Chart("spread", svg, f"{heading} over all classes", "How many classes have which.")


def _weakest_bars(weakest: Sequence[tuple[ClassFigures, str]], measure: str, heading: str, *, n_classes: int) -> Chart:
    bars = [_bar(each, label, measure) for each, label in weakest]
    which = "All classes" if n_classes <= WEAKEST else f"The {WEAKEST} weakest of {count(n_classes)} classes"
    svg = drawing.interval_bars(
        bars,
        name="weakest",
        title=f"{heading} of the weakest classes",
        description=f"{which}, lowest first: " + "; ".join(f"{bar.label} {bar.text}" for bar in bars[:5]),
        axis=drawing.Axis(heading, percent=True),
    )
    return Chart(
        "weakest", svg, f"{heading} by class", f"{which}, weakest first; the whisker is the 95\u00a0% interval."
    )


def _bar(each: ClassFigures, label: str, measure: str) -> drawing.Bar:
    value = getattr(each, measure)
    low, high = each.intervals.get(measure, (None, None))
    return drawing.Bar(label, value, low, high, percent(value))


def curve_chart(
    curves: Sequence[Curve], results: Results, labels: Sequence[str], *, kind: str, heading: str, x: str, y: str
) -> Chart | None:
    """Draw the curve of all classes and the weakest ones in colour, the others faint or waiting to be picked."""
    if not curves:
        return None
    figure = "roc_auc" if kind == "roc" else "ap"
    enough = {*with_enough_images(results), None}
    weakest = sorted(curves, key=lambda curve: (curve.index not in enough, _strength(curve, results, figure)))
    coloured = [curve for curve in weakest if curve.index is None] + [
        curve for curve in weakest if curve.index is not None
    ][:SHOWN]
    rest = [curve for curve in curves if curve not in coloured]
    lines = [drawing.Line(_curve_label(curve, labels), curve.x, curve.y) for curve in coloured]
    lines += [
        drawing.Line(_curve_label(curve, labels), curve.x, curve.y, style="faint" if len(rest) <= FAINT else "hidden")
        for curve in rest
    ]
    drawn = [*coloured, *rest]
    svg = drawing.line_chart(
        lines,
        name=f"{kind}-curve",
        title=heading,
        description=_curve_description(coloured, results, labels, figure),
        x=drawing.Axis(x, percent=True),
        y=drawing.Axis(y, percent=True),
        diagonal=kind == "roc",
        step=0.5 if len(lines) <= FAINT else 2.0,
    )
    picks = tuple((str(at), _curve_label(curve, labels)) for at, curve in enumerate(drawn))
    others = f"; {count(len(rest))} others {'thin' if len(rest) <= FAINT else 'can be picked'}" if rest else ""
    return Chart(f"{kind}-curve", svg, heading, f"In colour the weakest classes{others}.", picks if rest else ())


def _strength(curve: Curve, results: Results, figure: str) -> float:
    value = None if curve.index is None else getattr(results.per_class[curve.index], figure)
    return 2.0 if value is None else float(value)


def _curve_label(curve: Curve, labels: Sequence[str]) -> str:
    return "all classes" if curve.index is None else labels[curve.index]


def _curve_description(curves: Sequence[Curve], results: Results, labels: Sequence[str], figure: str) -> str:
    parts = []
    for curve in curves:
        value = None if curve.index is None else getattr(results.per_class[curve.index], figure)
        parts.append(_curve_label(curve, labels) + (f": area {value:.3f}" if value is not None else ""))
    return "Curves of " + "; ".join(parts)


def reliability_chart(calibration: Calibration) -> Chart | None:
    bins = [each for each in calibration.equal_width if each.n]
    if not bins:
        return None
    intervals = [wilson(round((each.accuracy or 0.0) * each.n), each.n) for each in bins]
    svg = drawing.reliability_diagram(
        [each.confidence or 0.0 for each in bins],
        [each.accuracy or 0.0 for each in bins],
        [each.n for each in bins],
        low=[each.low for each in intervals],
        high=[each.high for each in intervals],
        name="reliability",
        title="Reliability: accuracy against confidence",
        description="; ".join(
            f"{percent(each.confidence)} sure: {percent(each.accuracy)} right of {count(each.n)}" for each in bins
        ),
    )
    caption = "On the dashed line the model is right as often as it says. Below it: too sure. Bars: how many images."
    return Chart("reliability", svg, "Is it as sure as it is right?", caption)


def risk_coverage_chart(curve: Curve) -> Chart:
    svg = drawing.line_chart(
        [drawing.Line("accuracy of the answers", curve.x, curve.y)],
        name="risk-coverage",
        title="Accuracy of the images that are answered, by their share",
        description=_at_coverages(curve),
        x=drawing.Axis("Share of images answered, surest first", percent=True),
        y=drawing.Axis("Accuracy of those", min([0.9, *curve.y]) - 0.02, 1.0, percent=True),
    )
    return Chart(
        "risk-coverage",
        svg,
        "If the least sure go to a person",
        "How accurate the rest is when only the surest are answered.",
    )


def _at_coverages(curve: Curve) -> str:
    found = []
    for wanted in (0.5, 0.8, 0.9, 1.0):
        nearest = min(range(len(curve.x)), key=lambda at: abs(curve.x[at] - wanted))
        found.append(f"{percent(curve.x[nearest])} answered: {percent(curve.y[nearest])} right")
    return "; ".join(found)


def curve_charts(results: Results, labels: Sequence[str]) -> list[Chart]:
    charts = [
        curve_chart(
            results.curves.pr, results, labels, kind="pr", heading="Precision and recall", x="Recall", y="Precision"
        ),
        curve_chart(
            results.curves.roc,
            results,
            labels,
            kind="roc",
            heading="Receiver operating characteristic",
            x="False positive rate",
            y="True positive rate",
        ),
    ]
    return [chart for chart in charts if chart]


def calibration_charts(results: Results) -> list[Chart]:
    charts = [
        reliability_chart(results.calibration) if results.calibration else None,
        risk_coverage_chart(results.curves.risk_coverage) if results.curves.risk_coverage else None,
    ]
    return [chart for chart in charts if chart]


def threshold_chart(found: Thresholds) -> Chart:
    """Precision and recall of all classes together against the threshold."""
    some = found.answered[0] > 0
    steps, answered, right = found.thresholds[some], found.answered[0][some], found.right[0][some]
    precision, recall = right / answered, found.right[0] / max(int(found.total[0]), 1)
    ends = np.array([wilson(hits, of) for hits, of in zip(right.tolist(), answered.tolist(), strict=True)])
    svg = drawing.line_chart(
        [
            drawing.Line("precision: right of those answered", steps, precision, ends[:, 0], ends[:, 1]),
            drawing.Line(f"recall: answered right of all {found.noun}", found.thresholds, recall),
        ],
        name="threshold-curve",
        title="Precision and recall by threshold",
        description=f"Without a threshold precision is {percent(float(precision[0]))}, recall "
        f"{percent(float(recall[0]))}; from {steps[-1]:.4g} on precision is {percent(float(precision[-1]))}, recall "
        f"{percent(float(recall[some][-1]))}.",
        x=drawing.Axis("Threshold on the confidence"),
        y=drawing.Axis("Share", percent=True),
    )
    caption = "The band is the 95\u00a0% interval of precision."
    return Chart("threshold-curve", svg, "Precision and recall as the threshold moves", caption)
