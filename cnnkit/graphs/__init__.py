"""The one reader and editor of ONNX files: metadata in and out, shapes, the layer table, cost, extra outputs, parts."""

from cnnkit.graphs._beside import sha256_of, size_of
from cnnkit.graphs._dynamic import quantizes_dynamically
from cnnkit.graphs._ending import Ending, ending_of
from cnnkit.graphs._files import (
    fits_in_one_file,
    load,
    metadata_of,
    opset_of,
    read_metadata,
    remove_stack_traces,
    save,
    set_metadata,
    size_of_weights,
    to_bytes,
    write_metadata,
)
from cnnkit.graphs._first_kernels import Kernels, first_kernels
from cnnkit.graphs._layers import Layer, layer_table, layers_of
from cnnkit.graphs._modules import module_of
from cnnkit.graphs._outputs import inlined, with_outputs
from cnnkit.graphs._parts import constant_of, part_of
from cnnkit.graphs._pooled_head import PooledHead, head_of, pooled_head
from cnnkit.graphs._probe import probe_model
from cnnkit.graphs._shapes import inputs_of, shape_of
from cnnkit.graphs._summary import GraphSummary, TensorFacts, summarize

__all__ = [
    "Ending",
    "GraphSummary",
    "Kernels",
    "Layer",
    "PooledHead",
    "TensorFacts",
    "constant_of",
    "ending_of",
    "first_kernels",
    "fits_in_one_file",
    "head_of",
    "inlined",
    "inputs_of",
    "layer_table",
    "layers_of",
    "load",
    "metadata_of",
    "module_of",
    "opset_of",
    "part_of",
    "pooled_head",
    "probe_model",
    "quantizes_dynamically",
    "read_metadata",
    "remove_stack_traces",
    "save",
    "set_metadata",
    "sha256_of",
    "shape_of",
    "size_of",
    "size_of_weights",
    "summarize",
    "to_bytes",
    "with_outputs",
    "write_metadata",
]
