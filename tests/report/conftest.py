"""Real results to report on (scikit-learn digits, scored by a poor logistic regression) and a browser to read them."""

import copy
import fcntl
import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pytest
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from cnnkit.metrics import wilson
from cnnkit.report import ClassChange, ComparedModel, Comparison, Difference, Flip, Pairing
from cnnkit.results import Results, rows_schema
from cnnkit.spec import ClassName

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]


@dataclass
class Scored:
    """Images in a folder, their rows, and results that may be changed before the report is written."""

    root: Path
    facts: dict[str, Any]
    rows: pa.Table

    @property
    def results(self) -> Results:
        return Results.model_validate(self.facts)


@dataclass
class DigitScores:
    """The second half of the digits: labels (n,) and the probabilities (n, 10) of two models."""

    labels: np.ndarray
    whole: np.ndarray
    upper_half: np.ndarray


@pytest.fixture(scope="session")
def digit_scores() -> DigitScores:
    """Learned from 150 digits, the second model from their upper halves alone."""
    images, labels = load_digits(return_X_y=True)
    scores = [
        LogisticRegression(max_iter=300).fit(seen[:150], labels[:150]).predict_proba(seen[900:]).astype(np.float32)
        for seen in (images, images[:, :32])
    ]
    return DigitScores(labels[900:], *scores)


@pytest.fixture(scope="session")
def digits_once(digit_scores: DigitScores, tmp_path_factory: pytest.TempPathFactory) -> Scored:
    root = tmp_path_factory.mktemp("data") / "digits"
    images = np.minimum(load_digits().images[900:] * 16, 255).astype(np.uint8)
    keys = [f"{label}/{at:04d}.png" for at, label in enumerate(digit_scores.labels)]
    files = [cv2.imencode(".png", image)[1].tobytes() for image in images]
    for key, data in zip(keys, files, strict=True):
        (root / key).parent.mkdir(parents=True, exist_ok=True)
        (root / key).write_bytes(data)
    return scored(root, keys, files, digit_scores.labels, digit_scores.whole, [str(at) for at in range(10)])


@pytest.fixture
def digits(digits_once: Scored) -> Scored:
    """Results that a test may change."""
    return Scored(digits_once.root, copy.deepcopy(digits_once.facts), digits_once.rows)


def scored(
    root: Path, keys: list[str], files: list[bytes], labels: np.ndarray, scores: np.ndarray, names: list[str]
) -> Scored:
    predicted = scores.argmax(axis=1)
    hits, n = int((predicted == labels).sum()), len(labels)
    low, high = wilson(hits, n)
    accuracy = {"value": hits / n, "low": low, "high": high, "n": n, "method": "wilson"}
    error = {"value": 1 - hits / n, "low": 1 - high, "high": 1 - low, "n": n, "method": "wilson"}
    p = scores[np.arange(n), labels]
    loss = {"value": float(-np.log(p).mean()), "n": n, "note": "no interval: made by hand"}
    facts = {
        "task": "classification",
        "model": {"name": "digits", "sha256": "ab" * 32, "spec_hash": "cd" * 32},
        "run": {"path": "run", "sha256": "ef" * 32},
        "classes": [ClassName(name=name) for name in names],
        "data": {"root": str(root), "fingerprint": "12" * 32, "n": n, "n_classes": 10, "n_classes_scored": 10},
        "provider": {"name": "CPUExecutionProvider"},
        "versions": {"cnnkit": "0.1.0", "onnxruntime": "1.32.0"},
        "cost": {"size_bytes": 120_000, "parameters": 28_000, "multiply_adds": 300_000},
        "speed": {"images_per_s": 5200.0},
        "figures": {"top1_accuracy": accuracy, "top1_error": error, "cross_entropy": loss},
        "per_class": [class_figures(at, name, labels, predicted, scores) for at, name in enumerate(names)],
        "confusion": confusion(labels, predicted, len(names)),
        "curves": curves(labels, scores),
        "operating_points": [
            {"wanted_precision": 0.95, "threshold": 0.97, "precision": 0.951, "coverage": 0.6},
            {"wanted_precision": 0.999, "threshold": None, "precision": None, "coverage": None},
        ],
        "slices": [
            {"by": "brightness", "value": "dark", "figure": accuracy, "rest": accuracy, "p_value": 0.5},
            {"by": "folder", "value": "a/long/path/to/a/folder", "figure": accuracy, "rest": accuracy, "p_value": 1e-6},
        ],
        "calibration": {"equal_width": bins(labels, scores), "temperature": 1.2},
    }
    columns = {
        "key": keys,
        "digest": [sha256(data).digest() for data in files],
        "label": labels,
        "predicted": predicted,
        "rank": (scores > p[:, None]).sum(axis=1) + 1,
        "p": p,
        "confidence": scores.max(axis=1),
    }
    order = np.argsort(keys)
    rows = pa.table(columns).cast(rows_schema("classification")).take(order)
    return Scored(root, facts, rows)


