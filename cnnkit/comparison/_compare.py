"""The order of the work: the same images, every figure on the same resamples, the differences, the words."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import combinations

from cnnkit.comparison._boxes import Boxes
from cnnkit.comparison._contender import Contender
from cnnkit.comparison._differences import LEVEL, compare_proportions, compare_resampled, conclude, equivalence
from cnnkit.comparison._front import fronts, rate_kinds
from cnnkit.comparison._kinds import Kind
from cnnkit.comparison._label_sets import LabelSets
from cnnkit.comparison._labels import Labels
from cnnkit.comparison._preprocessing import preprocessing_notes
from cnnkit.comparison._read_boxes import output_notes, same_file_notes
from cnnkit.comparison._record import (
    ComparedResults,
    ComparisonResults,
    Equivalence,
    Front,
    ObjectPair,
    Pair,
    PairedDifference,
)
from cnnkit.comparison._resampled import Resampled, resample
from cnnkit.comparison._tested import Tested
from cnnkit.comparison._words import WORDINGS, best_sentence, front_sentence, listed
from cnnkit.errors import DataError, UsageError
from cnnkit.metrics import RESAMPLES
from cnnkit.results import RATE_LABELS

KINDS: dict[str, Callable[[Sequence[Contender]], Kind]] = {
    "classification": Labels,
    "several labels an image": LabelSets,
    "detection": Boxes,
}
TOLD_COSTS = ("latency_ms_p50", "size_bytes")  # in the sentences; all are in the file


def compare_results(
    contenders: Sequence[Contender],
    *,
    margin: float | None = None,
    others: bool = True,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> ComparisonResults:
    """Compare models on the same images; the first is the baseline.

    The measure of their kind (top-1 accuracy, COCO's AP) is tested for every pair, the other figures for each model
    against the baseline; p-values are corrected by Holm within a measure.

    Args:
        contenders: two models or more, with names of their own.
        margin: a share; for each model, whether it is worse than the baseline by less than that.
        others: compare the other figures too, not only the one that decides.
        resamples: how often the images are drawn anew.
        seed: of the draws.

    Raises:
        DataError: other tasks, images, labels or classes.
        UsageError: fewer than two models, a margin that is not above 0.
    """
    _check(contenders, margin)
    kind = KINDS[_kind(contenders)](contenders)
    at_all = range(len(contenders))
    figures = [_figures(kind, at, others=others, resamples=resamples, seed=seed) for at in at_all]
    names = [each.name for each in contenders]
    tests = _main_tests(kind, names, figures)
    values = _main_values(kind, figures)
    answers = [] if margin is None else [equivalence(each, margin) for each in tests if each.first == names[0]]
    main, secondary = conclude(tests), _secondary(kind, names, figures)
    found, pairs = fronts(contenders, kind.measure, values), [kind.pair(0, at) for at in at_all[1:]]
    object_pairs = [pair for pair in pairs if isinstance(pair, ObjectPair)]
    return ComparisonResults(
        task=contenders[0].results.task,
        multilabel=contenders[0].results.multilabel,
        baseline=names[0],
        measure=kind.measure,
        n=kind.n,
        n_left_out=kind.n_left_out,
        classes=contenders[0].results.classes,
        models=tuple(_model(each, contenders[0]) for each in contenders),
        sentences=(
            *_sentences(names, values, main, answers, secondary),
            *(pair.sentence for pair in object_pairs),
            *_front_sentences(found),
        ),
        notes=(*kind.notes, *_gone(contenders), *_speeds(contenders)),
        differences=(*main, *secondary),
        equivalence=tuple(answers),
        pairs=tuple(pair for pair in pairs if isinstance(pair, Pair)),
        object_pairs=tuple(object_pairs),
        fronts=tuple(found),
        level=LEVEL,
        resamples=resamples,
        seed=seed,
        versions={name: version(name) for name in ("cnnkit", "numpy")},
    )


def _check(contenders: Sequence[Contender], margin: float | None) -> None:
    names = [each.name for each in contenders]
    if len(set(names)) != len(names):
        raise ValueError(f"models to compare need names of their own, got {names}")
    if len(names) < 2:
        raise UsageError(f"comparing takes at least two results, got {len(names)}.")
    if margin is not None and margin <= 0:
        raise UsageError(f"a margin must be above 0 points, got {100 * margin:g}.")


def _kind(contenders: Sequence[Contender]) -> str:
    kinds = ["several labels an image" if each.results.multilabel else each.results.task for each in contenders]
    other = next((at for at, kind in enumerate(kinds) if kind != kinds[0]), None)
    if other is not None:
        raise DataError(
            f"{contenders[other].source} cannot be compared with {contenders[0].source}: one is {kinds[other]}, the "
            f"other {kinds[0]}."
        )
    return kinds[0]


def _figures(kind: Kind, at: int, *, others: bool, resamples: int, seed: int) -> dict[str, Resampled]:
    """One model's figures on the shared resamples; its score vectors are let go again before the next model's."""
    if not others and kind.right(at) is not None:
        return {}
    return resample(kind.figures(at, resamples=resamples), kind.n, resamples=resamples, seed=seed)


def _main_tests(kind: Kind, names: Sequence[str], figures: Sequence[dict[str, Resampled]]) -> list[Tested]:
    """Every pair in the measure that decides; pairs with the baseline first."""
    right = [kind.right(at) for at in range(len(names))]
    tests = []
    for first, second in combinations(range(len(names)), 2):
        one, other = right[first], right[second]
        if one is not None and other is not None:
            tests.append(compare_proportions(names[first], names[second], kind.measure, (one, other)))
        elif kind.measure in figures[first] and kind.measure in figures[second]:
            pair = figures[first][kind.measure], figures[second][kind.measure]
            tests.append(compare_resampled(names[first], names[second], pair, kind.n))
    if not tests:
        raise DataError(f"{kind.measure} is undefined on these {kind.n:,} images: nothing to compare.")
    return tests


def _main_values(kind: Kind, figures: Sequence[dict[str, Resampled]]) -> list[float]:
    right = [kind.right(at) for at in range(len(figures))]
    return [figures[at][kind.measure].value if mine is None else float(mine.mean()) for at, mine in enumerate(right)]


def _secondary(
    kind: Kind, names: Sequence[str], figures: Sequence[dict[str, Resampled]]
) -> tuple[PairedDifference, ...]:
    """Each other figure that the baseline and at least one more model have."""
    found: list[PairedDifference] = []
    for measure in WORDINGS:
        have = [at for at in range(1, len(names)) if measure in figures[0] and measure in figures[at]]
        if measure != kind.measure and have:
            pairs = [(names[at], (figures[0][measure], figures[at][measure])) for at in have]
            found += conclude([compare_resampled(names[0], name, pair, kind.n) for name, pair in pairs])
    return tuple(found)


def _sentences(
    names: Sequence[str],
    values: Sequence[float],
    main: Sequence[PairedDifference],
    answers: Sequence[Equivalence],
    secondary: Sequence[PairedDifference],
) -> list[str]:
    """What a reader is told first: who is best, each model against the baseline, then what differs besides."""
    told = [best_sentence(names, values, main)] if len(names) > 2 else []
    told += [each.sentence for each in main if each.first == names[0]]
    told += [each.sentence for each in answers]
    return told + [each.sentence for each in secondary if len(names) == 2 and each.better in ("first", "second")]


def _front_sentences(found: Sequence[Front]) -> list[str]:
    return [front_sentence(each) for each in found if each.cost in TOLD_COSTS]


def _model(contender: Contender, baseline: Contender) -> ComparedResults:
    results = contender.results
    return ComparedResults(
        name=contender.name,
        results=contender.source,
        model=results.model,
        provider=results.provider,
        data=results.data,
        figures=results.figures,
        cost=results.cost,
        speed=results.speed,
        notes=tuple(_notes(contender, baseline)),
    )


def _notes(contender: Contender, baseline: Contender) -> list[str]:
    if contender is baseline:
        return []
    notes = [
        *same_file_notes(baseline, contender),
        *preprocessing_notes(baseline, contender),
        *output_notes(baseline, contender),
    ]
    mine, theirs = contender.results.provider, baseline.results.provider
    if mine and theirs and (mine.name, mine.precision) != (theirs.name, theirs.precision):
        notes.append(f"ran on {mine.name} in {mine.precision}, {baseline.name} on {theirs.name} in {theirs.precision}")
    if contender.results.data.n_bad:
        notes.append(f"{contender.results.data.n_bad:,} images without an answer")
    return notes


def _gone(contenders: Sequence[Contender]) -> list[str]:
    """What was left out because whole score vectors are not at hand."""
    if contenders[0].results.task == "detection":
        return []
    lacking = [f"{each.name}: {each.without_scores}" for each in contenders if each.scores is None]
    if not lacking:
        return []
    among = " with the others" if len(contenders) - len(lacking) > 1 else ""
    return [f"mAP, ROC AUC and Brier score are not compared{among} ({'; '.join(lacking)})"]


def _speeds(contenders: Sequence[Contender]) -> list[str]:
    """What keeps speeds from being compared: other things measured, runs as they were, a machine with other work."""
    kinds, noisy = rate_kinds(contenders), [each.name for each in contenders if each.results.speed.noisy]
    notes = []
    if len(kinds) > 1:
        told = "; ".join(f"{listed(names)}: {RATE_LABELS[kind]}" for kind, names in kinds.items())
        notes.append(
            f"images per second were not measured alike and do not compare ({told}); "
            f"`cnnkit bench` with the same images measures models side by side"
        )
    elif "run" in kinds:
        notes.append("images per second are those of each run as it was; `cnnkit bench` measures models side by side")
    if noisy:
        notes.append(f"the machine was too noisy to trust the speed of {listed(noisy)} when it was measured")
    return notes
