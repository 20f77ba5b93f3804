"""A file's answers beside those of its source: figures, and sentences on what is out of tolerance."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnkit.errors import ImageError
from cnnkit.pipeline import Model
from cnnkit.postprocess import probabilities
from cnnkit.spec import ClassificationOutput, DetectionOutput
from cnnkit.verification._detected import same_detections
from cnnkit.verification._differences import AGREEMENT, decisions, difference, tolerance
from cnnkit.verification._record import Comparison, OutputDifference, Precision

Outputs = list[NDArray[np.float64]]
Feeds = Sequence[NDArray[Any]]  # one prepared image each


class Judge:
    """Compares what a file gives with what its source gave."""

    def __init__(self, model: Model, expected: Outputs, precision: Precision) -> None:
        self._session = model.session
        self._spec = model.spec
        self._output = model.spec.output
        self._input = model.spec.input.name
        self._expected = expected
        self._precision: Precision = precision
        self._names = [info.name for info in model.session.outputs]
        self._provider = model.session.provider.name

    def compare(self, feeds: Feeds, batch_size: int) -> Comparison:
        try:
            got = in_batches(feeds, batch_size, self._run)
        except Exception as error:  # onnxruntime's errors have no common class of their own
            problem = f"With {batch_size} image(s) at a time the file does not run: {_first_line(error)}"
            return Comparison(provider=self._provider, batch_size=batch_size, problems=(problem,))
        misshapen = self._shape_problem(got)
        if misshapen:
            return Comparison(provider=self._provider, batch_size=batch_size, problems=(misshapen,))
        return self._figures(got, batch_size)

    def _run(self, batch: NDArray[Any]) -> Outputs:
        outputs = self._session.run({self._input: batch})
        return [np.asarray(outputs[name], dtype=np.float64) for name in self._names]

    def _shape_problem(self, got: Outputs) -> str | None:
        if len(got) != len(self._expected):
            return f"The file gives {len(got)} outputs ({', '.join(self._names)}), the source {len(self._expected)}."
        for name, here, there in zip(self._names, got, self._expected, strict=True):
            if here.shape != there.shape:
                return f'Output "{name}" of the file has shape {here.shape}, the source gives {there.shape}.'
        return None

    def _figures(self, got: Outputs, batch_size: int) -> Comparison:
        named = list(zip(self._names, self._expected, got, strict=True))
        outputs = [difference(*each, self._precision) for each in named]
        problems = [problem for output in outputs if (problem := _out_of_tolerance(output))]
        scores = [(expected, given) for name, expected, given in named if name == self._output.name]
        if problems and any(output.max_abs is None for output in outputs):
            scores = []
        figures: dict[str, Any] = {}
        if scores and isinstance(self._output, ClassificationOutput):
            figures = self._decision_figures(*scores[0], self._output)
            problems += _changed_decisions("best class", figures["top1_agreement"], self._precision, len(got[0]))
        elif isinstance(self._output, DetectionOutput) and all(output.max_abs is not None for output in outputs):
            try:
                same = self._same_detections(got)
                figures = {"detections_agreement": same}
                if self._precision != "int8":  # an int8 detector is judged by what its boxes are worth
                    problems += _changed_decisions("boxes", same, self._precision, len(got[0]))
            except ImageError as error:  # the spec does not say how these outputs are read
                problems.append(f"No boxes can be read from the source: {error}.")
        return Comparison(
            provider=self._provider,
            batch_size=batch_size,
            outputs=tuple(outputs),
            problems=tuple(problems),
            **figures,
        )

    def _same_detections(self, got: Outputs) -> float:
        expected, given = (dict(zip(self._names, side, strict=True)) for side in (self._expected, got))
        return same_detections(expected, given, self._spec, precision=self._precision)

    def _decision_figures(
        self, expected: NDArray[np.float64], got: NDArray[np.float64], output: ClassificationOutput
    ) -> dict[str, float]:
        flat = [values.reshape(len(values), -1) for values in (expected, got)]
        agreement = decisions(flat[0], flat[1], within=tolerance(expected, self._precision) or 0.0)
        first, second = (probabilities(values, output).astype(np.float64) for values in flat)
        return {
            "top1_agreement": agreement.top1,
            "top5_agreement": agreement.top5,
            "max_probability_change": float(np.abs(first - second).max(initial=0.0)),
        }


def _out_of_tolerance(output: OutputDifference) -> str | None:
    if output.max_abs is None:
        return f'Output "{output.name}" holds values that are not finite numbers.'
    if output.tolerance is not None and output.max_abs > output.tolerance:
        return (
            f'Output "{output.name}" differs by up to {output.max_abs:.3g}, {output.tolerance:.3g} is allowed; '
            f"the least cosine is {output.cosine:.6f}."
        )
    return None


def _changed_decisions(what: str, agreement: float, precision: Precision, n: int) -> list[str]:
    if agreement >= AGREEMENT[precision]:
        return []
    return [f"The {what} of {round((1 - agreement) * n)} of {n} images changed."]


def batch_sizes(model: Model, traced: int) -> list[int]:
    """1, the traced batch and one more; only the batch that the file's own shape allows when it is fixed."""
    fixed = model.session.inputs[0].shape[0]
    return [fixed] if fixed else sorted({1, traced, traced + 1})


def in_batches(feeds: Feeds, size: int, run: Callable[[NDArray[Any]], Outputs]) -> Outputs:
    """Run in batches of `size`; the last is filled up with its last image, whose answers are dropped again."""
    parts: list[Outputs] = []
    for start in range(0, len(feeds), size):
        batch = list(feeds[start : start + size])
        n = len(batch)
        filled = np.stack(batch + batch[-1:] * (size - n))
        parts.append([values[:n] if values.shape[:1] == (size,) else values for values in run(filled)])
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
