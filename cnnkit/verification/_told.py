"""What is out of tolerance, said once for all sizes of a batch."""

import re
from collections.abc import Sequence

from cnnkit.verification._record import Comparison

FIGURE = re.compile(r"\d[\d.e+-]*")


def told_once(comparisons: Sequence[Comparison]) -> list[str]:
    """The problems of comparisons, each with where it was met; those that differ by their figures alone count as one.

    >>> told_once([Comparison(provider="CPU", batch_size=n, problems=(f"It differs by {n}.",)) for n in (1, 2, 3)])
    ['It differs by 1 (CPU, 1 at a time; 2, 3 at a time, too).']
    """
    met: dict[tuple[str, str], tuple[str, list[int]]] = {}
    for each in comparisons:
        for problem in each.problems:
            _, sizes = met.setdefault((each.provider, FIGURE.sub("#", problem)), (problem, []))
            sizes.append(each.batch_size)
    return [f"{text.removesuffix('.')} ({provider}, {_sizes(sizes)})." for (provider, _), (text, sizes) in met.items()]


def _sizes(sizes: Sequence[int]) -> str:
    first, *others = sizes
    more = f"; {', '.join(map(str, others))} at a time, too" if others else ""
    return f"{first} at a time{more}"
