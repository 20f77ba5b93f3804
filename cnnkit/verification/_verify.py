"""An exported file beside its source, from the bytes of image files to the decision."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cnnkit import images, pipeline
from cnnkit.postprocess import probabilities
from cnnkit.spec import ClassificationOutput, ModelSpec
from cnnkit.verification._differences import AGREEMENT, decisions, difference, tolerance
from cnnkit.verification._forward import forward, in_eval_mode
from cnnkit.verification._own import compare_transform
from cnnkit.verification._pictures import N_PICTURES, Picture, Pictures, find_pictures
from cnnkit.verification._record import Comparison, OutputDifference, PictureFacts, Precision, Verification
from cnnkit.verification._source import Source

if TYPE_CHECKING:
    from torch import nn

Outputs = list[NDArray[np.float64]]
TRACED_BATCH = 2
PACKAGES = ("numpy", "onnx", "onnxruntime", "opencv-python", "pillow", "torch")


def verify(
    path: Path,
    module: "nn.Module",
    pictures: Path | Pictures | None = None,
    *,
    spec: ModelSpec | None = None,
    precision: Precision = "fp32",
    traced_batch: int = TRACED_BATCH,
    devices: Sequence[str] = ("cpu",),
    transform: Any = None,
    exact: bool = True,
) -> Verification:
    """Run a file and the module that it was made from on the same images and say how far they are apart.

    Every image goes the whole way on both sides: decoded, prepared as the spec says, run, decided. The file is run
    one image at a time, in the batch it was traced with, and in one more than that, on each device.

    Args:
        path: an .onnx file with a spec inside.
        module: its source.
        pictures: a folder or file of images, or what `find_pictures` gave; None: crops of two photographs.
        spec: how the module is fed, where that differs from the file (preprocessing inside the graph).
        precision: which tolerances hold.
        traced_batch: the batch size that the exporter saw.
        devices: where the file is run.
        transform: the source's own preprocessing, to be compared with that in the spec.
        exact: whether its pixels are expected to be the same.

    Returns:
        The record; true when everything is within tolerance.
    """
    found = pictures if isinstance(pictures, Pictures) else find_pictures(pictures, None)
    comparisons: list[Comparison] = []
    fed = spec
    for device in devices:
        model = pipeline.open_model(path, device=device)
        feeds = prepared(model.spec, found.each)
        fed = spec or model.spec
        source_feeds = feeds if spec is None else prepared(spec, found.each)
        with in_eval_mode(module):
            expected = _in_batches(source_feeds.astype(np.float32), traced_batch, lambda batch: forward(module, batch))
        judge = _Judge(model, expected, precision)
        sizes = _batch_sizes(model, traced_batch)
        comparisons += [judge.compare(feeds, size) for size in sizes]
    own = None
    if transform is not None and fed is not None:
        own = compare_transform(transform, module, fed, found.each, exact=exact)
    problems = [problem for each in comparisons for problem in each.problems]
    problems += own.problems if own else ()
    return Verification(
        passed=not problems,
        precision=precision,
        origin=found.origin,
        images=tuple(PictureFacts(name=picture.name, sha256=picture.sha256) for picture in found.each),
        comparisons=tuple(comparisons),
        own_preprocessing=own,
        problems=tuple(dict.fromkeys(problems)),
        versions=_versions(),
    )


def verify_file(
    path: Path,
    source: Source,
    *,
    images: Path | None = None,
    limit: int = N_PICTURES,
    precision: Precision | None = None,
    devices: Sequence[str] = ("cpu",),
    transform: Any = None,
) -> Verification:
    """Verify a file against a source on at most `limit` images: `images`, the training record's, or two photographs.

    `precision` None: what the file's spec says it was written in, else fp32.
    """
    pictures = find_pictures(images, source.data, n=limit)
    spec = pipeline.open_model(path, device="cpu").spec
    written = precision or spec.provenance.get("precision", "fp32")
    return verify(path, source.module, pictures, precision=written, devices=devices, transform=transform)


def prepared(spec: ModelSpec, pictures: Sequence[Picture]) -> NDArray[Any]:
    """The pictures as the model takes them: (n, C, H, W) or (n, H, W, C), in the input's own type."""
    preprocess = images.Preprocess(spec)
    return np.stack([preprocess(images.decode(picture.data, spec.decode))[0] for picture in pictures])


class _Judge:
    """Compares what a file gives with what its source gave."""

    def __init__(self, model: Any, expected: Outputs, precision: Precision) -> None:
        self._session = model.session
        self._output = model.spec.output
        self._input = model.spec.input.name
        self._expected = expected
        self._precision: Precision = precision
        self._names = [info.name for info in model.session.outputs]
        self._provider = model.session.provider.name

    def compare(self, feeds: NDArray[Any], batch_size: int) -> Comparison:
        try:
            got = _in_batches(feeds, batch_size, self._run)
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
            problems += _changed_decisions(figures["top1_agreement"], self._precision, len(got[0]))
        where = f" ({self._provider}, {batch_size} at a time)"
        return Comparison(
            provider=self._provider,
            batch_size=batch_size,
            outputs=tuple(outputs),
            problems=tuple(problem.removesuffix(".") + where + "." for problem in problems),
            **figures,
        )

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


def _changed_decisions(agreement: float, precision: Precision, n: int) -> list[str]:
    if agreement >= AGREEMENT[precision]:
        return []
    return [f"The best class of {round((1 - agreement) * n)} of {n} images changed."]


def _batch_sizes(model: Any, traced: int) -> list[int]:
    """1, the traced batch and one more; only the batch that the file's own shape allows when it is fixed."""
    fixed = model.session.inputs[0].shape[0]
    return [fixed] if fixed else sorted({1, traced, traced + 1})


def _in_batches(feeds: NDArray[Any], size: int, run: Any) -> Outputs:
    """Run in batches of `size`; the last is filled up with its last image, whose answers are dropped again."""
    parts: list[Outputs] = []
    for start in range(0, len(feeds), size):
        batch = feeds[start : start + size]
        n = len(batch)
        filled = np.concatenate([batch, np.repeat(batch[-1:], size - n, axis=0)])
        parts.append([values[:n] if values.shape[:1] == (size,) else values for values in run(filled)])
    return [np.concatenate(each) for each in zip(*parts, strict=True)]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
