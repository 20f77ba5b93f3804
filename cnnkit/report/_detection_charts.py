"""Charts of a detector: precision and recall at two overlaps, how the mean falls with the overlap, F1."""

from collections.abc import Sequence
from typing import Any

from cnnkit import drawing
from cnnkit.report._charts import Chart, curve_chart
from cnnkit.results import Curve, Results

OVERLAPS = (0.5, 0.6, 0.7, 0.8, 0.9)


def detection_charts(results: Results, labels: Sequence[str]) -> list[Chart]:
    curves = results.curves.pr
    charts = [
        _class_chart(results, labels, iou)
        for iou in sorted({each.iou for each in curves if each.index is not None and each.iou is not None})
    ]
    charts += [_mean_chart([each for each in curves if each.index is None])]
    charts += [_f1_chart(results) if results.curves.f1 else None]
    return [chart for chart in charts if chart]


def _class_chart(results: Results, labels: Sequence[str], iou: float) -> Chart | None:
    curves = [each for each in results.curves.pr if each.index is not None and each.iou == iou]
    return curve_chart(
        curves,
        results,
        labels,
        kind="pr" if iou == 0.5 else f"pr-{round(iou * 100)}",
        heading=f"Precision and recall of each class, IoU {iou:.2f}",
        x="Recall",
        y="Precision",
    )


def _mean_chart(curves: Sequence[Curve]) -> Chart | None:
    chosen = [each for each in curves if each.iou in OVERLAPS]
    if not chosen:
        return None
    areas = "; ".join(f"IoU {each.iou:.2f}: area {sum(each.y) / len(each.y):.3f}" for each in chosen)
    svg = drawing.line_chart(
        [drawing.Line(f"IoU {each.iou:.2f}", each.x, each.y) for each in chosen],
        name="overlaps",
        title="Precision and recall, mean of the classes, by the overlap that counts",
        description=areas,
        **_shares("Recall", "Precision"),
    )
    caption = "The mean of the classes. The more it falls from one overlap to the next, the less well boxes fit."
    return Chart("overlaps", svg, "How well do the boxes fit?", caption)


def _f1_chart(results: Results) -> Chart | None:
    curve, best = results.curves.f1, results.detection.best_f1 if results.detection else None
    if curve is None or best is None:
        return None
    svg = drawing.line_chart(
        [drawing.Line("F1", curve.x, curve.y)],
        name="f1-curve",
        title="F1 by confidence",
        description=f"F1 is highest, {best.f1:.3f}, from confidence {best.confidence:.4g} on.",
        x=drawing.Axis("Detections from this confidence on"),
        y=drawing.Axis("F1", percent=True),
    )
    caption = f"All classes in one ranking, IoU 0.5: {best.f1:.3f} at {best.confidence:.4g} is the highest."
    return Chart("f1-curve", svg, "F1 as the threshold moves", caption)


def _shares(x: str, y: str) -> dict[str, Any]:
    return {"x": drawing.Axis(x, percent=True), "y": drawing.Axis(y, percent=True)}
