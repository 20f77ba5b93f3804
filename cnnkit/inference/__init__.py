"""A folder of images to predictions: the job behind `cnnkit infer`."""

from cnnkit.inference._images import default_output, list_images
from cnnkit.inference._job import Inferred, infer

__all__ = ["Inferred", "default_output", "infer", "list_images"]