def class_figures(
    at: int, name: str, labels: np.ndarray, predicted: np.ndarray, scores: np.ndarray
) -> dict[str, object]:
    n, answers, hits = (int(each.sum()) for each in (labels == at, predicted == at, (labels == at) & (predicted == at)))
    return {
        "name": name,
        "n": n,
        "n_predicted": answers,
        "precision": hits / answers,
        "recall": hits / n,
        "f1": 2 * hits / (n + answers),
        "ap": float(average_precision_score(labels == at, scores[:, at])),
        "roc_auc": float(roc_auc_score(labels == at, scores[:, at])),
        "intervals": {"recall": wilson(hits, n), "precision": wilson(hits, answers)},
    }


def confusion(labels: np.ndarray, predicted: np.ndarray, n_classes: int) -> dict[str, object]:
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (labels, predicted), 1)
    return {"n_classes": n_classes, "cells": [(a, b, counts[a, b]) for a, b in np.argwhere(counts).tolist()]}


def curves(labels: np.ndarray, scores: np.ndarray) -> dict[str, object]:
    pr, roc = [], []
    for at in range(scores.shape[1]):
        precision, recall, threshold = precision_recall_curve(labels == at, scores[:, at])
        pr.append({"index": at, "x": recall[-2::-1], "y": precision[-2::-1], "threshold": threshold[::-1]})
        false, true, _ = roc_curve(labels == at, scores[:, at])
        roc.append({"index": at, "x": false, "y": true})
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    order = np.argsort(-confidence)
    answered = np.arange(1, len(order) + 1)
    coverage = {"x": answered / len(order), "y": right[order].cumsum() / answered, "threshold": confidence[order]}
    return {"pr": pr, "roc": roc, "risk_coverage": coverage}


def bins(labels: np.ndarray, scores: np.ndarray) -> list[dict[str, object]]:
    confidence, right = scores.max(axis=1), scores.argmax(axis=1) == labels
    found = []
    for low in np.arange(10) / 10:
        inside = (confidence > low) & (confidence <= low + 0.1)
        mean = [float(each[inside].mean()) if inside.any() else None for each in (confidence, right)]
        facts = {"low": low, "high": low + 0.1, "n": int(inside.sum()), "confidence": mean[0], "accuracy": mean[1]}
        found.append(facts)
    return found


