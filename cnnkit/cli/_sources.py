"""The options that say what SOURCE is: shared by export and verify."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cnnkit.cli import _options

if TYPE_CHECKING:
    from cnnkit.verification import Source

source_options = _options.together(
    click.option("--weights", type=_options.PATH, help="A .pth or .safetensors file of weights for SOURCE."),
    click.option(
        "--allow-pickle",
        is_flag=True,
        help="Load files that need pickled code, which may do anything: trusted files only.",
    ),
    click.option(
        "--transform",
        metavar="PACKAGE.MODULE:NAME",
        help="How SOURCE's images are prepared: a torchvision, timm or albumentations object.",
    ),
)


def open_both(source: str, weights: Path | None, transform: str | None, *, allow_pickle: bool) -> tuple["Source", Any]:
    """The module, and the transform object or None."""
    from cnnkit import verification

    opened = verification.open_source(source, weights=weights, allow_pickle=allow_pickle)
    return opened, None if transform is None else verification.import_transform(transform)
