"""From class folders or labelled boxes to a checkpoint: the recipe, the pixels, augmentation, the loop, the job."""

from cnnkit.errors import MachineError

try:
    import torch  # noqa: F401
except ImportError as error:
    raise MachineError(f'training needs torch ({error}). Install: pip install "cnnkit[train]".') from error

from cnnkit.training._job import train
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import EpochRecord, TrainingRecord

__all__ = ["EpochRecord", "Recipe", "TrainingRecord", "train"]
