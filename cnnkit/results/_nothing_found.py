"""When a detector's figures say that it was read wrongly rather than that it is weak."""

from cnnkit.results._results import Results

AP50 = ("coco_AP50", "voc12_AP", "voc07_AP", "ultralytics_AP50")
NEXT_TO_NOTHING = 0.01
MANY = 20  # objects, from which on a weak detector finds some
ASK = "are decoder, preset and class order right?"


def nothing_found(results: Results) -> str | None:
    """A sentence where no object, or next to none of many, was found; None for all other results."""
    facts = results.detection
    if facts is None or not facts.n_objects:
        return None
    objects = f"{facts.n_objects:,} object{'' if facts.n_objects == 1 else 's'}"
    if not facts.n_detections:
        return f"Nothing was found: 0 detections of {objects}; {ASK}"
    known = [(name, figure.value) for name in AP50 if (figure := results.figures.get(name)) is not None]
    name, value = next(((name, value) for name, value in known if value is not None), ("", None))
    if value is None or value >= NEXT_TO_NOTHING or facts.n_objects < MANY:
        return None
    detections = f"{facts.n_detections:,} detection{'' if facts.n_detections == 1 else 's'}"
    return f"Next to nothing was found: {name} is {value:.4f}, {detections} of {objects}; {ASK}"
