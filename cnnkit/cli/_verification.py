"""A verification in words: shared by export and verify."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnnkit.verification import Verification


def in_words(found: "Verification") -> str:
    """One line: how many images, how far apart, what was decided."""
    worst = found.worst
    apart = "nothing could be compared" if worst is None else f"largest difference {worst.max_abs:.2g}"
    if worst is not None and worst.tolerance is not None:
        apart += f" ({worst.tolerance:.2g} allowed)"
    agreements = [each.top1_agreement for each in found.comparisons if each.top1_agreement is not None]
    agree = f", same best class on {min(agreements):.1%} of images" if agreements else ""
    batches = ", ".join(str(size) for size in sorted({each.batch_size for each in found.comparisons}))
    return f"{len(found.images)} images ({found.origin}), batches of {batches}: {apart}{agree}"
