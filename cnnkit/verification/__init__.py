"""An exported file against its source, from file bytes to decision; and the sources themselves."""

from cnnkit.verification._differences import difference
from cnnkit.verification._forward import forward, in_eval_mode, output_tensors, refused_by, unsteady_parts
from cnnkit.verification._fused import FUSED
from cnnkit.verification._objects import import_object, import_transform
from cnnkit.verification._pictures import N_PICTURES, Picture, Pictures, find_pictures
from cnnkit.verification._record import (
    Comparison,
    Location,
    OutputDifference,
    OwnPreprocessing,
    Precision,
    Verification,
    Witness,
)
from cnnkit.verification._source import Source
from cnnkit.verification._sources import open_source
from cnnkit.verification._verify import TRACED_BATCH, prepared, verify, verify_file

__all__ = [
    "FUSED",
    "N_PICTURES",
    "TRACED_BATCH",
    "Comparison",
    "Location",
    "OutputDifference",
    "OwnPreprocessing",
    "Picture",
    "Pictures",
    "Precision",
    "Source",
    "Verification",
    "Witness",
    "difference",
    "find_pictures",
    "forward",
    "import_object",
    "import_transform",
    "in_eval_mode",
    "open_source",
    "output_tensors",
    "prepared",
    "refused_by",
    "unsteady_parts",
    "verify",
    "verify_file",
]
