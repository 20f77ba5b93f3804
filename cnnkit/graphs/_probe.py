"""The smallest model that a provider can be tried with."""

PROBE = """
<ir_version: 8, opset_import: ["" : 13]>
probe (float[1,3,8,8] image) => (float[1,3,1,1] pooled) {
    pooled = GlobalAveragePool(image)
}
"""


def probe_model() -> bytes:
    """A serialised model: float32 (1, 3, 8, 8) to its mean over each channel."""
    import onnx.parser

    return bytes(onnx.parser.parse_model(PROBE).SerializeToString())
