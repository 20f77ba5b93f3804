"""Preprocessing and activation inside the graph: raw pixels of any size in, probabilities out."""

from typing import Any, Literal

from cnnkit import graphs
from cnnkit.errors import ModelError
from cnnkit.exporting._fused_pixels import pixel_nodes
from cnnkit.exporting._kernels import FILTERS
from cnnkit.spec import ClassificationOutput, ModelInput, ModelSpec, Pad, Resize
from cnnkit.verification import FUSED

Order = Literal["RGB", "BGR"]
LOWEST_OPSET = 13
IMAGE, PROBABILITIES = "image", "probabilities"
PAD_MODES = ("constant", "edge", "reflect")
ACTIVATIONS = {"softmax": "Softmax", "sigmoid": "Sigmoid", "none": "Identity"}


def check_fusible(spec: ModelSpec, *, opset: int) -> ClassificationOutput:
    """The output of a spec that a graph can say; ModelError, naming what it cannot, for another one."""
    if not isinstance(spec.output, ClassificationOutput):
        raise ModelError("--fuse is for classifiers: a detector's boxes need to know the size of the picture.")
    if opset < LOWEST_OPSET:
        raise ModelError(f"--fuse needs opset {LOWEST_OPSET} or later, {opset} was asked for.")
    for operation in spec.geometry_operations:
        if isinstance(operation, Resize) and not _can_say(operation):
            what = f"{operation.implementation}:{operation.filter}, mode {operation.mode}"
            can = f"pillow's {', '.join(FILTERS)}, modes shortest and exact"
            raise ModelError(f"--fuse: a graph cannot say the resize {what}; it can say {can}.")
        if isinstance(operation, Pad) and operation.mode not in PAD_MODES:
            raise ModelError(f"--fuse: a graph cannot say the padding {operation.mode!r}, only {', '.join(PAD_MODES)}.")
    return spec.output


def _can_say(resize: Resize) -> bool:
    return resize.implementation == "pillow" and resize.filter in FILTERS and resize.mode != "letterbox"


def fused_spec(spec: ModelSpec, order: Order) -> ModelSpec:
    """What a fused file says about itself: it takes pixels (1, height, width, 3) and gives probabilities."""
    assert isinstance(spec.output, ClassificationOutput)
    pixels = ModelInput(name=IMAGE, layout="NHWC", dtype="uint8", channels=order, size=spec.input.size, any_size=True)
    output = ClassificationOutput(name=PROBABILITIES, activation="none", background=spec.output.background)
    facts = spec.to_dict()
    inside = {name: facts[name] for name in ("input", "preprocess", "output")}
    provenance = {**spec.provenance, FUSED: inside}
    return spec.model_copy(update={"input": pixels, "preprocess": (), "output": output, "provenance": provenance})


def fuse(model: Any, spec: ModelSpec, order: Order = "RGB") -> Any:
    """A model that takes (1, height, width, 3) uint8 pixels in `order` and gives (1, scores) float32.

    `model` is not changed. ModelError for what a graph cannot say.
    """
    import onnx

    output = check_fusible(spec, opset=graphs.opset_of(model))
    fused = onnx.ModelProto()
    fused.CopyFrom(model)
    graph = fused.graph
    nodes = pixel_nodes(spec, image=IMAGE, order=order, result=spec.input.name)
    kept = list(graph.node)
    del graph.node[:]
    graph.node.extend([*nodes, *kept, *_activation_nodes(output)])
    del graph.value_info[:]  # what it says of the batch no longer holds
    filled = {tensor.name for tensor in graph.initializer}
    others = [value for value in graph.input if value.name in filled]
    n_scores = len(spec.classes) + int(output.background)
    make = onnx.helper.make_tensor_value_info
    _replace(graph.input, [make(IMAGE, onnx.TensorProto.UINT8, [1, "height", "width", 3]), *others])
    _replace(graph.output, [make(PROBABILITIES, onnx.TensorProto.FLOAT, [1, n_scores])])
    return fused


def _activation_nodes(output: ClassificationOutput) -> list[Any]:
    """From the scores to probabilities, (1, scores) float32, under a name of their own."""
    import onnx

    make = onnx.helper.make_node
    axis = {"axis": 1} if output.activation == "softmax" else {}
    return [
        make("Flatten", [output.name], ["fused_flat"], axis=1),
        make("Cast", ["fused_flat"], ["fused_scores"], to=onnx.TensorProto.FLOAT),
        make(ACTIVATIONS[output.activation], ["fused_scores"], [PROBABILITIES], **axis),
    ]


def _replace(values: Any, new: list[Any]) -> None:
    del values[:]
    values.extend(new)
