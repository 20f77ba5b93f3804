"""Contenders made of a few numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from cnnkit.comparison import Contender
from cnnkit.results import (
    ClassFigures,
    DataFacts,
    Figure,
    ModelFacts,
    ProviderFacts,
    Results,
    RunFacts,
    rows_schema,
)
from cnnkit.spec import ClassName

MakeContender = Callable[..., Contender]
MakeResults = Callable[..., Results]

KNOWN = ("top1_accuracy", "top5_error", "macro_f1", "cross_entropy", "ece", "brier", "map", "roc_auc")


def results_of(task: str, classes: Sequence[str | ClassName], n: int, **changes: Any) -> Results:
    named = tuple(ClassName(name=each) if isinstance(each, str) else each for each in classes)
    facts: dict[str, Any] = {
        "task": task,
        "model": ModelFacts(name="tiny", sha256="ab", spec_hash="cd"),
        "run": RunFacts(path=None, sha256="ef"),
        "classes": named,
        "data": DataFacts(root="images", fingerprint="01", n=n, n_classes=len(named), n_classes_scored=len(named)),
        "provider": ProviderFacts(name="CPUExecutionProvider"),
        "versions": {"cnnkit": "0.1.0"},
        "figures": {name: Figure(value=0.5, n=n) for name in KNOWN},
        "per_class": tuple(ClassFigures(name=entry.name, n=n) for entry in named),
    }
    return Results.model_validate(facts | changes)


@pytest.fixture(scope="session")
def make_results() -> MakeResults:
    """`make_results("detection", ["cat"], 3, multilabel=False)`: results of so many images, with any field changed."""
    return results_of


@pytest.fixture
def make_contender() -> MakeContender:
    """`make_contender("a", labels=[0, 1], predicted=[0, None], classes=["cat", "dog"])`; `scores` answer too."""

    def make(
        name: str,
        labels: Sequence[int],
        predicted: Sequence[int | None] | None = None,
        *,
        scores: Any = None,
        classes: Sequence[str | ClassName] = ("cat", "dog", "owl"),
        keys: Sequence[str] | None = None,
        digests: Sequence[bytes | None] | None = None,
        **changes: Any,
    ) -> Contender:
        n = len(labels)
        keys = [f"{at:05d}.png" for at in range(n)] if keys is None else list(keys)
        digests = [key.encode().ljust(32)[:32] for key in keys] if digests is None else list(digests)
        given = np.argmax(scores, axis=1).tolist() if scores is not None else predicted
        assert given is not None
        if scores is None:
            ranks = [None if each is None else 1 + (each != label) for each, label in zip(given, labels, strict=True)]
            columns = {
                "rank": ranks,
                "p": [None if rank is None else 0.75 if rank == 1 else 0.25 for rank in ranks],
                "confidence": [None if rank is None else 0.75 for rank in ranks],
            }
        else:
            matrix = np.asarray(scores, np.float32)
            true = matrix[np.arange(n), labels]
            columns = {
                "rank": ((matrix > true[:, None]).sum(axis=1) + 1).tolist(),
                "p": true.tolist(),
                "confidence": matrix.max(axis=1).tolist(),
            }
        table = {"key": keys, "digest": digests, "label": list(labels), "predicted": given, **columns}
        order = {key: at for at, key in enumerate(keys)}
        return Contender(
            name=name,
            source=f"results/{name}",
            results=results_of("classification", classes, n, **changes),
            rows=pa.table(table, schema=rows_schema("classification")),
            scores=None
            if scores is None
            else lambda wanted: np.asfortranarray(np.asarray(scores, np.float32)[[order[key] for key in wanted]]),
        )

    return make
