"""Throughput against batch size, a line for each number of workers of each candidate."""

from cnnkit import drawing
from cnnkit.benchmark._facts import Benchmark


def throughput_picture(found: Benchmark) -> str:
    """An SVG file that stands alone."""
    lines = []
    for candidate in found.candidates:
        for workers in sorted({cell.workers for cell in candidate.cells}):
            cells = sorted((cell for cell in candidate.cells if cell.workers == workers), key=lambda c: c.batch_size)
            name = f"{candidate.label}, {workers} worker{'s' if workers > 1 else ''}"
            lines.append(_line(name, [(cell.batch_size, cell.images_per_s) for cell in cells]))
    top = max(cell.images_per_s for candidate in found.candidates for cell in candidate.cells)
    widest = max(cell.batch_size for candidate in found.candidates for cell in candidate.cells)
    best = found.candidates[0].best
    chart = drawing.line_chart(
        lines,
        name="throughput",
        title="Throughput against batch size",
        description=f"{found.candidates[0].model} at best: {best.images_per_s:.1f} images/s at {best.batch_size}.",
        x=drawing.Axis("batch size", 0.0, float(widest)),
        y=drawing.Axis("images per second", 0.0, top * 1.05),
    )
    return drawing.stand_alone([chart])


def _line(name: str, points: list[tuple[int, float]]) -> drawing.Line:
    return drawing.Line(name, [x for x, _ in points], [y for _, y in points], dots=True)
