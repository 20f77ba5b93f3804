"""Numbers from arrays. Nothing here opens a file, knows a model or draws.

Scores or predictions come first, labels second. A name that ends in `_error` or `_loss` is better when smaller.
Undefined figures are None. Wrong input is a ValueError that names the first thing that is wrong.
"""

from cnnkit.metrics.classification import (
    Average,
    ClassReport,
    CrossEntropy,
    classification_report,
    confusion_matrix,
    cross_entropy,
    label_ranks,
    log_losses,
    predicted_classes,
    top_k_accuracy,
    top_k_error,
)
from cnnkit.metrics.intervals import Interval, wilson
from cnnkit.metrics.ranking import (
    PrCurve,
    RocCurve,
    average_precision,
    average_precisions,
    macro_roc_auc,
    mean_average_precision,
    pr_curve,
    roc_auc,
    roc_aucs,
    roc_curve,
)

__all__ = [
    "Average",
    "ClassReport",
    "CrossEntropy",
    "Interval",
    "PrCurve",
    "RocCurve",
    "average_precision",
    "average_precisions",
    "classification_report",
    "confusion_matrix",
    "cross_entropy",
    "label_ranks",
    "log_losses",
    "macro_roc_auc",
    "mean_average_precision",
    "pr_curve",
    "predicted_classes",
    "roc_auc",
    "roc_aucs",
    "roc_curve",
    "top_k_accuracy",
    "top_k_error",
    "wilson",
]
