"""From disk to samples and labels: image folders, parts, class folders, label and truth files, data sets' own files."""

from cnnkit.data._arrays import ImageArrays
from cnnkit.data._cifar import read_cifar
from cnnkit.data._classes import ClassIndex
from cnnkit.data._convert import DIGITS_SOURCE, IMAGE_SETS, Converted, convert
from cnnkit.data._digits import write_digits
from cnnkit.data._folders import Labelled, class_folders
from cnnkit.data._idx import read_idx, read_idx_set
from cnnkit.data._image_folder import Picture, write_image_folder
from cnnkit.data._labels import Labels, read_class_map, read_labels
from cnnkit.data._listing import Listing, find_images
from cnnkit.data._magic import IMAGE_SUFFIXES
from cnnkit.data._parts import Part, find_part, find_parts
from cnnkit.data._photos import sample_photos
from cnnkit.data._truth import Truth, read_truth

__all__ = [
    "DIGITS_SOURCE",
    "IMAGE_SETS",
    "IMAGE_SUFFIXES",
    "ClassIndex",
    "Converted",
    "ImageArrays",
    "Labelled",
    "Labels",
    "Listing",
    "Part",
    "Picture",
    "Truth",
    "class_folders",
    "convert",
    "find_images",
    "find_part",
    "find_parts",
    "read_cifar",
    "read_class_map",
    "read_idx",
    "read_idx_set",
    "read_labels",
    "read_truth",
    "sample_photos",
    "write_digits",
    "write_image_folder",
]
