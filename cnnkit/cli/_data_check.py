"""`cnnkit data check`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cnnkit.cli import _output
from cnnkit.cli._command import Verb
from cnnkit.cli._options import PATH, json_option, progress_option
from cnnkit.cli._quiet import without_decoder_talk
from cnnkit.errors import CheckFailed

if TYPE_CHECKING:
    from cnnkit.results import Duplicates, SamePicture

SHOWN = 20
KINDS = {"pixels": "the same", "near": "nearly the same"}


@click.command("check", cls=Verb)
@click.argument("folder", type=PATH, metavar="DIR")
@progress_option
@json_option
def check_command(folder: Path, progress: str, as_json: bool) -> None:
    """Look a folder of labelled images over: what cannot be read, and the same picture twice.

    DIR holds class folders, or the parts train, val and test with class folders in them. Pictures
    are compared by their pixels, so the same one in another format is found; nearly the same ones
    (saved anew, scaled) are named too. Exit code 1 when a file cannot be read, or when the same
    picture lies in different class folders or in different parts.
    """
    from cnnkit.evaluation import check_data

    with without_decoder_talk(), _output.progress("none" if as_json else progress, "check") as report:
        found = check_data(folder, progress=report)
    counted = ", ".join(f"{name} {n}" for name, n in found.parts.items())
    _output.say(f"{folder}: {sum(found.parts.values())} images ({counted}).")
    for key in found.unread[:SHOWN]:
        _output.say(f"Cannot be read: {key}")
    for group in found.duplicates[:SHOWN]:
        _output.say(_in_words(group))
    if len(found.duplicates) > SHOWN:
        _output.say(f"{len(found.duplicates) - SHOWN} more groups; --json names up to 200.")
    near = "not looked for" if found.n_near is None else f"{found.n_near} pairs"
    _output.say(f"The same to the pixel as another: {found.n_extra} images. Nearly the same: {near}.")
    if as_json:
        _output.emit_json(found.model_dump(mode="json"))
    if found.problems:
        raise CheckFailed("; ".join(found.problems) + ".")


def _in_words(group: "Duplicates") -> str:
    more = f" and {group.n - len(group.images)} more" if group.n > len(group.images) else ""
    labels = " (different labels)" if group.conflict else ""
    return f"{KINDS[group.kind].capitalize()}{labels}: {', '.join(map(_key, group.images))}{more}"


def _key(each: "SamePicture") -> str:
    return each.key
