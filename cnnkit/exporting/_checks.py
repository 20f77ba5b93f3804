"""What must hold of a file that an exporter wrote, before anything is run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnkit import graphs
from cnnkit.errors import CheckFailed
from cnnkit.exporting._exporters import Request


def check_graph(model: Any, request: Request, path: Path) -> None:
    """Raise CheckFailed with every way in which the graph is not what was asked for."""
    problems = [
        *([] if request.is_large else _second_files(path)),
        *_opset(model, request),
        *_interface(model, request),
        *_weight_shapes(model, dict(request.module.state_dict())),
        *_invalid(str(path) if request.is_large else model),
    ]
    if problems:
        raise CheckFailed(" ".join(problems))


def _second_files(path: Path) -> list[str]:
    beside = sorted(each.name for each in path.parent.iterdir() if each != path)
    return [f"It wrote its weights into a second file, {beside[0]}, and one file was asked for."] if beside else []


def _opset(model: Any, request: Request) -> list[str]:
    written = graphs.opset_of(model)
    return [] if written == request.opset else [f"It wrote opset {written}, and {request.opset} was asked for."]


def _interface(model: Any, request: Request) -> list[str]:
    inputs = graphs.inputs_of(model)
    if [value.name for value in inputs] != [request.input_name]:
        return [f"The file takes the inputs {[value.name for value in inputs]}, not one named {request.input_name!r}."]
    problems = []
    shape = graphs.shape_of(inputs[0]) or ()
    for axis, given in enumerate(request.example.shape):
        problem = _axis_problem(f'input "{request.input_name}"', shape, axis, given, is_open=axis in request.open_axes)
        problems += [problem] if problem else []
    for value in model.graph.output:
        problem = _axis_problem(
            f'output "{value.name}"', graphs.shape_of(value) or (None,), 0, len(request.example), is_open=None
        )
        if 0 in request.open_axes and problem:
            problems.append(problem)
    return problems


def _axis_problem(what: str, shape: tuple[Any, ...], axis: int, given: int, *, is_open: bool | None) -> str | None:
    """Say what is wrong with one axis; `is_open` None: an output's batch, wrong only when it is a number."""
    if axis >= len(shape):
        return f"The {what} has {len(shape)} axes in the file, {axis + 1} were expected."
    fixed = isinstance(shape[axis], int)
    name = {0: "batch"}.get(axis, f"axis {axis}")
    if is_open is not False and fixed:
        return f"The {what} has its {name} fixed at {shape[axis]}, and it was to stay open."
    if is_open is False and shape[axis] != given:
        return f"The {what} has {shape[axis]} on axis {axis}, the example that was traced has {given}."
    return None


def _weight_shapes(model: Any, state: Mapping[str, Any]) -> list[str]:
    """Weights that kept their name keep their shape, too."""
    problems = []
    for tensor in model.graph.initializer:
        source = state.get(tensor.name)
        if source is not None and tuple(tensor.dims) != tuple(source.shape):
            shapes = f"{tuple(tensor.dims)} in the file and {tuple(source.shape)} in the module"
            problems.append(f'The weight "{tensor.name}" has shape {shapes}.')
    return problems


def _invalid(model: Any) -> list[str]:
    import onnx

    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError, ValueError) as error:
        return [f"The graph is not valid ONNX: {(str(error).strip().splitlines() or ['no reason given'])[0]}"]
    return []
