"""Numbers from arrays. Nothing here opens a file, knows a model or draws.

Scores or predictions come first, labels second. A name that ends in `_error` or `_loss` is better when smaller.
Undefined figures are None. Wrong input is a ValueError that names the first thing that is wrong.
"""

from cnnkit.metrics._checks import check_scores
from cnnkit.metrics.bootstrap import RESAMPLES, bootstrap_interval, bootstrap_mean
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
from cnnkit.metrics.coco import CocoScores, coco_scores
from cnnkit.metrics.detection import FoundBoxes, TrueBoxes, tie_order
from cnnkit.metrics.estimates import Estimate, RankingEstimates, ranking_estimates
from cnnkit.metrics.intervals import Interval, wilson
from cnnkit.metrics.jackknife import average_precision_influence, jackknife_interval, roc_auc_influence
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
from cnnkit.metrics.report_estimates import ReportEstimates, report_estimates

__all__ = [
    "RESAMPLES",
    "Average",
    "ClassReport",
    "CocoScores",
    "CrossEntropy",
    "Estimate",
    "FoundBoxes",
    "Interval",
    "PrCurve",
    "RankingEstimates",
    "ReportEstimates",
    "RocCurve",
    "TrueBoxes",
    "average_precision",
    "average_precision_influence",
    "average_precisions",
    "bootstrap_interval",
    "bootstrap_mean",
    "check_scores",
    "classification_report",
    "coco_scores",
    "confusion_matrix",
    "cross_entropy",
    "jackknife_interval",
    "label_ranks",
    "log_losses",
    "macro_roc_auc",
    "mean_average_precision",
    "pr_curve",
    "predicted_classes",
    "ranking_estimates",
    "report_estimates",
    "roc_auc",
    "roc_auc_influence",
    "roc_aucs",
    "roc_curve",
    "tie_order",
    "top_k_accuracy",
    "top_k_error",
    "wilson",
]
