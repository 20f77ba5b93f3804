"""What a precision means to each provider."""

import json

import pytest

from cnnkit.runtime._devices import Provider, openvino_config, openvino_provider


@pytest.mark.parametrize(
    ("precision", "capabilities", "hint", "used"),
    [
        ("fp32", "FP32 BF16 INT8", "f32", "fp32"),  # never left to the plug-in, which would take bf16
        ("bf16", "FP32 BF16 INT8", "bf16", "bf16"),
        ("bf16", "FP32 INT8", "f32", "fp32"),
        ("fp16", "FP32 FP16 BF16", "f16", "fp16"),
        ("int8", "FP32 BF16 INT8", "bf16", "bf16"),
        ("int8", "FP32 INT8", "f32", "fp32"),
    ],
)
def test_openvino(precision: str, capabilities: str, hint: str, used: str) -> None:
    provider = openvino_provider(precision, capabilities=capabilities)
    assert (provider.options, provider.precision) == ({"INFERENCE_PRECISION_HINT": hint}, used)
    again = openvino_provider(provider.precision, capabilities=capabilities)
    assert again.options == provider.options


def test_openvino_says_when_the_processor_lacks_what_was_allowed() -> None:
    notes = openvino_provider("bf16", capabilities="FP32").notes
    assert notes == ("OpenVINO computes in fp32: this processor has no bf16.",)


def test_openvino_is_told_in_the_one_option_it_listens_to() -> None:
    provider = Provider("OpenVINOExecutionProvider", {"INFERENCE_PRECISION_HINT": "f32"})
    config = json.loads(openvino_config(provider, streams=2, threads=3)["load_config"])
    assert config == {"CPU": {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "2", "INFERENCE_NUM_THREADS": "6"}}
