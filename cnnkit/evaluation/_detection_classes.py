"""Which class of the model a labelled class is."""

from collections.abc import Mapping, Sequence

import numpy as np

from cnnkit.data import ClassIndex, DetectionTruth
from cnnkit.errors import DataError
from cnnkit.evaluation._scored import Asked
from cnnkit.spec import ClassName


def class_map_of(labels: DetectionTruth, classes: Sequence[ClassName], asked: Asked) -> Mapping[str, str] | None:
    """Other names for the labels' classes: as was asked, or with --truth-index their positions.

    Raises:
        DataError: a class with an object that none of the model's, or several, answer to.
    """
    used = [labels.classes[at] for at in np.unique(labels.category).tolist()]
    index = ClassIndex(classes, asked.class_map)
    numbers = [name for name in used if name.isdecimal()]
    if asked.truth_index:
        bad = next((name for name in used if name not in numbers or int(name) >= len(classes)), None)
        if bad is not None:
            raise DataError(
                f"{labels.source}: class {bad!r} is no position in the model's list, 0 to {len(classes) - 1}."
            )
        return {name: classes[int(name)].name for name in used}
    if used and len(numbers) == len(used) and not any(map(index.answers, used)):
        raise DataError(
            f"{labels.source}: its classes have no names but {', '.join(used[:5])}, which no class of the model "
            f"answers to. --truth-index takes them as positions in the model's class list; --class-map FILE names them."
        )
    index.find_all(used, where=str(labels.source))
    return asked.class_map
