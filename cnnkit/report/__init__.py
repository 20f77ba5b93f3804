"""Results as pages: one HTML file that needs nothing beside it, and the same facts in Markdown."""

from cnnkit.report._comparison import write_comparison
from cnnkit.report._report import write_report
from cnnkit.report.compared import ClassChange, ComparedModel, Comparison, DetectorPairing, Difference, Flip, Pairing
from cnnkit.report.drawn import DrawnBoxes

__all__ = [
    "ClassChange",
    "ComparedModel",
    "Comparison",
    "DetectorPairing",
    "Difference",
    "DrawnBoxes",
    "Flip",
    "Pairing",
    "write_comparison",
    "write_report",
]
