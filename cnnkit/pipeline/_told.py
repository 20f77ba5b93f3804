"""How images are prepared, in one sentence."""

from cnnkit.spec import CenterCrop, ModelSpec, Normalize, Operation, Pad, Rescale, Resize, ToGray


def preparation_in_words(spec: ModelSpec) -> str:
    """What happens to an image's pixels on the way into the model, step by step."""
    order = [] if spec.input.channels == "GRAY" else [spec.input.channels]
    return f"Images are prepared so: {', '.join([*order, *map(_step, spec.preprocess)])}."


def _step(operation: Operation) -> str:
    match operation:
        case ToGray():
            return "to grey"
        case Resize(mode="shortest"):
            return f"short side to {operation.size} ({operation.implementation}:{operation.filter})"
        case Resize(mode="exact", size=(height, width)):
            return f"squeezed to {height}x{width} ({operation.implementation}:{operation.filter})"
        case Resize(size=(height, width)):
            return f"letterboxed to {height}x{width} ({operation.implementation}:{operation.filter})"
        case CenterCrop(size=(height, width)):
            return f"the centre {height}x{width}"
        case Pad():
            return f"a border of {operation.padding} pixels"
        case Rescale(offset=0):
            return f"times {_number(operation.scale)}"
        case Rescale():
            return f"times {_number(operation.scale)} plus {operation.offset:g}"
        case Normalize():
            divided = f", divided by {_numbers(operation.std)}" if set(operation.std) != {1.0} else ""
            return f"minus {_numbers(operation.mean)}{divided}"
    raise AssertionError(operation)


def _number(value: float) -> str:
    return "1/255" if abs(value * 255 - 1) < 1e-6 else f"{value:.6g}"


def _numbers(values: tuple[float, ...]) -> str:
    return " ".join(f"{value:.6g}" for value in values)
