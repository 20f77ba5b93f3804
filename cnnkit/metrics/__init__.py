"""Numbers from arrays. Nothing here opens a file, knows a model or draws.

Scores or predictions come first, labels second. A name that ends in `_error` or `_loss` is better when smaller.
Undefined figures are None. Wrong input is a ValueError that names the first thing that is wrong.
"""

from cnnkit.metrics._checks import check_scores
from cnnkit.metrics.bootstrap import RESAMPLES, bootstrap_interval, bootstrap_mean, bootstrap_ratio, resample_weights
from cnnkit.metrics.calibration import (
    BINS,
    ReliabilityBin,
    added_by_chance,
    binned_gaps,
    brier_scores,
    calibration_error,
    reliability_bins,
)
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
from cnnkit.metrics.detection_estimates import (
    BoxEstimates,
    BoxRanking,
    box_estimates,
    coco_rankings,
    voc_rankings,
)
from cnnkit.metrics.detection_groups import BoxGroups
from cnnkit.metrics.detection_matches import Matches, match_detections, threshold_bits
from cnnkit.metrics.detection_ultralytics import (
    UltralyticsScores,
    ultralytics_estimates,
    ultralytics_rankings,
    ultralytics_scores,
)
from cnnkit.metrics.detection_weighted import WeightedAp
from cnnkit.metrics.estimates import BOOTSTRAP_UP_TO, Estimate, RankingEstimates, ranking_estimates
from cnnkit.metrics.independent import fisher_exact, independent_difference
from cnnkit.metrics.intervals import Interval, images_to_bound, wilson
from cnnkit.metrics.jackknife import average_precision_influence, jackknife_interval, roc_auc_influence
from cnnkit.metrics.label_errors import LabelDoubts, label_doubts
from cnnkit.metrics.multilabel import (
    THRESHOLD,
    MultilabelEstimates,
    macro_f1_by_threshold,
    multilabel_estimates,
    predicted_labels,
)
from cnnkit.metrics.paired import holm, images_to_decide, mcnemar, paired_difference
from cnnkit.metrics.permutation import BeyondChance, beyond_chance
from cnnkit.metrics.probability_estimates import ProbabilityEstimates, probability_estimates
from cnnkit.metrics.ranked import Ranked
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
from cnnkit.metrics.selective import RiskCoverage, Threshold, risk_coverage, threshold_for_precision
from cnnkit.metrics.temperature import fit_temperature, tempered_log_losses
from cnnkit.metrics.ties import RankBounds, label_rank_bounds
from cnnkit.metrics.voc import VocClass, VocScores, voc_scores

__all__ = [
    "BINS",
    "BOOTSTRAP_UP_TO",
    "RESAMPLES",
    "THRESHOLD",
    "Average",
    "BestF1",
    "BeyondChance",
    "BoxEstimates",
    "BoxGroups",
    "BoxRanking",
    "ClassReport",
    "CocoScores",
    "CrossEntropy",
    "DetectionCurve",
    "ErrorKinds",
    "Estimate",
    "FoundBoxes",
    "Interval",
    "LabelDoubts",
    "Matches",
    "MultilabelEstimates",
    "PrCurve",
    "ProbabilityEstimates",
    "RankBounds",
    "Ranked",
    "RankingEstimates",
    "ReliabilityBin",
    "ReportEstimates",
    "RiskCoverage",
    "RocCurve",
    "Threshold",
    "TrueBoxes",
    "UltralyticsScores",
    "VocClass",
    "VocScores",
    "WeightedAp",
    "added_by_chance",
    "average_precision",
    "average_precision_influence",
    "average_precisions",
    "beyond_chance",
    "binned_gaps",
    "bootstrap_interval",
    "bootstrap_mean",
    "bootstrap_ratio",
    "box_estimates",
    "brier_scores",
    "calibration_error",
    "check_scores",
    "classification_report",
    "coco_rankings",
    "coco_scores",
    "confusion_matrix",
    "cross_entropy",
    "curve_from_hits",
    "detection_confusion",
    "detection_curve",
    "error_kinds",
    "fisher_exact",
    "fit_temperature",
    "holm",
    "images_to_bound",
    "images_to_decide",
    "independent_difference",
    "interpolated_ap",
    "jackknife_interval",
    "label_doubts",
    "label_rank_bounds",
    "label_ranks",
    "log_losses",
    "macro_f1_by_threshold",
    "macro_roc_auc",
    "match_detections",
    "mcnemar",
    "mean_average_precision",
    "multilabel_estimates",
    "paired_difference",
    "pr_curve",
    "predicted_classes",
    "predicted_labels",
    "probability_estimates",
    "ranking_estimates",
    "reliability_bins",
    "report_estimates",
    "resample_weights",
    "risk_coverage",
    "roc_auc",
    "roc_auc_influence",
    "roc_aucs",
    "roc_curve",
    "tempered_log_losses",
    "threshold_bits",
    "threshold_for_precision",
    "tie_order",
    "top_k_accuracy",
    "top_k_error",
    "ultralytics_estimates",
    "ultralytics_rankings",
    "ultralytics_scores",
    "voc_rankings",
    "voc_scores",
    "wilson",
]
