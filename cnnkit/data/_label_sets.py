"""What each image shows when it may show several classes, or none."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnnkit.data._classes import ClassIndex
from cnnkit.data._label_sets_file import read_label_sets_file
from cnnkit.data._listing import find_images
from cnnkit.data._parts import find_part
from cnnkit.data._truth import match_keys, part_notes, positions_of, prefix_of, refuse_nothing_inside
from cnnkit.data._truth_file import Line
from cnnkit.spec import ClassName


@dataclass(frozen=True, slots=True)
class LabelSets:
    """`labels`: the class indices of each key that the file has, ascending, maybe none. The rest as in `Truth`."""

    labels: dict[str, tuple[int, ...]]
    root: Path
    part: str | None = None
    prefix: str = ""
    n_unlabelled: int = 0
    n_outside_part: int = 0
    n_without_image: int = 0
    notes: tuple[str, ...] = ()


def read_label_sets(
    data: Path,
    *,
    classes: Sequence[ClassName],
    truth: Path,
    truth_index: bool = False,
    split: str | None = None,
    class_map: Mapping[str, str] | None = None,
    keys: Iterable[str] | None = None,
) -> LabelSets:
    """Say for each key which of `classes` it shows; arguments and errors as in `read_truth`.

    An image that the file gives no label shows none of the classes; one that the file does not name is unlabelled.
    """
    part = find_part(data, split=split)
    run_keys = list(find_images(part.root).keys if keys is None else keys)
    prefix = "" if keys is None else prefix_of(data, part, run_keys)
    inside = [key for key in run_keys if key.startswith(prefix)]
    refuse_nothing_inside(data, part, run_keys, inside)
    lines, missing = match_keys(read_label_sets_file(truth), truth, data, part, prefix, inside)
    single = {f"{key}\n{label}": Line(line.number, label) for key, line in lines.items() for label in line.labels}
    positions = positions_of(single, ClassIndex(classes, class_map), where=str(truth), truth_index=truth_index)
    labels = {key: tuple(sorted({positions[label] for label in line.labels})) for key, line in lines.items()}
    counts = len(inside) - len(labels), len(run_keys) - len(inside), missing
    present = {at for found in labels.values() for at in found}
    notes = (*part.notes, *part_notes(part, classes, present, *counts))
    return LabelSets(labels, part.root, part.name, prefix, *counts, notes)
