"""COCO's 80 classes are numbered 1 to 90 with gaps in its own files, and 0 to 79 or 1 to 80 by many tools."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from cnnkit.errors import DataError
from cnnkit.spec import ClassName

_NAMES = """
person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,stop sign,parking meter,bench,
bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,
sports ball,kite,baseball bat,baseball glove,skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,
bowl,banana,apple,sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,dining table,
toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,refrigerator,book,clock,vase,scissors,
teddy bear,hair drier,toothbrush
"""
COCO_NAMES = tuple(name.strip() for name in _NAMES.split(","))
_GAPS = {12, 26, 29, 30, 45, 66, 68, 69, 71, 83}

# darknet's names for some of them, which many label files have -> COCO's own
DARKNET_NAMES = {
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}

# numbering -> the id of each of COCO_NAMES
NUMBERINGS = {
    "91": tuple(at for at in range(1, 91) if at not in _GAPS),
    "80 from 0": tuple(range(80)),
    "80 from 1": tuple(range(1, 81)),
}


def with_coco_names(classes: tuple[ClassName, ...]) -> tuple[ClassName, ...]:
    """COCO's 80 classes under darknet's names get COCO's as aliases; any other list stays as it is."""
    own = [DARKNET_NAMES.get(entry.name, entry.name) for entry in classes]
    if len(classes) != len(COCO_NAMES) or set(own) != set(COCO_NAMES):
        return classes
    return tuple(
        entry if entry.name == name else ClassName(name=entry.name, aliases=(*entry.aliases, name))
        for entry, name in zip(classes, own, strict=True)
    )


def coco_categories(classes: Sequence[ClassName]) -> dict[int, tuple[int, str]] | None:
    """COCO's own id and name of each class, by position, where these are COCO's 80 by name or alias; else None."""
    numbers = dict(zip(COCO_NAMES, NUMBERINGS["91"], strict=True))
    found = {
        at: (numbers[name], name)
        for at, entry in enumerate(classes)
        for name in (entry.name, *entry.aliases)
        if name in numbers
    }
    return found if len(found) == len(classes) == len(COCO_NAMES) else None


def translate_ids(
    path: Path, used: Iterable[int], truth_ids: Sequence[int], truth_names: Sequence[str]
) -> tuple[dict[int, int], tuple[str, ...]]:
    """Where each category id that a results file uses stands in the truth's classes, and a note when translated.

    Ids that the truth lists are taken as they are. Where some are not, the truth has COCO's 80 classes, and one
    other numbering alone has them all, that one is meant.

    Raises:
        DataError: more than one numbering has them all.
    """
    ids = set(used)
    known = {one: at for at, one in enumerate(truth_ids)}
    if ids <= known.keys() or set(truth_names) != set(COCO_NAMES):
        return known, ()
    fitting = [name for name, numbers in NUMBERINGS.items() if ids <= set(numbers)]
    if not fitting:
        return known, ()
    if len(fitting) > 1:
        raise DataError(
            f"{path}: category_id {min(ids - known.keys())} is none of the ground truth's. COCO's classes are also "
            f"numbered {' and '.join(fitting)}, and these ids ({min(ids)} to {max(ids)}) fit both: write the ground "
            f"truth's ids into the file."
        )
    places = {name: at for at, name in enumerate(truth_names)}
    numbers = NUMBERINGS[fitting[0]]
    translated = {number: places[name] for number, name in zip(numbers, COCO_NAMES, strict=True)}
    note = f"Category ids of {path.name} are COCO's numbering {fitting[0]}; translated to the ground truth's."
    return translated, (note,)
