"""Source to .onnx: described, exported, checked, verified, and only then given its name."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack

from cnnkit import pipeline
from cnnkit.errors import CheckFailed, ModelError, UsageError
from cnnkit.exporting._attempts import Attempts, Exported, Form, Places, Say
from cnnkit.exporting._exporters import Dynamic, Request, require_exporter
from cnnkit.exporting._fuse import Order, check_fusible
from cnnkit.exporting._int8 import Gate, write_int8
from cnnkit.exporting._spec import describe
from cnnkit.runtime import TensorInfo
from cnnkit.spec import ClassName, ModelSpec
from cnnkit.verification import (
    TRACED_BATCH,
    Source,
    find_pictures,
    in_eval_mode,
    open_source,
    output_tensors,
    refused_by,
    unsteady_parts,
)

if TYPE_CHECKING:
    from torch import Tensor, nn

DEFAULT_OPSET = 18
FOLDER = Path("exported")


def export_source(
    source: Source,
    output: Path | None = None,
    *,
    transform: Any = None,
    transform_name: str | None = None,
    classes: Sequence[str | ClassName] | None = None,
    example: "Tensor | None" = None,
    images: Path | None = None,
    opset: int = DEFAULT_OPSET,
    dynamic: Dynamic = "batch",
    precision: Literal["fp32", "fp16", "int8"] = "fp32",
    half_io: bool = False,
    fuse: Order | None = None,
    gate: Gate | None = None,
    check: bool = True,
    find_fault: bool = False,
    devices: Sequence[str] = (),
    providers: str | None = None,
    overwrite: bool = False,
    say: Say = lambda message: None,
    **options: Unpack[pipeline.SpecOptions],
) -> Exported:
    """Write a module as one .onnx file with its spec inside.

    The dynamo exporter is tried first, the TorchScript exporter when that fails or its file is refused. The file is
    compared with the module on real images before it takes its name; nothing is left behind when it is refused.

    Args:
        source: the module, see `verification.open_source`.
        output: the file to write; `exported/NAME.onnx` when None.
        transform: a torchvision, timm or albumentations object that prepares images.
        transform_name: what it is called in messages.
        classes: names in the order of the outputs, when `labels` gives none.
        example: (N, C, H, W) float32 that the module takes; traced, and where nothing else says so the input's size.
        images: what to verify on; the training record's images or two photographs when None.
        opset: version of the operators.
        dynamic: which axes stay open.
        precision: of weights and arithmetic.
        half_io: with fp16, inputs and outputs too.
        gate: with int8, what calibrates and what decides.
        fuse: put preprocessing and activation into the graph, which then takes uint8 pixels in this channel order.
        check: verify; False only at the user's word.
        find_fault: when a file is out of tolerance, look for the first module and node at fault.
        devices: where the file is run to be verified; the CPU where neither they nor `providers` are given.
        providers: one more place to run it.
        overwrite: replace a file that is there.
        say: told what happens, in sentences.
        options: how an image is prepared and the output read, as `pipeline.open_model` takes them.

    Raises:
        UsageError: the file is there already; something about the model is not known, and which flag says it.
        ModelError: transform, labels and module do not fit together.
        CheckFailed: no exporter made a file that does what the module does.
    """
    require_exporter()
    path = output or FOLDER / f"{source.name}.onnx"
    check_request(path, precision=precision, gate=gate, overwrite=overwrite)
    _refuse_static(source, dynamic)
    shape = None if example is None else _shape_of(example, source)
    described = describe(
        source,
        transform=transform,
        transform_name=transform_name,
        classes=classes,
        shape=shape,
        look_at=images or (gate.calib if gate and precision == "int8" else None),
        **options,
    )
    spec = _with_form(described.spec, precision, opset, half_io=half_io, fuse=fuse)
    if fuse is not None and dynamic == "all":
        raise UsageError("--dynamic all does not go with --fuse: a fused file takes pictures of any size as it is.")
    was_training = source.module.training and "program" not in source.facts
    with in_eval_mode(source.module):
        request = _request(source, spec, example, opset=opset, dynamic=dynamic)
        notes = (*source.notes, *described.notes, *_mode_notes(source, request, was_training=was_training, check=check))
        for note in notes:
            say(note)
        chosen = images or (gate.calib if gate and precision == "int8" else None)
        pictures = find_pictures(chosen, source.data) if check else None
        form = Form("fp16" if precision == "fp16" else "fp32", half_io=half_io, fuse=fuse, find_fault=find_fault)
        places = Places(tuple(devices), providers)
        attempts = Attempts(
            source, spec, request, pictures, notes, say, transform, exact=described.exact, form=form, places=places
        )
        return write_int8(attempts, path, gate or Gate()) if precision == "int8" else attempts.write(path)


def export(
    source: "nn.Module | str | Path",
    output: Path | str | None = None,
    *,
    transform: Any = None,
    classes: Sequence[str | ClassName] | None = None,
    example: "Tensor | None" = None,
    weights: Path | str | None = None,
    images: Path | str | None = None,
    opset: int = DEFAULT_OPSET,
    dynamic: Dynamic = "batch",
    precision: Literal["fp32", "fp16"] = "fp32",
    fuse: Order | None = None,
    verify: bool = True,
    overwrite: bool = False,
    **options: Unpack[pipeline.SpecOptions],
) -> Path:
    """Export a module, or what `cnnkit export` takes as SOURCE, and return the path of the file.

    The module is put back into the mode that it was in. See `export_source` for the arguments and what is raised.
    """
    if isinstance(source, str | Path):
        opened = open_source(str(source), weights=None if weights is None else Path(weights))
    else:
        name = type(source).__qualname__
        opened = Source(source, Path(output).stem if output else name.lower(), name, facts={"class": name})
    return export_source(
        opened,
        None if output is None else Path(output),
        transform=transform,
        classes=classes,
        example=example,
        images=None if images is None else Path(images),
        opset=opset,
        dynamic=dynamic,
        precision=precision,
        fuse=fuse,
        check=verify,
        overwrite=overwrite,
        **options,
    ).path


def _with_form(spec: ModelSpec, precision: str, opset: int, *, half_io: bool, fuse: Order | None) -> ModelSpec:
    """The spec of the form that is wanted, refused before any work is done for it."""
    if half_io and precision != "fp16":
        raise UsageError("--half-io goes with --precision fp16.")
    if fuse is not None and precision == "int8":
        raise UsageError("--fuse does not go with --precision int8: quantise the file that is not fused.")
    if fuse is not None:
        check_fusible(spec, opset=opset)
    dtype = "float16" if half_io else spec.input.dtype
    return spec.model_copy(update={"input": spec.input.model_copy(update={"dtype": dtype})})


def check_request(path: Path | None, *, precision: str, gate: Gate | None, overwrite: bool) -> None:
    """Raise UsageError for what can be said before anything is loaded: a file in the way, int8 without images."""
    if precision == "int8" and (gate is None or gate.calib is None):
        raise UsageError("--precision int8 calibrates on images like those that will be run: give --calib DIR.")
    if path is None:
        return
    if path.is_dir():
        raise UsageError(f"{path}: is a folder; -o names the .onnx file to write.")
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: is there already. Give --overwrite to replace it, or another -o.")


def _refuse_static(source: Source, dynamic: Dynamic) -> None:
    if source.fixed_batch is not None and dynamic != "none":
        raise UsageError(
            f"{source.text}: was made for a batch of {source.fixed_batch} and no other, so --dynamic {dynamic} "
            "cannot be. Make it again with torch.export.export(..., dynamic_shapes=({0: torch.export.Dim('batch')},)), "
            "or give --dynamic none."
        )


def _shape_of(example: "Tensor", source: Source) -> tuple[int, int, int]:
    if example.ndim != 4 or not example.is_floating_point():
        raise UsageError(
            f"{source.text}: the example must be float (N, C, H, W), got {example.dtype} {tuple(example.shape)}."
        )
    return int(example.shape[1]), int(example.shape[2]), int(example.shape[3])


def _request(source: Source, spec: ModelSpec, example: "Tensor | None", *, opset: int, dynamic: Dynamic) -> Request:
    import torch

    batch = source.fixed_batch or (1 if dynamic == "none" else TRACED_BATCH)
    shape = (spec.input.n_channels, *spec.input.size)
    if example is not None and tuple(example.shape[1:]) == shape:
        traced = example[:1].float().repeat(batch, 1, 1, 1)
    else:
        traced = torch.rand((batch, *shape), generator=torch.Generator().manual_seed(0))
    parameter = next(source.module.parameters(), None)
    if parameter is not None:
        traced = traced.to(parameter.device)
    names = _output_names(source, spec, traced)
    return Request(source.module, traced, spec.input.name, names, opset, dynamic)


def _output_names(source: Source, spec: ModelSpec, example: "Tensor") -> list[str]:
    """The first tensor that the module returns has the name that the spec reads.

    UsageError when the module and the spec do not fit together: better before an exporter runs than after.
    """
    tensors = _run_once(source, example)
    names = [spec.output.name, *(f"{spec.output.name}_{at}" for at in range(1, len(tensors)))]
    taken = TensorInfo(spec.input.name, spec.input.dtype, (None, *pipeline.input_shape(spec)))
    given = [
        TensorInfo(name, str(tensor.dtype).removeprefix("torch."), tuple(tensor.shape))
        for name, tensor in zip(names, tensors, strict=True)
    ]
    try:
        pipeline.check_spec(spec, (taken,), tuple(given), source=source.text)
    except ModelError as error:
        raise UsageError(str(error)) from error
    return names


def _run_once(source: Source, example: "Tensor") -> list["Tensor"]:
    import torch

    size = "x".join(str(side) for side in example.shape[2:])
    what = f"{source.text}: does not run on images of {size}"
    with refused_by(what, next_step=". Give another --imgsz."), torch.inference_mode():
        return output_tensors(source.module(example))


def _mode_notes(source: Source, request: Request, *, was_training: bool, check: bool) -> list[str]:
    notes = []
    if was_training:
        notes.append(f"{source.text} was in training mode; it is exported in eval mode.")
    stubborn = [name or type(part).__name__ for name, part in source.module.named_modules() if part.training]
    if stubborn and "program" not in source.facts:
        notes.append(f"Still in training mode after eval(): {', '.join(stubborn[:5])}.")
    random = unsteady_parts(source.module, request.example.cpu().numpy())
    if random:
        sentence = f"Two runs on one input gave two results; random are: {', '.join(random[:5])}."
        if check:
            raise CheckFailed(
                f"{source.text}: {sentence} Nothing can be verified against it. A dropout must know the mode "
                "(F.dropout(x, p, training=self.training)); --no-verify writes the file as it is."
            )
        notes.append(sentence)
    return notes
