"""Charts as a file of their own, which needs no page and no style sheet around it."""

import re
from collections.abc import Sequence

STYLE = """
svg { background: #fff } text { fill: #1b1f24; font: 12.5px sans-serif } .tick, .label { fill: #57606a }
.across, .label { text-anchor: middle } .down { text-anchor: end } .frame { fill: none; stroke: #d0d7de }
.grid { stroke: #d0d7de } .diagonal { stroke: #8c959f; stroke-dasharray: 4 4 }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; vector-effect: non-scaling-stroke }
.dot { fill: none; stroke-width: 5; stroke-linecap: round; vector-effect: non-scaling-stroke }
.series-1 { stroke: #0a58a8 } .series-2 { stroke: #b54708; stroke-dasharray: 8 3 }
.series-3 { stroke: #1a7f37; stroke-dasharray: 2 3 } .series-4 { stroke: #8250df; stroke-dasharray: 10 3 2 3 }
.series-5 { stroke: #a40e26; stroke-dasharray: 5 2 } .series-6 { stroke: #57606a; stroke-dasharray: 1 4 }
.dot { stroke-dasharray: none }
"""
VIEW_BOX = re.compile(r'viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


def stand_alone(charts: Sequence[str]) -> str:
    """One SVG file with the charts side by side, always on white."""
    sizes = [_size(chart) for chart in charts]
    width, height = sum(size[0] for size in sizes), max(size[1] for size in sizes)
    placed = [
        str(chart).replace("<svg ", f'<svg x="{sum(size[0] for size in sizes[:at]):g}" ', 1)
        for at, chart in enumerate(charts)
    ]
    box = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}><style>{STYLE}</style>\n{"".join(placed)}\n</svg>\n'


def _size(chart: str) -> tuple[float, float]:
    found = VIEW_BOX.search(chart)
    if found is None:
        raise ValueError("a chart begins with its viewBox; this one has none")
    return float(found[1]), float(found[2])
