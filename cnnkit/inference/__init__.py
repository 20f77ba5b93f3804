"""A folder of images to predictions: the job behind `cnnkit infer`."""

from cnnkit.inference._annotations import Annotated, annotate, annotate_photo, check_pictures_folder
from cnnkit.inference._images import default_output, list_images
from cnnkit.inference._job import Inferred, infer
from cnnkit.inference._pace import choose_pace

__all__ = [
    "Annotated",
    "Inferred",
    "annotate",
    "annotate_photo",
    "check_pictures_folder",
    "choose_pace",
    "default_output",
    "infer",
    "list_images",
]
