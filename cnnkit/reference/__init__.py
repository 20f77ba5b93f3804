"""The CNN written out in NumPy: forward, backward, training, and the running of a graph node by node.

Arrays are (n, channels, height, width), float32 or float64; results keep the dtype. Each operator is a function beside
its gradient (`convolution`, `convolution_backward`); `layers` remember what the gradient needs, `Sequential` chains
them, `fit` trains. `execute` runs an ONNX graph that somebody else has read: a witness that shares no code with torch
or onnxruntime.
"""

from cnnkit.reference._activations import relu, relu_backward, sigmoid, sigmoid_backward, softmax, softmax_backward
from cnnkit.reference._affine import affine, affine_backward
from cnnkit.reference._batch_norm import batch_norm, batch_norm_backward, batch_statistics
from cnnkit.reference._channel_pooling import (
    channel_average_pool,
    channel_average_pool_backward,
    channel_max_pool,
    channel_max_pool_backward,
)
from cnnkit.reference._columns import col2im, im2col
from cnnkit.reference._convolution import convolution, convolution_backward
from cnnkit.reference._dropout import dropout, dropout_backward
from cnnkit.reference._graph import Node, execute, missing_operators
from cnnkit.reference._layers import (
    Affine,
    AveragePool,
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    MaxPool,
    ReLU,
    Sigmoid,
)
from cnnkit.reference._loss import l1, l2, softmax_cross_entropy, softmax_cross_entropy_backward
from cnnkit.reference._network import Sequential
from cnnkit.reference._networks import NETWORKS
from cnnkit.reference._optimizers import SGD, AdaGrad, Optimizer
from cnnkit.reference._pooling import (
    average_pool,
    average_pool_backward,
    global_average_pool,
    global_average_pool_backward,
    global_max_pool,
    global_max_pool_backward,
    max_pool,
    max_pool_backward,
)
from cnnkit.reference._training import fit, train_step

__all__ = [
    "NETWORKS",
    "SGD",
    "AdaGrad",
    "Affine",
    "AveragePool",
    "BatchNorm",
    "Convolution",
    "Dropout",
    "Flatten",
    "Layer",
    "MaxPool",
    "Node",
    "Optimizer",
    "ReLU",
    "Sequential",
    "Sigmoid",
    "affine",
    "affine_backward",
    "average_pool",
    "average_pool_backward",
    "batch_norm",
    "batch_norm_backward",
    "batch_statistics",
    "channel_average_pool",
    "channel_average_pool_backward",
    "channel_max_pool",
    "channel_max_pool_backward",
    "col2im",
    "convolution",
    "convolution_backward",
    "dropout",
    "dropout_backward",
    "execute",
    "fit",
    "global_average_pool",
    "global_average_pool_backward",
    "global_max_pool",
    "global_max_pool_backward",
    "im2col",
    "l1",
    "l2",
    "max_pool",
    "max_pool_backward",
    "missing_operators",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "train_step",
]
