"""A detector's results as a person reads them in a terminal."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

from cnnkit.cli import _eval_data, _output
from cnnkit.results import BoxTable, Figure, Results, nothing_found

WEAKEST = 5
ENOUGH = 10  # objects, below which chance alone may put a class among the weakest
CONFUSIONS = 5
TABLE_ROWS = 200


def show(results: Results, output: Path | None, *, said: Sequence[str] = ()) -> None:
    """Print figures with intervals, the best threshold, errors, the weakest classes, notes, the files."""
    facts = results.detection
    for table in facts.tables if facts else ():
        _show_table(table)
    _output.say(_title(results))
    _output.table(["figure", "value", "95 % interval", "objects"], list(_rows(results)))
    for line in (
        *filter(None, [nothing_found(results)]),
        *_rules(results),
        *_how(results),
        *_threshold(results),
        *_weakest(results),
        *_confusions(results),
        *_left(results),
    ):
        _output.say(line)
    _eval_data.show(results)
    _output.say_results([each for each in results.warnings if each not in said], output)


def _title(results: Results) -> str:
    data, facts = results.data, results.detection
    parts = [_counted(data.n, "image")]
    if facts is not None:
        classes = _counted(data.n_classes_scored, "class", "classes")
        parts += [f"{_counted(facts.n_objects, 'object')} of {classes}", _counted(facts.n_detections, "detection")]
        if facts.n_ignored:
            parts.append(f"{_counted(facts.n_ignored, 'object')} left out (crowds, difficult ones)")
    return f"{results.model.name} on {Path(data.truth or data.root).name}: {', '.join(parts)}"


def _counted(n: int, one: str, many: str | None = None) -> str:
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def _rows(results: Results) -> Iterator[list[str]]:
    for name, figure in results.figures.items():
        value = "undefined" if figure.value is None else f"{figure.value:.4f}"
        yield [name, value, _interval(figure), f"{figure.n_positives or 0:,}"]


def _interval(figure: Figure) -> str:
    if figure.low is None or figure.high is None:
        return figure.note or ""
    return f"{figure.low:.4f} to {figure.high:.4f}"


def _rules(results: Results) -> Iterator[str]:
    rules = [value for name, value in results.protocol.items() if name.startswith("rule_")]
    if len(rules) > 1:
        yield "Why they differ:"
        yield from (f"  {rule}" for rule in rules)


def _how(results: Results) -> Iterator[str]:
    if any(figure.method == "jackknife" for figure in results.figures.values()):
        yield "Intervals: how the figure varies between test sets of as many images (infinitesimal jackknife)."


def _threshold(results: Results) -> Iterator[str]:
    facts = results.detection
    best = facts.best_f1 if facts else None
    if facts is None or best is None:
        return
    yield (
        f"F1 is best from confidence {best.confidence:.4g} on: {best.f1:.3f} (precision {best.precision:.3f}, recall "
        f"{best.recall:.3f}, IoU 0.5)."
    )
    if facts.errors_at_best_f1:
        counts = sorted(facts.errors_at_best_f1.items(), key=lambda pair: -pair[1])
        yield f"Errors from there on: {', '.join(f'{n:,} {kind}' for kind, n in counts)}."


def _weakest(results: Results) -> Iterator[str]:
    known = sorted((each.ap, each.name, each.n) for each in results.per_class if each.ap is not None)
    poor = [f"{name} {ap:.3f} of {n}" for ap, name, n in known if n >= ENOUGH][:WEAKEST]
    if len(known) > 1 and poor:
        few = f"; of those with {ENOUGH} objects and more" if any(n < ENOUGH for *_, n in known) else ""
        yield f"Weakest classes (AP, of objects{few}): {', '.join(poor)}"


def _confusions(results: Results) -> Iterator[str]:
    if results.confusion is None:
        return
    names, background = results.names, len(results.names)
    between = [cell for cell in results.confusion.cells if cell[0] != cell[1] and background not in cell[:2]]
    between.sort(key=lambda cell: (-cell[2], cell[:2]))
    told = [f"{names[label]} taken for {names[found]} {n} x" for label, found, n in between[:CONFUSIONS]]
    if told:
        yield f"Largest confusions: {', '.join(told)}"


def _left(results: Results) -> Iterator[str]:
    data = results.data
    if data.n_bad:
        reasons = ", ".join(f"{count} {status}" for status, count in data.bad.items())
        yield f"{data.n_bad} labelled images have no answer; they and their objects are left out: {reasons}"


def _show_table(table: BoxTable) -> None:
    rows, right, answers = [], 0, 0
    for rank, (confidence, verdict) in enumerate(zip(table.confidence, table.verdict, strict=True), 1):
        right += verdict == "TP"
        answers += verdict != "left out"
        if rank <= TABLE_ROWS:
            shares = _share(right, answers), _share(right, table.n_objects)
            rows.append([str(rank), f"{confidence:.4g}", verdict, *shares])
    columns = ["rank", "confidence", "verdict", "precision", "recall"]
    _output.table(columns, rows, title=f"{table.name}: {_counted(table.n_objects, 'object')}, IoU from 0.5")
    if len(table.confidence) > TABLE_ROWS:
        _output.say(f"  and {len(table.confidence) - TABLE_ROWS:,} rows more: --json has them")
    aps = [_ap(label, value, table.fractions.get(label)) for label, value in table.ap.items()]
    _output.say(f"AP at IoU 0.5: {', '.join(aps) or 'undefined, there is no object'}")


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole} = {part / whole:.3f}" if whole else "undefined"


def _ap(label: str, value: float, fraction: str | None) -> str:
    exact = f"{fraction} = " if fraction and Fraction(fraction).denominator < 100_000 else ""
    return f"{exact}{value:.4f} ({label})"