class Browser:
    """A headless Chromium, driven by the DevTools protocol over two pipes: JSON messages, each ended by a zero byte."""

    def __init__(self, profile: Path) -> None:
        commands, self._write = _pipe()
        self._read, events = _pipe()
        command = f'exec "$@" 3<&{commands} 4>&{events}'
        self._process = subprocess.Popen(
            ["bash", "-c", command, "browser", CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, events),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands)
        os.close(events)
        self._rest, self._last = b"", 0
        self.complaints: list[str] = []
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, path: Path, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """Open a file in a window of that size and wait until it has loaded; complaints start anew."""
        self._navigate("about:blank")  # what the page before has left to say comes now
        self.complaints.clear()
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[theme])
        self._navigate(path.as_uri())

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str) -> None:
        facts = {"key": key, "code": key}
        if len(key) == 1:
            facts["text"] = key
        if key == "Enter":
            facts |= {"text": "\r", "windowsVirtualKeyCode": 13}
        self.call("Input.dispatchKeyEvent", type="keyDown", **facts)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def screenshot(self, path: Path) -> None:
        """The whole page, however long."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 16_000), "scale": 1}
        shot = self.call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.write_bytes(b64decode(shot["data"]))

    def close(self) -> None:
        with suppress(OSError, EOFError):
            self._call("Browser.close")
        self._process.wait(timeout=20)
        os.close(self._read)
        os.close(self._write)

    def call(self, method: str, **params: Any) -> Any:
        return self._call(method, session=self._session, **params)

    def _navigate(self, url: str) -> None:
        self._loaded = False
        self.call("Page.navigate", url=url)
        while not self._loaded:
            self._take(self._message())

    def _call(self, method: str, session: str | None = None, **params: Any) -> Any:
        self._last += 1
        message = {"id": self._last, "method": method, "params": params} | ({"sessionId": session} if session else {})
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while (answer := self._message()).get("id") != self._last:
            self._take(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def _message(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            read = os.read(self._read, 1 << 20)
            if not read:
                raise EOFError("the browser has gone")
            self._rest += read
        message, self._rest = self._rest.split(b"\0", 1)
        return json.loads(message)

    def _take(self, event: dict[str, Any]) -> None:
        method, facts = event.get("method"), event.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(facts["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning", "assert"):
            self.complaints.append(str(facts["args"]))
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.complaints.append(facts["entry"]["text"])
        elif method == "Network.requestWillBeSent" and not facts["request"]["url"].startswith(("file:", "data:")):
            self.complaints.append(f"asked for {facts['request']['url']}")


def _pipe() -> tuple[int, int]:
    """A pipe whose ends lie above 9, out of the way of the 3 and 4 that the browser wants."""
    ends = []
    for end in os.pipe():
        ends.append(fcntl.fcntl(end, fcntl.F_DUPFD, 10))
        os.close(end)
    return ends[0], ends[1]


@pytest.fixture(scope="session")
def compared(digit_scores: DigitScores, digits_once: Scored) -> Comparison:
    """The model that sees whole digits against the one that sees their upper halves."""
    labels, scores = digit_scores.labels, (digit_scores.whole, digit_scores.upper_half)
    predicted = [each.argmax(axis=1) for each in scores]
    right = [each == labels for each in predicted]
    keys = [f"{label}/{at:04d}.png" for at, label in enumerate(labels)]
    half = scored(digits_once.root, keys, [b""] * len(keys), labels, scores[1], [str(at) for at in range(10)])
    half.facts |= {"model": {"name": "upper half", "sha256": "0" * 64, "spec_hash": "0" * 64}}
    half.facts |= {"cost": {"size_bytes": 60_000, "parameters": 14_000, "multiply_adds": 150_000}}
    loss = float(right[1].mean() - right[0].mean())
    flips = [
        Flip(key, None, int(label), *(int(each[at]) for each in predicted), *(float(each[at].max()) for each in scores))
        for at, (key, label) in enumerate(zip(keys, labels, strict=True))
        if right[0][at] != right[1][at]
    ]
    return Comparison(
        models=(ComparedModel("whole", digits_once.results), ComparedModel("upper half", half.results, ("sees less",))),
        sentences=("whole is better than upper half by 12.8 points (95 % interval 9.8 to 15.8).",),
        differences=(
            Difference(
                first="whole",
                second="upper half",
                measure="top1_accuracy",
                value=loss,
                low=loss - 0.03,
                high=loss + 0.03,
                p=1e-9,
                n=897,
                method="bootstrap",
                sentence="whole is better",
            ),
        ),
        pairings=(
            Pairing(
                "whole",
                "upper half",
                both_right=int((right[0] & right[1]).sum()),
                both_wrong=int((~right[0] & ~right[1]).sum()),
                only_first=int((right[0] & ~right[1]).sum()),
                only_second=int((~right[0] & right[1]).sum()),
                same_answer=int((predicted[0] == predicted[1]).sum()),
                flips=flips,
                classes=[
                    ClassChange(at, int((labels == at).sum()), *(int(each[labels == at].sum()) for each in right))
                    for at in range(10)
                ],
            ),
        ),
    )


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium: `make browser` installs Debian's")
    running = Browser(tmp_path_factory.mktemp("chromium"))
    yield running
    running.close()
