"""What figures and classes are called on the page."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from cnnkit.results import Results
from cnnkit.spec import ClassName


@dataclass(frozen=True)
class Meaning:
    """A figure in words; `share` is written in percent, `up` says whether more is better."""

    label: str
    text: str
    share: bool = True
    up: bool = True


_OVERLAPS = "mean over the IoU thresholds 0.50 to 0.95"
_COCO = "COCO's average precision: mean over the classes"

MEANINGS = {
    "top1_accuracy": Meaning("Accuracy (top 1)", "share of images whose best guess is right"),
    "top1_error": Meaning("Error (top 1)", "share of images whose best guess is wrong", up=False),
    "top5_accuracy": Meaning("Accuracy (top 5)", "share of images whose class is among the five best guesses"),
    "top5_error": Meaning("Error (top 5)", "share of images whose class is not among the five best guesses", up=False),
    "top1_accuracy_of_all": Meaning("Accuracy of all files", "the same, files without an answer counted as wrong"),
    "macro_precision": Meaning("Precision, mean of classes", "each class counts the same"),
    "macro_recall": Meaning("Recall, mean of classes", "each class counts the same"),
    "macro_f1": Meaning("F1, mean of classes", "harmonic mean of precision and recall; each class counts the same"),
    "micro_precision": Meaning("Precision, all answers", "each answer counts the same"),
    "micro_recall": Meaning("Recall, all answers", "each label counts the same"),
    "micro_f1": Meaning("F1, all answers", "from the counts of all classes together"),
    "weighted_precision": Meaning("Precision, weighted", "classes weigh as many images as they have"),
    "weighted_recall": Meaning("Recall, weighted", "classes weigh as many images as they have"),
    "weighted_f1": Meaning("F1, weighted", "classes weigh as many images as they have"),
    "map": Meaning("mAP", "mean over the classes of the area under precision against recall"),
    "roc_auc": Meaning("ROC AUC", "chance that an image of a class scores above one of another, mean of classes"),
    "cross_entropy": Meaning("Cross-entropy", "mean of -log of the true class's probability", share=False, up=False),
    "ece": Meaning("Calibration error", "mean gap between confidence and accuracy, bins of equal width", up=False),
    "ece_equal_width": Meaning(
        "Calibration error", "mean gap between confidence and accuracy, bins of equal width", up=False
    ),
    "ece_equal_mass": Meaning(
        "Calibration error, equal mass", "the same, bins that hold equally many images", up=False
    ),
    "brier": Meaning("Brier score", "squared distance between probabilities and truth", share=False, up=False),
    "exact_match_accuracy": Meaning("Exact match", "share of images with exactly the right set of labels"),
    "hamming_error": Meaning("Hamming loss", "share of yes-or-no answers that are wrong", up=False),
    "coco_AP": Meaning("AP (COCO)", f"{_COCO} and the IoU thresholds 0.50 to 0.95"),
    "coco_AP50": Meaning("AP50 (COCO)", f"{_COCO} at IoU 0.50"),
    "coco_AP75": Meaning("AP75 (COCO)", f"{_COCO} at IoU 0.75"),
    "coco_APs": Meaning("AP, small", f"{_COCO}, objects under 32 x 32 pixels"),
    "coco_APm": Meaning("AP, medium", f"{_COCO}, objects from 32 x 32 to 96 x 96 pixels"),
    "coco_APl": Meaning("AP, large", f"{_COCO}, objects over 96 x 96 pixels"),
    "coco_ARs": Meaning("AR, small", "share of small objects found"),
    "coco_ARm": Meaning("AR, medium", "share of medium objects found"),
    "coco_ARl": Meaning("AR, large", "share of large objects found"),
    "recall_at_best_f1": Meaning("Objects found", "share of objects found, from the confidence of the best F1 on"),
    "precision_at_best_f1": Meaning("Right detections", "share of detections that are right, from there on"),
    "ultralytics_AP": Meaning("AP (Ultralytics)", "what that tool would say: its interpolation, no crowd regions"),
    "ultralytics_AP50": Meaning("AP50 (Ultralytics)", "the same at IoU 0.50"),
    "voc07_AP": Meaning("AP (VOC 2007)", "mean of precision at eleven recalls, IoU 0.5 or more"),
    "voc12_AP": Meaning("AP (VOC 2012)", "area under precision against recall, IoU 0.5 or more"),
    "voc07_AP_no_plus_one": Meaning("AP (VOC 2007, no +1)", "the same with widths counted without the extra pixel"),
    "voc12_AP_no_plus_one": Meaning("AP (VOC 2012, no +1)", "the same with widths counted without the extra pixel"),
}

TIES = {"_ties_best": ", if ties fall well", "_ties_worst": ", if ties fall badly"}
HEADLINES = ("top1_accuracy", "exact_match_accuracy", "coco_AP", "voc12_AP", "voc07_AP", "map")


def meaning(name: str) -> Meaning:
    limit = name.removeprefix("coco_AR")
    if limit.isdecimal():
        of = "1 detection" if limit == "1" else f"{limit} detections"
        return Meaning(f"AR, {of}", f"share of objects found with at most {of} for an image and class, {_OVERLAPS}")
    return MEANINGS.get(name) or _top_k(name) or Meaning(name.replace("_", " "), "", share=False)


def _top_k(name: str) -> Meaning | None:
    """`top3_error`, and what an accuracy would be if all ties fell well, or badly."""
    found = re.fullmatch(r"top(\d+)_(accuracy|error)(_ties_best|_ties_worst)?", name)
    if found is None:
        return None
    k, kind, ties = found.groups()
    among = "not among" if kind == "error" else "among"
    text = "" if ties else f"share of images whose class is {among} the {k} best guesses"
    return Meaning(f"{kind.capitalize()} (top {k}){TIES.get(ties, '')}", text, up=kind == "accuracy")


def class_labels(classes: Sequence[ClassName]) -> list[str]:
    """Names for people: two classes of one name get their alias or their place beside it."""
    times = Counter(entry.name for entry in classes)
    return [
        entry.name if times[entry.name] == 1 else f"{entry.name} ({entry.aliases[0] if entry.aliases else at})"
        for at, entry in enumerate(classes)
    ]


def data_name(results: Results) -> str:
    """What was scored in a word or two: the last folder of its path, and the part."""
    data = results.data
    name = next((part for part in reversed(data.root.replace("\\", "/").split("/")) if part.strip(".")), data.root)
    return f"{name} ({data.part})" if data.part and data.part != name else name
