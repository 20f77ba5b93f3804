"""What a classifier said of each labelled image, and the rows that keep it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cnnkit import metrics
from cnnkit.errors import DataError
from cnnkit.evaluation._join import Joined
from cnnkit.results import rows_schema

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Answers:
    """`keys`, `labels` and `ok` are of all labelled images (n,), the rest of the answered ones (n_ok,)."""

    keys: "pa.ChunkedArray"
    labels: NDArray[np.int64]
    ok: NDArray[np.bool_]
    scores: NDArray[np.float32]  # (n_ok, classes), each class contiguous
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    rank: NDArray[np.int64]
    best: NDArray[np.int64]  # the rank if every tie fell well
    worst: NDArray[np.int64]
    p: NDArray[np.float32]
    confidence: NDArray[np.float32]

    @property
    def n_classes(self) -> int:
        return int(self.scores.shape[1])

    @property
    def are_probabilities(self) -> bool:
        return bool(self.scores.min() >= 0 and self.scores.max() <= 1)


def answers_of(joined: Joined, labels: Mapping[str, int], *, source: str) -> Answers:
    """Rank the label among the scores of each image. DataError when no image has an answer."""
    refuse_no_answer(joined, source=source)
    index = np.fromiter((labels[key] for key in joined.keys.to_pylist()), np.int64, len(joined.ok))
    scores, truth = joined.scores.T, index[joined.ok]
    bounds = metrics.label_rank_bounds(scores, truth)
    predicted, at = metrics.predicted_classes(scores), np.arange(len(truth))
    return Answers(
        keys=joined.keys,
        labels=index,
        ok=joined.ok,
        scores=scores,
        truth=truth,
        predicted=predicted,
        rank=metrics.label_ranks(scores, truth),
        best=bounds.best,
        worst=bounds.worst,
        p=scores[at, truth],
        confidence=scores[at, predicted],
    )


def refuse_no_answer(joined: Joined, *, source: str) -> None:
    if not joined.ok.any():
        reasons = ", ".join(f"{count} {status}" for status, count in joined.bad.items())
        raise DataError(
            f"{source}: none of its {len(joined.ok)} labelled images has an answer ({reasons}); there is nothing to "
            f"score. The column `error` of its parts says why."
        )


def rows_of(joined: Joined, answers: Answers) -> "pa.Table":
    """A row for each labelled image, in key order."""
    import pyarrow as pa

    schema = rows_schema("classification")
    columns = {"key": joined.keys, "digest": joined.digests, "label": pa.array(answers.labels, pa.int32())}
    for name in ("predicted", "rank", "p", "confidence"):
        values = getattr(answers, name)
        spread = np.zeros(len(answers.ok), dtype=values.dtype)
        spread[answers.ok] = values
        columns[name] = pa.array(spread, schema.field(name).type, mask=~answers.ok)
    return pa.table(columns, schema=schema)
