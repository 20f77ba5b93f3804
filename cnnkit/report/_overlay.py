"""Boxes over a picture as SVG: sharp at any size, and told apart by their lines as well as by their colours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from cnnkit.comparison import BoxKind
from cnnkit.drawing import Thumbnail
from cnnkit.report.drawn import Kind

SHOWN_WIDTH, SHOWN_HEIGHT = 360, 288  # the room that the style sheet gives a large picture
LETTER = 11  # the size of the words, in pixels of the page
WIDTH_OF_A_LETTER = 0.68  # bold, with its outline
LEGEND: dict[Kind, str] = {
    "right": "found, and right",
    "false": "found where no such object is",
    "missed": "an object that was missed",
    "found": "an object that was found",
    "left_out": "left out of the count",
}
# mistakes, and of two detectors what only one has; the first are named first, where there is room
NAMED: tuple[Kind | BoxKind, ...] = ("false", "missed", "only_first", "only_second", "first_false", "second_false")


@dataclass(frozen=True)
class Mark:
    """A box in source pixels and what is said of it; only some kinds are named on the picture."""

    kind: Kind | BoxKind
    box: tuple[float, ...]
    text: str

    @property
    def is_named(self) -> bool:
        return self.kind in NAMED

    @property
    def height(self) -> int:
        """What is named first lies on top."""
        return len(NAMED) - NAMED.index(self.kind) if self.is_named else 0


def overlay(marks: Sequence[Mark], image: Thumbnail, *, named: bool = True) -> Markup:
    """An SVG to lie over a picture, in pixels of the page; `named` writes what those of the `NAMED` kinds are."""
    unit = max(image.width / SHOWN_WIDTH, image.height / SHOWN_HEIGHT)
    width, height, scale = image.width / unit, image.height / unit, image.scale / unit
    drawn = sorted(marks, key=lambda mark: mark.height)
    shapes = "".join(_shape(mark, scale) for mark in drawn)
    words = "".join(_words([mark for mark in drawn if mark.is_named], scale, width)) if named else ""
    return Markup(
        f'<svg class="overlay" viewBox="0 0 {width:.6g} {height:.6g}" aria-hidden="true">{shapes}{words}</svg>'
    )


def legend(kinds: Mapping[Kind, str] | Mapping[BoxKind, str]) -> Markup:
    """The kinds of line, each with its meaning."""
    entries = "".join(
        f'<li><svg class="overlay" viewBox="0 0 26 14" width="26" height="14" aria-hidden="true">'
        f'<rect class="{kind}" x="2" y="2" width="22" height="10"/></svg> {escape(text)}</li>'
        for kind, text in kinds.items()
    )
    return Markup(f'<ul class="marks">{entries}</ul>')


def _shape(mark: Mark, scale: float) -> str:
    x1, y1, x2, y2 = (each * scale for each in mark.box)
    place = f'x="{x1:.4g}" y="{y1:.4g}" width="{max(x2 - x1, 0):.4g}" height="{max(y2 - y1, 0):.4g}"'
    return f'<rect class="{mark.kind}" {place}><title>{escape(mark.text)}</title></rect>'


def _words(marks: Sequence[Mark], scale: float, side: float) -> Iterator[str]:
    """What these are, kind by kind, large boxes first; what would lie over another word is left out.

    A word stands above its box where there is room, else inside it, and never beyond the picture's side.
    """
    taken: list[tuple[float, float, float]] = []
    for mark in sorted(marks, key=lambda mark: (-mark.height, -_area(mark.box))):
        left, top = (max(each, 0.0) * scale for each in mark.box[:2])
        width = WIDTH_OF_A_LETTER * LETTER * len(mark.text)
        x = max(min(left + 2, side - width), 2.0)
        y = top - 3 if top > LETTER + 3 else top + LETTER
        if any(abs(y - other) < LETTER and x < end and begin < x + width for begin, end, other in taken):
            continue
        taken.append((x, x + width, y))
        yield f'<text class="{mark.kind}" x="{x:.4g}" y="{y:.4g}">{escape(mark.text)}</text>'


def _area(box: tuple[float, ...]) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])
