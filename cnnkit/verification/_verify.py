"""An exported file beside its source, from the bytes of image files to the decision."""

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from cnnkit import graphs, images, pipeline
from cnnkit.errors import UsageError
from cnnkit.spec import ModelSpec
from cnnkit.verification._forward import forward, in_eval_mode, refused_by, unsteady_parts
from cnnkit.verification._fused import activated, source_spec
from cnnkit.verification._judge import Judge, Outputs, batch_sizes, in_batches
from cnnkit.verification._locate import locate
from cnnkit.verification._own import compare_transform
from cnnkit.verification._pictures import N_PICTURES, Picture, Pictures, find_pictures
from cnnkit.verification._record import PictureFacts, Precision, Verification, Witness
from cnnkit.verification._source import Source
from cnnkit.verification._told import told_once
from cnnkit.verification._witness import WitnessName, call_witness

if TYPE_CHECKING:
    from torch import nn

TRACED_BATCH = 2
N_WITNESSED = 4  # the witnesses are slow
PACKAGES = ("numpy", "onnx", "onnxruntime", "opencv-python", "pillow", "torch")


def verify(
    path: Path,
    module: "nn.Module",
    pictures: Path | Pictures | None = None,
    *,
    precision: Precision = "fp32",
    traced_batch: int = TRACED_BATCH,
    devices: Sequence[str] = (),
    providers: str | None = None,
    transform: Any = None,
    exact: bool = True,
    witness: WitnessName | None = None,
    find_fault: bool = False,
    **options: Unpack[pipeline.SpecOptions],
) -> Verification:
    """Run a file and the module that it was made from on the same images and say how far they are apart.

    Every image goes the whole way on both sides: decoded, prepared as the spec says, run, decided. The file is run
    one image at a time, in the batch it was traced with, and in one more than that, on each device.

    Args:
        path: an .onnx file with a spec inside, or one that `options` give.
        module: its source.
        pictures: a folder or file of images, or what `find_pictures` gave; None: crops of two photographs.
        precision: which tolerances hold.
        traced_batch: the batch size that the exporter saw.
        devices: where the file is run; the CPU where neither they nor `providers` are given.
        providers: one more place to run it, as `pipeline.open_model` takes them.
        transform: the source's own preprocessing, to be compared with that in the spec.
        exact: whether its pixels are expected to be the same.
        witness: execute the graph a third time, by cnnkit's own layers or by onnx's evaluator, on a few images.
        find_fault: when something is out of tolerance, look for the first module and the first node that depart.
        options: how an image is prepared, where that is not to be taken from the file.

    Returns:
        The record; true when everything is within tolerance.

    Raises:
        ModelError: the module does not take what the file takes.
    """
    found = pictures if isinstance(pictures, Pictures) else find_pictures(pictures, None)
    opened = _opened(path, devices, providers, options)
    spec = opened[0].spec
    feeds = prepared(spec, found.each)
    unfused = source_spec(spec)
    source_feeds = [x.astype(np.float32) for x in (feeds if unfused is spec else prepared(unfused, found.each))]
    expected = _expected(module, source_feeds, traced_batch, path)
    if unfused is not spec:
        expected, precision = activated(expected, unfused), "fp16"  # a level of 255 may differ
    comparisons = [
        Judge(model, expected, precision).compare(feeds, size)
        for model in opened
        for size in batch_sizes(model, traced_batch)
    ]
    own = None
    if transform is not None:
        own = compare_transform(transform, module, unfused, found.each, exact=exact)
    testimony = None if witness is None else _testimony(path, opened[0], feeds, witness, precision)
    problems = told_once(comparisons)
    problems += [problem for each in (own, testimony) if each is not None for problem in each.problems]
    problems = [*_randomness(module, source_feeds), *problems] if problems else []
    found_at = None
    if problems and find_fault and unfused is spec:
        few = {spec.input.name: np.stack(feeds[:traced_batch])}
        found_at = locate(graphs.load(path), module, few, precision=precision)
    return Verification(
        passed=not problems,
        precision=precision,
        origin=found.origin,
        images=tuple(PictureFacts(name=picture.name, sha256=picture.sha256) for picture in found.each),
        comparisons=tuple(comparisons),
        own_preprocessing=own,
        witness=testimony,
        location=found_at,
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
    devices: Sequence[str] = (),
    providers: str | None = None,
    transform: Any = None,
    witness: WitnessName | None = None,
    find_fault: bool = False,
    **options: Unpack[pipeline.SpecOptions],
) -> Verification:
    """Verify a file against a source on at most `limit` images: `images`, the training record's, or two photographs.

    `precision` None: what the file's spec says it was written in, else fp32. UsageError for `find_fault` of a fused
    file, whose nodes are not its source's.
    """
    spec = pipeline.open_model(path, device="cpu", **options).spec
    if find_fault and source_spec(spec) is not spec:
        raise UsageError(
            f"{path}: is fused, so its preprocessing has no counterpart in the source, and --locate cannot compare "
            "part by part. Export without --fuse and locate the fault in that file."
        )
    pictures = find_pictures(images, source.data, n=limit)
    written = precision or spec.provenance.get("precision", "fp32")
    return verify(
        path,
        source.module,
        pictures,
        precision=written,
        devices=devices,
        providers=providers,
        transform=transform,
        witness=witness,
        find_fault=find_fault,
        **options,
    )


def _opened(
    path: Path, devices: Sequence[str], providers: str | None, options: pipeline.SpecOptions
) -> list[pipeline.Model]:
    """The file on each device, then on `providers`; on the CPU where none is named."""
    alone = [] if devices or providers else ["cpu"]
    opened = [pipeline.open_model(path, device=device, **options) for device in (*devices, *alone)]
    return opened + ([pipeline.open_model(path, providers=providers, **options)] if providers else [])


def _expected(module: "nn.Module", feeds: Sequence[NDArray[Any]], batch: int, path: Path) -> Outputs:
    """What the module gives for the prepared pictures."""
    taken = ", ".join(["N", *(str(side) for side in feeds[0].shape)])
    what = f"{path}: its images are prepared as ({taken}), and the source does not run on that"
    with refused_by(what, next_step=". Name the source that the file was made from."), in_eval_mode(module):
        return in_batches(feeds, batch, lambda x: forward(module, x))


def _randomness(module: "nn.Module", feeds: Sequence[NDArray[Any]]) -> list[str]:
    """A sentence when the module itself answers one picture in two ways, which then is the reason for the rest."""
    with in_eval_mode(module):
        random = unsteady_parts(module, feeds[0][None])
    if not random:
        return []
    return [
        f"Two runs of the source on one input gave two results; random are: {', '.join(random[:5])}. Nothing can be "
        "verified against it. A dropout must know the mode (F.dropout(x, p, training=self.training))."
    ]


def _testimony(
    path: Path, model: pipeline.Model, feeds: Sequence[NDArray[Any]], name: WitnessName, precision: Precision
) -> Witness:
    size = model.session.inputs[0].shape[0] or min(len(feeds), N_WITNESSED)
    few = {model.spec.input.name: np.stack([*feeds[:size], *([feeds[0]] * (size - len(feeds)))])}
    return call_witness(graphs.load(path), name, few, model.session.run(few), precision=precision)


def prepared(spec: ModelSpec, pictures: Sequence[Picture]) -> list[NDArray[Any]]:
    """The pictures as the model takes them: (C, H, W) or (H, W, C) each, in the input's own type."""
    preprocess = images.Preprocess(spec)
    return [preprocess(images.decode(picture.data, spec.decode))[0] for picture in pictures]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
