"""From class folders to a checkpoint: the loop, augmentation, the training job."""

from cnnkit.training._job import train
from cnnkit.training._recipe import Recipe
from cnnkit.training._record import EpochRecord, TrainingRecord

__all__ = ["EpochRecord", "Recipe", "TrainingRecord", "train"]
