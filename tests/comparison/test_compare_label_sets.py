"""Models that give an image several classes, compared."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest
import sklearn.metrics

from cnnkit.comparison import Contender, compare_results
from cnnkit.errors import DataError
from cnnkit.results import Results, rows_schema

MakeResults = Callable[..., Results]
Sets = Sequence[Sequence[int] | None]

TRUE = [[0], [0, 1], [], [2], [1, 2]]
FIRST = [[0], [0], [], [2], [0]]
SECOND = [[0], [0, 1], [1], [2], [1, 2]]


@pytest.fixture
def tagger(make_results: MakeResults) -> Callable[..., Contender]:
    def make(
        name: str,
        labels: Sets,
        predicted: Sets,
        *,
        classes: Sequence[str] = ("cat", "dog", "owl"),
        scores: np.ndarray | None = None,
    ) -> Contender:
        keys = [f"{at:02d}.png" for at in range(len(labels))]
        table = {"key": keys, "digest": [bytes(32)] * len(keys), "labels": labels, "predicted": predicted}
        results = make_results("classification", classes, len(keys), multilabel=True)
        rows = pa.table(table, schema=rows_schema("classification", multilabel=True))
        return Contender(name, f"results/{name}", results, rows, scores=None if scores is None else lambda _: scores)

    return make


def test_by_hand(tagger: Callable[..., Contender]) -> None:
    found = compare_results([tagger("a", TRUE, FIRST), tagger("b", TRUE, SECOND)])
    values = {each.measure: each.value for each in found.differences}
    assert (found.measure, found.multilabel, found.n) == ("exact_match_accuracy", True, 5)
    assert values["exact_match_accuracy"] == pytest.approx(4 / 5 - 3 / 5)
    assert values["hamming_error"] == pytest.approx(1 / 15 - 4 / 15)
    assert values["micro_f1"] == pytest.approx(2 * 6 / 13 - 2 * 3 / 10)
    pair = found.pairs[0]
    assert (pair.both_right, pair.only_first, pair.only_second, pair.both_wrong) == (2, 1, 2, 0)
    assert pair.same_answer == 2
    assert found.sentences[0].startswith("These data cannot tell which of a and b is better in exact match")


def test_scores_give_map(tagger: Callable[..., Contender]) -> None:
    rng = np.random.default_rng(0)
    true = rng.random((40, 3)) < 0.4
    sets = [np.flatnonzero(row).tolist() for row in true]
    scores = [rng.random((40, 3)).astype(np.float32) + weight * true for weight in (0.2, 0.6)]
    found = compare_results([tagger(name, sets, sets, scores=each) for name, each in zip("ab", scores, strict=True)])
    difference = next(each for each in found.differences if each.measure == "map")
    wanted = [sklearn.metrics.average_precision_score(true, each, average="macro") for each in scores]
    assert difference.value == pytest.approx(wanted[1] - wanted[0])
    assert difference.better == "second"


def test_other_order_of_classes_and_missing_answers(tagger: Callable[..., Contender]) -> None:
    turned = [[2 - each for each in labels] for labels in TRUE]
    answers = [None, *[[2 - each for each in labels] for labels in SECOND[1:]]]
    other = tagger("b", turned, answers, classes=["owl", "dog", "cat"])
    found = compare_results([tagger("a", TRUE, FIRST), other])
    assert (found.n, found.n_left_out) == (4, 1)
    assert found.pairs[0].same_answer == 1
    assert "1 images lack an answer and are left out of every difference" in found.notes


def test_other_labels_are_refused(tagger: Callable[..., Contender]) -> None:
    with pytest.raises(DataError, match=r"1 of 5 images have other labels \(such as '04.png'\)"):
        compare_results([tagger("a", TRUE, FIRST), tagger("b", [*TRUE[:4], [1]], SECOND)])
    with pytest.raises(DataError, match="no image has an answer from all of results/a, results/b"):
        compare_results([tagger("a", TRUE, FIRST), tagger("b", TRUE, [None] * 5)])
