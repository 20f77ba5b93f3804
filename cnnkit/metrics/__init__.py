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
from cnnkit.metrics.detection_confusion import detection_confusion
from cnnkit.metrics.detection_curves import (
    BestF1,
    DetectionCurve,
    curve_from_hits,
    detection_curve,
    interpolated_ap,
)
from cnnkit.metrics.detection_errors import ErrorKinds, error_kinds
from cnnkit.metrics.detection_matches import Matches, match_detections, threshold_bits
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
from cnnkit.metrics.voc import VocClass, VocScores, voc_scores

__all__ = [
    "RESAMPLES",
    "Average",
    "BestF1",
    "ClassReport",
    "CocoScores",
    "CrossEntropy",
    "DetectionCurve",
    "ErrorKinds",
    "Estimate",
    "FoundBoxes",
    "Interval",
    "Matches",
    "PrCurve",
    "RankingEstimates",
    "ReportEstimates",
    "RocCurve",
    "TrueBoxes",
    "VocClass",
    "VocScores",
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
    "curve_from_hits",
    "detection_confusion",
    "detection_curve",
    "error_kinds",
    "interpolated_ap",
    "jackknife_interval",
    "label_ranks",
    "log_losses",
    "macro_roc_auc",
    "match_detections",
    "mean_average_precision",
    "pr_curve",
    "predicted_classes",
    "ranking_estimates",
    "report_estimates",
    "roc_auc",
    "roc_auc_influence",
    "roc_aucs",
    "roc_curve",
    "threshold_bits",
    "tie_order",
    "top_k_accuracy",
    "top_k_error",
    "voc_scores",
    "wilson",
]
