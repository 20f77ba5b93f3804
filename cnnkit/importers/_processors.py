"""What Hugging Face's image processors do where a file of theirs does not say it, and which of its fields count."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cnnkit.importers._chain import Chain

CROPS = {"do_center_crop": True}
BILINEAR = {"resample": 2}


@dataclass(frozen=True, slots=True)
class Processor:
    """`square`: one number for the size means both sides. `usual`: what holds for fields that are left out."""

    square: bool = False
    usual: Mapping[str, Any] = field(default_factory=dict)


PROCESSORS: Mapping[str, Processor] = {
    "Beit": Processor(square=True, usual=CROPS),
    "Bit": Processor(usual=CROPS),
    "CLIP": Processor(usual=CROPS),
    "ConvNext": Processor(),
    "DeiT": Processor(square=True, usual=CROPS),
    "EfficientNet": Processor(square=True, usual={"include_top": True}),
    "Levit": Processor(usual=CROPS),
    "MobileNetV1": Processor(usual={**CROPS, **BILINEAR}),
    "MobileNetV2": Processor(usual={**CROPS, **BILINEAR}),
    "MobileViT": Processor(usual={**CROPS, **BILINEAR, "do_normalize": False, "do_flip_channel_order": True}),
    "PoolFormer": Processor(usual={**CROPS, "crop_pct": 0.9}),
    "Pvt": Processor(square=True, usual=BILINEAR),
    "Siglip": Processor(square=True),
    "ViT": Processor(square=True, usual=BILINEAR),
}

READ = {
    "do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor",
    "do_normalize", "image_mean", "image_std", "do_flip_channel_order",
}  # fmt: skip
OF_ONE = {"crop_pct": ("ConvNext", "PoolFormer"), "include_top": ("EfficientNet",), "rescale_offset": ("EfficientNet",)}
# names, layouts and maps of segments: no pixel of the picture depends on them, RGB is what the decoder gives
WITHOUT_PIXELS = {
    "image_processor_type", "feature_extractor_type", "processor_class", "_processor_class", "_valid_processor_keys",
    "auto_map", "_name_or_path", "_commit_hash", "transformers_version", "model_input_names", "data_format",
    "input_data_format", "return_tensors", "device", "disable_grouping", "default_to_square", "do_convert_rgb",
    "reduce_labels", "do_reduce_labels",
}  # fmt: skip


def kind_of(facts: Mapping[str, Any], chain: Chain) -> str:
    """`ViT` of ViTImageProcessor, its fast form and the older ViTFeatureExtractor; empty where no type is named.

    ModelError for a processor whose steps are not known here: it may do more than its fields say.
    """
    named = str(facts.get("image_processor_type") or facts.get("feature_extractor_type") or "")
    kind = re.sub(r"(ImageProcessor(Fast|Pil)?|FeatureExtractor)$", "", named)
    if named and kind not in PROCESSORS:
        raise chain.refusal(named, f"is none whose steps are known here; these are: {', '.join(PROCESSORS)}")
    return kind


def completed(facts: Mapping[str, Any], kind: str, chain: Chain) -> dict[str, Any]:
    """The fields with what holds where one is left out; ModelError for one that is set and cannot be read."""
    processor = PROCESSORS.get(kind, Processor())
    usual = {"do_resize": True, "do_rescale": True, "do_normalize": True, **processor.usual}
    given = {name: value for name, value in facts.items() if value is not None}
    for name, value in given.items():
        switched_off = value is False and (name.startswith("do_") or name in OF_ONE)
        known = name in READ or name in WITHOUT_PIXELS or kind in OF_ONE.get(name, ())
        if not known and not switched_off:
            raise chain.refusal(f"{name} {value!r}", "is no field whose effect on the picture is known here")
    if "crop_pct" in facts and facts["crop_pct"] is None:  # PoolFormer: said to be none, not left out
        usual.pop("crop_pct", None)
    return {**usual, **given}


def ask_for(facts: Mapping[str, Any], chain: Chain) -> None:
    """ModelError where a step is on and what it needs is not in the file: versions of the library differ in that."""
    for step, needed in (
        ("do_normalize", ("image_mean", "image_std")),
        ("do_resize", ("size", "resample")),
        ("do_center_crop", ("crop_size",)),
    ):
        if facts.get(step) and any(name not in facts for name in needed):
            raise chain.refusal(f"{step} is on, and {' or '.join(needed)}", "is missing")
