"""Results as a person reads them in a terminal."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cnnkit.cli import _eval_data, _output
from cnnkit.results import ClassFigures, Figure, Results

# what the table shows of the figures, in this order; results.json has all of them
SHOWN = {
    "top1_accuracy": "top-1 accuracy",
    "top1_accuracy_of_all": "top-1 accuracy, no answer counted as wrong",
    "top5_error": "top-5 error",
    "exact_match_accuracy": "all labels of an image right",
    "hamming_error": "wrong decisions (Hamming)",
    "micro_f1": "F1, all decisions pooled",
    "macro_precision": "precision, mean of the classes",
    "macro_recall": "recall, mean of the classes",
    "macro_f1": "F1, mean of the classes",
    "map": "AP, mean of the classes (mAP)",
    "roc_auc": "ROC AUC, mean of the classes",
    "cross_entropy": "cross-entropy (nats)",
    "brier": "Brier score",
    "ece": "calibration error (ECE)",
}
IN_OWN_UNIT = ("cross_entropy", "brier")
WORST = 5


def show(results: Results, output: Path | None, *, said: Sequence[str] = ()) -> None:
    """Print figures with intervals, the worst classes, the largest confusions, what is left out, the files.

    Warnings that were `said` on the way are not said again.
    """
    _output.table(["figure", "value", "95 % interval", "n"], list(_rows(results)), title=_title(results))
    for line in (*_weakest(results), *_confusions(results), *_left_out(results)):
        _output.say(line)
    _eval_data.show(results)
    if results.intervals is not None:
        _output.say(_how(results))
    _output.say_results([each for each in results.warnings if each not in said], output)


def _title(results: Results) -> str:
    data = results.data
    scored = f"{data.n_classes_scored} of {data.n_classes} classes"
    return f"{results.model.name} on {Path(data.root).name}: {data.n} images, {scored}"


def _rows(results: Results) -> Iterator[list[str]]:
    shown = dict(SHOWN)
    if not results.data.n_bad:
        shown.pop("top1_accuracy_of_all")
    if not results.multilabel:
        shown.pop("micro_f1")  # the same as the accuracy
    further = {name: _label(name) for name in results.figures if name.startswith("top") and name not in shown}
    for name in ("top1_error", "top5_accuracy", "top1_accuracy_of_all"):
        further.pop(name, None)
    for name, label in {**shown, **further}.items():
        figure = results.figures.get(name)
        if figure is not None:
            yield [label, _value(name, figure.value), _interval(name, figure), str(figure.n)]


def _label(name: str) -> str:
    """`top3_accuracy_ties_best` in words."""
    words = name.replace("top", "top-", 1).replace("_ties_best", ", if ties fall well")
    return words.replace("_ties_worst", ", if ties fall badly").replace("_", " ")


def _value(name: str, value: float | None) -> str:
    if value is None:
        return "undefined"
    return f"{value:.4f}" if name in IN_OWN_UNIT else f"{100 * value:.2f} %"


def _interval(name: str, figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return figure.note or ""
    low, high = _value(name, figure.low), _value(name, figure.high)
    return f"{low.removesuffix(' %')} to {high}"


def _weakest(results: Results) -> Iterator[str]:
    known = [(entry.recall, entry) for entry in results.per_class if entry.recall is not None and entry.n > 1]
    known.sort(key=lambda pair: pair[0])
    poor = [_class(recall, entry) for recall, entry in known[:WORST] if recall < 1]
    if poor and len(results.per_class) > 1:
        yield f"Weakest classes (recall): {', '.join(poor)}"


def _class(recall: float, entry: ClassFigures) -> str:
    return f"{entry.name} {100 * recall:.1f} % of {entry.n}"


def _confusions(results: Results) -> Iterator[str]:
    if results.confusion is None:
        return
    wrong = [
        (count, label, answer) for label, answer, count in results.confusion.cells if label != answer and count > 1
    ]
    wrong.sort(key=lambda cell: (-cell[0], cell[1:]))
    names = results.names
    told = [f"{names[label]} taken for {names[answer]} {count} x" for count, label, answer in wrong[:WORST]]
    if told:
        yield f"Largest confusions: {', '.join(told)}"


def _how(results: Results) -> str:
    used = {figure.method for figure in results.figures.values()}
    told = ["Wilson's for proportions"] if "wilson" in used else []
    if results.intervals is not None and "bootstrap" in used:
        drawn = f"{results.intervals.resamples} resamples of the images (BCa bootstrap, seed {results.intervals.seed})"
        told.append(drawn)
    if "bootstrap of classes" in used:
        told.append("the classes drawn anew for means over classes of one image or two")
    if "jackknife" in used:
        told.append("infinitesimal jackknife for AP and AUC")
    return f"Intervals: {'; '.join(told)}."


def _left_out(results: Results) -> Iterator[str]:
    data = results.data
    if data.n_bad:
        reasons = ", ".join(f"{count} {status.replace('_', ' ')}" for status, count in data.bad.items())
        if data.merely_unnamed:
            reasons = f"{Path(results.run.path or results.model.name).name} has none for them"
        yield f"{data.n_bad} labelled images have no answer and are not in the other figures: {reasons}"
