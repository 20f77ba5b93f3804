"""The dense layer."""

from cnnkit.reference._windows import Array

__all__ = ["affine", "affine_backward"]


def affine(x: Array, weight: Array, bias: Array | None = None) -> Array:
    """The product X W^T + b, for x (n, i), weight (o, i) and bias (o,): (n, o).

    The weight is stored output by input, as torch and ONNX's Gemm with transB = 1 have it.
    """
    y = x @ weight.T
    return y if bias is None else y + bias


def affine_backward(dy: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """Gradients by x, weight and bias, given dy (n, o): dX = dY W, dW = dY^T X, db = sum over n of dy."""
    return dy @ weight, dy.T @ x, dy.sum(axis=0)
