"""Models compared on the same images: tests that use the pairing, intervals of the difference, and what follows."""

from cnnkit.comparison._boxes import paired_boxes
from cnnkit.comparison._compare import compare_results
from cnnkit.comparison._contender import Contender
from cnnkit.comparison._front import pareto_front
from cnnkit.comparison._paired_boxes import BOX_KINDS, BoxKind, PairedBoxes
from cnnkit.comparison._record import (
    COMPARISON_FILE,
    ComparedResults,
    ComparisonResults,
    Equivalence,
    Flip,
    Front,
    ObjectChange,
    ObjectImage,
    ObjectPair,
    Pair,
    PairedDifference,
    comparison_schema,
    read_comparison,
)

__all__ = [
    "BOX_KINDS",
    "COMPARISON_FILE",
    "BoxKind",
    "ComparedResults",
    "ComparisonResults",
    "Contender",
    "Equivalence",
    "Flip",
    "Front",
    "ObjectChange",
    "ObjectImage",
    "ObjectPair",
    "Pair",
    "PairedBoxes",
    "PairedDifference",
    "compare_results",
    "comparison_schema",
    "paired_boxes",
    "pareto_front",
    "read_comparison",
]
