"""Figures from arrays: SVG that is right without a script, and small pictures.

A figure is a `Markup` string: one `<svg>` with a title and a description for those who hear it, no colour of its own
(the page's style sheet gives the classes theirs, in light and dark) and no identifier but those that begin with `name`.

The classes for a style sheet: `figure`, `frame`, `grid`, `tick`, `label`, `legend`, `name`, `value`; `line`, `dot`,
`bar` and `point` with `series-1` .. `series-6`; `faint` and `hidden` lines; `band`, `whisker`, `diagonal`, `front`,
`zero`, `weight`; `cell` with `right` or `wrong` and `level-1` .. `level-6`, and in it the texts `count` and `share`.
`data-plot` on a chart of lines says how pixels and values go together, for a script that reads values off the curves.
"""

from cnnkit.drawing._alone import stand_alone
from cnnkit.drawing._bars import Bar, histogram, interval_bars
from cnnkit.drawing._captions import captioned, png
from cnnkit.drawing._confusion import confusion_grid, confusion_map
from cnnkit.drawing._frame import Axis, short_names
from cnnkit.drawing._heat import heat_over
from cnnkit.drawing._interval import interval_mark
from cnnkit.drawing._lines import Line, line_chart
from cnnkit.drawing._pictures import THUMBNAIL_SIDE, Thumbnail, thumbnail
from cnnkit.drawing._reliability import reliability_diagram
from cnnkit.drawing._scatter import Point, scatter_chart
from cnnkit.drawing._tiles import signed_levels, tile_grid, unsigned_levels

__all__ = [
    "THUMBNAIL_SIDE",
    "Axis",
    "Bar",
    "Line",
    "Point",
    "Thumbnail",
    "captioned",
    "confusion_grid",
    "confusion_map",
    "heat_over",
    "histogram",
    "interval_bars",
    "interval_mark",
    "line_chart",
    "png",
    "reliability_diagram",
    "scatter_chart",
    "short_names",
    "signed_levels",
    "stand_alone",
    "thumbnail",
    "tile_grid",
    "unsigned_levels",
]
