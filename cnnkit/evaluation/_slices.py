"""The figure on groups of images, each against all the others."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.evaluation._attributes import Attribute, attributes_of
from cnnkit.evaluation._figures import proportion
from cnnkit.evaluation._scored import Asked
from cnnkit.results import Figure, Results, Slice

if TYPE_CHECKING:
    import pyarrow as pa

FEW_IMAGES = 30  # below, a slice is marked
TESTED_FROM = (
    10  # images in the slice and in the rest; fewer could not differ beyond chance, and would blunt the others
)

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Judged:
    """A slice, and the p-value of its test before it is corrected for the others; None: not tested."""

    slice: Slice
    p: float | None


def with_slices(results: Results, rows: "pa.Table", keys_root: Path, asked: Asked) -> Results:
    """Add the slices that were asked for.

    Raises:
        DataError: as `data.read_attributes`.
    """
    if asked.slices is None and not asked.slice_by:
        return results
    answered, right = _answers(rows, multilabel=results.multilabel)
    kept = rows.filter(_mask(answered))
    digests = kept.column("digest").to_pylist()
    attributes, notes = attributes_of(kept.column("key").to_pylist(), digests, keys_root, asked)
    measure = "exact_match_accuracy" if results.multilabel else "top1_accuracy"
    judged = [each for attribute in attributes for each in _judge(attribute, right, measure)]
    return results.model_copy(
        update={
            "slices": tuple(corrected(judged)),
            "sliced_by": tuple(each.facts for each in attributes),
            "warnings": (*results.warnings, *notes),
        }
    )


def _answers(rows: "pa.Table", *, multilabel: bool) -> tuple[Bools, Bools]:
    """Which images have an answer, (n,), and which of these are right, (n answered,)."""
    predicted = rows.column("predicted").to_pylist()
    labels = rows.column("labels" if multilabel else "label").to_pylist()
    answered = np.array([answer is not None for answer in predicted], dtype=np.bool_)
    pairs = zip(predicted, labels, strict=True)
    if multilabel:
        right = [set(answer) == set(label or ()) for answer, label in pairs if answer is not None]
    else:
        right = [answer == label for answer, label in pairs if answer is not None]
    return answered, np.array(right, dtype=np.bool_)


def _mask(chosen: Bools) -> "pa.Array":
    import pyarrow as pa

    return pa.array(chosen)


def _judge(attribute: Attribute, right: Bools, measure: str) -> list[Judged]:
    known = attribute.group >= 0
    n, hits = int(known.sum()), int(right[known].sum())
    found = []
    for at, value in enumerate(attribute.values):
        inside = attribute.group == at
        counts = int(right[inside].sum()), int(inside.sum())
        facts = {"by": attribute.facts.by, "value": value, "measure": measure}
        found.append(_one(facts, *counts, hits - counts[0], n - counts[1]))
    return found


def _one(facts: dict[str, str], hits: int, n: int, other_hits: int, other_n: int) -> Judged:
    figure = proportion(hits, n, note=f"fewer than {FEW_IMAGES} images" if n < FEW_IMAGES else None)
    if other_n == 0:
        return Judged(Slice(**facts, figure=figure), None)
    low, high = metrics.independent_difference(hits, n, other_hits, other_n)
    difference = Figure(value=hits / n - other_hits / other_n, low=low, high=high, n=n + other_n, method="newcombe")
    each = Slice(**facts, figure=figure, rest=proportion(other_hits, other_n), difference=difference)
    tested = min(n, other_n) >= TESTED_FROM
    return Judged(each, metrics.fisher_exact(hits, n, other_hits, other_n) if tested else None)


def corrected(judged: list[Judged]) -> list[Slice]:
    """The slices with the p-values of all tests corrected together."""
    corrected = iter(metrics.holm([each.p for each in judged if each.p is not None]))
    return [
        each.slice if each.p is None else each.slice.model_copy(update={"p_value": next(corrected)}) for each in judged
    ]
