"""Numbers as people write them."""

from cnnkit.results import Figure

NBSP = "\u00a0"


def count(number: int) -> str:
    return f"{number:,}"


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 image`, `2,000 images`."""
    return f"{number:,}{NBSP}{one if number == 1 else many or one + 's'}"


def percent(value: float | None) -> str:
    """`98.5 %`; two digits beside the ends, and never rounded to an end that was not reached."""
    return "–" if value is None else f"{_hundredths(value)}{NBSP}%"


def _hundredths(value: float) -> str:
    if value in (0, 1):
        return f"{value * 100:.0f}"
    if value < 0.00005 or value > 0.99995:
        return "<0.01" if value < 0.5 else ">99.99"
    return f"{value * 100:.2f}" if value > 0.9985 or value < 0.0015 else f"{value * 100:.1f}"


def span(low: float | None, high: float | None, *, share: bool = True) -> str:
    """`97.1 to 99.2 %`, empty where there is no interval."""
    if low is None or high is None:
        return ""
    return f"{_hundredths(low)} to {percent(high)}" if share else f"{plain(low)} to {plain(high)}"


def plain(value: float | None) -> str:
    """Four significant digits, from 1,000 on whole numbers."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:#.4g}".removesuffix(".")


def measured(figure: Figure, *, share: bool = True) -> str:
    """`98.5 % (95 % interval 97.1 to 99.2 %)`."""
    value = percent(figure.value) if share else plain(figure.value)
    between = span(figure.low, figure.high, share=share)
    return f"{value} (95{NBSP}% interval {between})" if between else value


def bytes_in_words(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.3g}{NBSP}{unit}"
    return f"{size}{NBSP}bytes"


def listed(items: list[str]) -> str:
    """`a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
