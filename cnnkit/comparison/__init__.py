"""Models compared on the same images: tests that use the pairing, intervals of the difference, and what follows."""

from cnnkit.comparison._compare import compare_results
from cnnkit.comparison._contender import Contender
from cnnkit.comparison._front import pareto_front
from cnnkit.comparison._record import (
    COMPARISON_FILE,
    ComparedResults,
    ComparisonResults,
    Equivalence,
    Flip,
    Front,
    Pair,
    PairedDifference,
    comparison_schema,
    read_comparison,
)

__all__ = [
    "COMPARISON_FILE",
    "ComparedResults",
    "ComparisonResults",
    "Contender",
    "Equivalence",
    "Flip",
    "Front",
    "Pair",
    "PairedDifference",
    "compare_results",
    "comparison_schema",
    "pareto_front",
    "read_comparison",
]
