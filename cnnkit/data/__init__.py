"""From disk to samples and labels: image folders, parts, class folders, label and truth files, data sets' own files.

Labelled boxes (COCO, Pascal VOC, YOLO, CSV) become one record of arrays, `DetectionTruth`.
"""

from cnnkit.data._arrays import ImageArrays
from cnnkit.data._attributes import Attributes, read_attributes
from cnnkit.data._box_sources import BOX_FORMATS, BoxSource, find_pictures, open_boxes, read_boxes
from cnnkit.data._boxes_csv import read_boxes_csv, write_boxes_csv
from cnnkit.data._cifar import read_cifar
from cnnkit.data._classes import ClassIndex
from cnnkit.data._coco import read_coco, write_coco
from cnnkit.data._coco_numbering import COCO_NAMES, coco_categories
from cnnkit.data._coco_results import DetectedBoxes, read_coco_results
from cnnkit.data._convert import DIGITS_SOURCE, IMAGE_SETS, Converted, convert, write_digit_scenes, write_digits
from cnnkit.data._convert_boxes import BoxPart, read_box_parts
from cnnkit.data._detection_truth import COUNTED, DetectionTruth
from cnnkit.data._digit_scenes import SCENES_SOURCE
from cnnkit.data._folders import Labelled, class_folders
from cnnkit.data._idx import read_idx, read_idx_set
from cnnkit.data._image_folder import Picture, write_image_folder
from cnnkit.data._key_paths import path_of_key
from cnnkit.data._label_sets import LabelSets, read_label_sets
from cnnkit.data._labels import Labels, read_class_map, read_labels
from cnnkit.data._listing import Listing, find_images
from cnnkit.data._magic import IMAGE_SUFFIXES
from cnnkit.data._match_boxes import match_boxes, rename_classes
from cnnkit.data._parts import Part, find_part, find_parts
from cnnkit.data._photos import sample_photos
from cnnkit.data._picture_sizes import picture_size
from cnnkit.data._truth import Truth, read_truth
from cnnkit.data._truth_names import read_truth_names
from cnnkit.data._voc import read_voc, write_voc
from cnnkit.data._yolo import write_data_yaml, write_yolo

__all__ = [
    "BOX_FORMATS",
    "COCO_NAMES",
    "COUNTED",
    "DIGITS_SOURCE",
    "IMAGE_SETS",
    "IMAGE_SUFFIXES",
    "SCENES_SOURCE",
    "Attributes",
    "BoxPart",
    "BoxSource",
    "ClassIndex",
    "Converted",
    "DetectedBoxes",
    "DetectionTruth",
    "ImageArrays",
    "LabelSets",
    "Labelled",
    "Labels",
    "Listing",
    "Part",
    "Picture",
    "Truth",
    "class_folders",
    "coco_categories",
    "convert",
    "find_images",
    "find_part",
    "find_parts",
    "find_pictures",
    "match_boxes",
    "open_boxes",
    "path_of_key",
    "picture_size",
    "read_attributes",
    "read_box_parts",
    "read_boxes",
    "read_boxes_csv",
    "read_cifar",
    "read_class_map",
    "read_coco",
    "read_coco_results",
    "read_idx",
    "read_idx_set",
    "read_label_sets",
    "read_labels",
    "read_truth",
    "read_truth_names",
    "read_voc",
    "rename_classes",
    "sample_photos",
    "write_boxes_csv",
    "write_coco",
    "write_data_yaml",
    "write_digit_scenes",
    "write_digits",
    "write_image_folder",
    "write_voc",
    "write_yolo",
]
