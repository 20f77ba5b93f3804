"""What speaks against the labels: in words, and with the pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnkit.report._gallery import Caption, Group, pictures
from cnnkit.report._thumbnails import Wanted
from cnnkit.report._words import count, counted, percent
from cnnkit.results import Duplicates, LabelHealth, Results, SamePicture, place_in_words

SUSPECTS = 42
GROUPS = 40
MUTUAL = 20
PICTURE_BYTES = 1_000_000
FEW = 0.05  # a share of doubted labels up to which they rather speak against the labels than against the model
KINDS = {"files": "same file", "pixels": "same pixels", "near": "nearly the same"}


def health_sentences(results: Results) -> list[str]:
    """What whoever trusts the figures should know."""
    health = results.health
    if health is None:
        return []
    found = []
    if health.n_suspects and health.n_suspects <= FEW * results.data.n:
        found.append(
            f"{counted(health.n_suspects, 'label')} may be wrong: the model is confident of another class. The section "
            f"Labels shows them."
        )
    if health.n_trained_on:
        found.append(
            f"{counted(health.n_trained_on, 'scored image')} {_is(health.n_trained_on)} also among those that the "
            f"model was trained on: the figures flatter it."
        )
    if health.n_conflicts:
        found.append(
            f"{counted(health.n_conflicts, 'picture')} {_is(health.n_conflicts)} there under different labels."
        )
    if health.n_extra:
        found.append(
            f"{counted(health.n_extra, 'scored image')} {_is(health.n_extra)} there twice: intervals take each for an "
            f"image of its own and are somewhat too narrow."
        )
    return found


def _is(number: int) -> str:
    return "is" if number == 1 else "are"


def health_content(results: Results, labels: Sequence[str], root: Path | None) -> dict[str, Any] | None:
    """What the section shows; None when there is nothing to show."""
    health = results.health
    if health is None or not (health.n_suspects or health.duplicates or health.mutual or health.compared == "pixels"):
        return None
    groups = [_suspects(health, labels, root), _twice(health, root)]
    return {
        "notes": _notes(health),
        "galleries": [group for group in groups if group.pictures],
        "mutual": [
            [labels[each.first], labels[each.second], count(each.n_first), count(each.n_second)]
            for each in health.mutual[:MUTUAL]
        ],
    }


def _notes(health: LabelHealth) -> list[str]:
    found = []
    if health.n_suspects is None:
        found.append(health.NOT_DOUBTED)
    if health.compared == "files":
        found.append(
            "Pictures were compared by the hashes of their files. --label-health compares pixels, also with the images "
            "that the model was trained on."
        )
    if health.compared == "pixels":
        with_others = (
            f" and {counted(health.n_trained_on_read, 'image')} of {place_in_words(health.trained_on)}"
            if health.trained_on
            else ""
        )
        found.append(f"{counted(health.n_read, 'scored image')}{with_others} were compared pixel by pixel.")
        found.append(
            "There were too many to look for near ones."
            if health.n_near is None
            else f"{counted(health.n_near, 'pair')} of pictures nearly the same."
        )
        if health.trained_on is None:
            found.append("Images that the model was trained on were not looked at: --trained-on names their folder.")
    if health.n_unread:
        found.append(f"{counted(health.n_unread, 'image')} could not be read, or had changed.")
    return found


def _suspects(health: LabelHealth, labels: Sequence[str], root: Path | None) -> Group:
    shown = health.suspects[:SUSPECTS]
    captions = [
        Caption(
            (
                ("labelled", labels[each.label], percent(each.p)),
                ("rather", labels[each.suggested], percent(each.p_suggested)),
            ),
            (each.label, each.suggested),
        )
        for each in shown
    ]
    of = f"{count(len(shown))} of {count(health.n_suspects or 0)}"
    return Group(
        "suspects",
        "Labels that the model speaks against",
        f"{of}, the surest first. It gives another class at least the probability that this class has on its own "
        "images. A wrong label, or a mistake of the model: look.",
        "",
        pictures([Wanted(each.key, None) for each in shown], captions, root, limit=PICTURE_BYTES),
    )


def _twice(health: LabelHealth, root: Path | None) -> Group:
    wanted, captions = [], []
    for number, group in enumerate(health.duplicates[:GROUPS], 1):
        others = [each for each in group.images if each.trained_on]
        for image in group.images:
            if not image.trained_on:
                wanted.append(Wanted(image.key, None))
                captions.append(_caption(number, group, image, others))
    return Group(
        "twice",
        "The same picture twice",
        f"{counted(len(health.duplicates), 'group')}; different labels first.",
        "",
        pictures(wanted, captions, root, limit=PICTURE_BYTES),
    )


def _caption(number: int, group: Duplicates, image: SamePicture, others: Sequence[SamePicture]) -> Caption:
    lines = [(f"{number}.", KINDS[group.kind], "" if group.distance is None else f"{percent(group.distance)} apart")]
    lines.append(("labelled", image.label, "others differ" if group.conflict else ""))
    if others:
        lines.append(("trained on", others[0].key, others[0].label))
    return Caption(tuple(lines), ())
