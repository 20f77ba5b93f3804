"""Accuracy is poor: which of the usual mistakes in preparing images, or in the order of classes, explains it?"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cnnkit import data, metrics, pipeline
from cnnkit.errors import CnnkitError, DataError, UsageError
from cnnkit.records import Classification, Sample
from cnnkit.spec import ModelSpec

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
VALUES: dict[str, dict[str, Any]] = {
    "values 0..1": {"scale": 1 / 255, "mean": (0.0,), "std": (1.0,)},
    "values 0..255": {"scale": 1.0, "mean": (0.0,), "std": (1.0,)},
    "values -1..1 (those of --preset tf)": {"scale": 1 / 255, "mean": (0.5,), "std": (0.5,)},
    "ImageNet's mean and std (the values of --preset imagenet)": {
        "scale": 1 / 255,
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
    },
    "0..255 minus ImageNet's mean": {"scale": 1.0, "mean": (123.68, 116.779, 103.939), "std": (1.0,)},
    "0..255 minus ImageNet's mean in BGR order (the values of --preset imagenet-caffe)": {
        "scale": 1.0,
        "mean": (103.939, 116.779, 123.68),
        "std": (1.0,),
    },
}
RESIZES: dict[str, dict[str, Any]] = {
    "Pillow's bilinear": {"interpolation": "pillow:bilinear"},
    "Pillow's bicubic": {"interpolation": "pillow:bicubic"},
    "OpenCV's linear": {"interpolation": "opencv:linear"},
    "squeezed to the input without a crop": {"resize": "exact"},
    "short side and centre crop": {"resize": "shortest"},
}

UNREAD = -1

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """One way of preparing images, as the flags that say it, and how many of `n` images it gets right."""

    change: str
    flags: str
    hits: int
    n: int

    @property
    def top1_accuracy(self) -> float:
        return self.hits / self.n

    def to_dict(self) -> dict[str, Any]:
        low, high = metrics.wilson(self.hits, self.n)
        return {
            "change": self.change,
            "flags": self.flags,
            "top1_accuracy": self.top1_accuracy,
            "low": low,
            "high": high,
        }


@dataclass(frozen=True, slots=True)
class Suspects:
    """All trials, best first.

    `culprit` is the simplest change that explains it: its interval lies above that of what is there, and holds the
    accuracy of the best change, which so few images cannot tell from it.
    """

    as_is: Trial
    trials: tuple[Trial, ...]
    drawn_from: str

    @property
    def culprit(self) -> Trial | None:
        best, now = self.trials[0], metrics.wilson(self.as_is.hits, self.as_is.n).high
        intervals = [(trial, metrics.wilson(trial.hits, trial.n)) for trial in self.trials]
        as_good = [trial for trial, (low, high) in intervals if low > now and high >= best.top1_accuracy]
        return min(as_good, key=lambda trial: trial.change.count(","), default=None)

    def to_dict(self) -> dict[str, Any]:
        return {
            "as_is": self.as_is.to_dict(),
            "culprit": self.culprit.to_dict() if self.culprit else None,
            "trials": [trial.to_dict() for trial in self.trials],
            "sentence": self.sentence(),
        }

    def sentence(self) -> str:
        low, high = metrics.wilson(self.as_is.hits, self.as_is.n)
        here = (
            f"top-1 accuracy is {self.as_is.top1_accuracy:.3f} (95 % interval {low:.3f} to {high:.3f}) on "
            f"{self.as_is.n} of {self.drawn_from}"
        )
        if self.culprit is None:
            return f"{here}; none of the usual mistakes explains it: no change makes it clearly better."
        found = self.culprit
        mend = f" ({found.flags})" if found.flags else ""
        return f"{here}; with {found.change}{mend} it is {found.top1_accuracy:.3f}: that is the likely mistake."


def try_suspects(
    model: Path,
    images: Path,
    *,
    limit: int = 300,
    seed: int = 0,
    class_map: Path | None = None,
    truth: Path | None = None,
    truth_index: bool = False,
    split: str | None = None,
    progress: Progress = lambda done, total: None,
    **options: Any,
) -> Suspects:
    """Score `model` on up to `limit` labelled images, as it is and with one usual mistake undone at a time.

    Channel order and values are tried together, the resize on top of the best of them, then the order of the
    classes on the answers of the best. `options` are those of `pipeline.open_model`.

    Raises:
        UsageError: the model is a detector. DataError: no labelled image can be read.
    """
    spec = pipeline.open_model(model, **options).spec
    if spec.task != "classification":
        raise UsageError(f"{model}: is a detector; the usual suspects are tried on classifiers.")
    truth_options: dict[str, Any] = {"truth": truth, "truth_index": truth_index, "split": split, "class_map": class_map}
    samples, labels, drawn_from = _labelled(spec, images, limit=limit, seed=seed, **truth_options)
    plans = _value_plans(spec)
    bench = _Bench(model, options, samples, labels)
    total = len(plans) + len(RESIZES) + 1
    bench.attempt("everything as it is", {})
    if not bench.best.trial.n:
        raise DataError(f"{images}: none of {len(samples)} labelled images can be read.")
    for change, flags in plans:
        bench.attempt(change, flags)
        progress(len(bench.attempts), total)
    so_far = bench.best
    for change, flags in RESIZES.items():
        bench.attempt(so_far.and_then(change), so_far.flags | flags)
        progress(len(bench.attempts), total)
    as_is, *changed = [attempt.trial for attempt in bench.attempts]
    bases = [bench.attempts[0]] if bench.best is bench.attempts[0] else [bench.attempts[0], bench.best]
    orders = [trial for base in bases for trial in _order_trials(spec.names, base, labels)]
    simplest_first = sorted([*changed, *orders], key=lambda trial: trial.change.count(","))
    return Suspects(as_is, tuple(sorted(simplest_first, key=lambda trial: -trial.hits)), drawn_from)


@dataclass(frozen=True)
class _Attempt:
    trial: Trial
    flags: dict[str, Any]
    answers: NDArray[np.int64]

    def and_then(self, change: str) -> str:
        return f"{self.trial.change}, {change}" if self.flags else change


class _Bench:
    """One model on one set of samples, opened again for each way of preparing them."""

    def __init__(
        self, model: Path, options: dict[str, Any], samples: Sequence[Sample], labels: NDArray[np.int64]
    ) -> None:
        self._model, self._options = model, options
        self._samples, self._labels = samples, labels
        self.attempts: list[_Attempt] = []

    @property
    def best(self) -> _Attempt:
        return max(self.attempts, key=lambda attempt: attempt.trial.hits)  # the first of equals

    def attempt(self, change: str, flags: dict[str, Any]) -> None:
        try:
            model = pipeline.open_model(self._model, **(self._options | flags))
        except CnnkitError:
            if not flags:
                raise
            return  # a change that this model's spec cannot say is no way to prepare its images
        answers = _answers(model, self._samples)
        hits = int((answers == self._labels).sum())
        trial = Trial(change, _as_flags(flags), hits, int((answers != UNREAD).sum()))
        self.attempts.append(_Attempt(trial, flags, answers))


def _labelled(
    spec: ModelSpec, images: Path, *, limit: int, seed: int, class_map: Path | None, **truth_options: Any
) -> tuple[list[Sample], NDArray[np.int64], str]:
    """Up to `limit` samples, drawn evenly over the classes, their labels, and a phrase on what they are drawn from."""
    mapping = data.read_class_map(class_map) if class_map else None
    found = data.read_truth(images, classes=spec.classes, class_map=mapping, **truth_options)
    by_class: dict[int, list[Sample]] = {}
    for sample in data.find_images(found.root):
        if sample.key in found.labels:
            by_class.setdefault(found.labels[sample.key], []).append(sample)
    draw = random.Random(seed)
    for several in by_class.values():
        draw.shuffle(several)
    rounds = sorted((place, label) for label, several in by_class.items() for place in range(len(several)))
    chosen = rounds[:limit]
    drawn_from = f"{len(rounds):,} labelled images in {found.root}"
    return [by_class[label][place] for place, label in chosen], np.array([label for _, label in chosen]), drawn_from


def _value_plans(spec: ModelSpec) -> list[tuple[str, dict[str, Any]]]:
    orders = ["RGB", "BGR"] if spec.input.channels != "GRAY" else ["GRAY"]
    turned = {"RGB": "BGR", "BGR": "RGB"}.get(spec.input.channels)
    plans: list[tuple[str, dict[str, Any]]] = []
    if turned:
        plans.append((f"{turned} channels", {"channel_order": turned}))
    for name, values in VALUES.items():
        if spec.input.channels == "GRAY" and len(values["mean"]) == 3:
            continue
        for order in orders:
            same = order == spec.input.channels
            flags = values if same else {"channel_order": order, **values}
            plans.append((name if same else f"{order} channels, {name}", flags))
    return plans


def _answers(model: pipeline.Model, samples: Sequence[Sample]) -> NDArray[np.int64]:
    """The best class of each sample, UNREAD where there is none."""
    found = [row.prediction for row in model.rows(samples, topk=1)]
    return np.array([int(each.top_ids[0]) if isinstance(each, Classification) else UNREAD for each in found])


def _order_trials(names: Sequence[str], base: _Attempt, labels: NDArray[np.int64]) -> list[Trial]:
    """What the same answers are worth when the scores stand for the classes in another order."""
    n = len(names)
    orders = {
        "classes shifted up by one": [(at + 1) % n for at in range(n)],
        "classes shifted down by one": [(at - 1) % n for at in range(n)],
        "classes sorted as text": sorted(range(n), key=lambda at: names[at]),
        "classes sorted by number": sorted(range(n), key=lambda at: _natural(names[at])),
    }
    trials = []
    for change, order in orders.items():
        if order != list(range(n)):
            meant = np.where(base.answers == UNREAD, UNREAD, np.array(order)[base.answers])
            flags = f"{base.trial.flags} --labels FILE in that order".strip()
            hits = int((meant == labels).sum())
            trials.append(replace(base.trial, change=base.and_then(change), flags=flags, hits=hits))
    return trials


def _natural(name: str) -> list[tuple[int, int | str]]:
    parts = re.split(r"(\d+)", name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


def _as_flags(flags: dict[str, Any]) -> str:
    shown = []
    for name, value in flags.items():
        text = ",".join(f"{number:g}" for number in value) if isinstance(value, tuple) else _plain(value)
        shown.append(f"--{name.replace('_', '-')} {text}")
    return " ".join(shown)


def _plain(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else cast(str, value)
