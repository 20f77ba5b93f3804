"""The libraries under OpenCV write to stderr past Python; their lines name no file and fall into progress bars."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# how libjpeg, libpng and libtiff begin; whatever else comes is passed on
TALK = (
    *(b"Corrupt JPEG data", b"Premature end of JPEG", b"Invalid SOS", b"Unsupported marker", b"Warning: unknown JFIF"),
    *(b"libpng warning", b"libpng error", b"TIFF"),
)


@contextmanager
def without_decoder_talk() -> Iterator[None]:
    """Leave out what image decoders print; every image that cannot be read gets a row that says why."""
    if not _is_descriptor_2():
        yield
        return
    shown = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)
    sieve = threading.Thread(target=_pass_on, args=(reading, shown), daemon=True)
    sieve.start()
    ours = sys.stderr
    with os.fdopen(os.dup(shown), "w", buffering=1, encoding="utf-8", errors="backslashreplace") as direct:
        sys.stderr = direct
        try:
            yield
        finally:
            sys.stderr = ours
            os.dup2(shown, 2)  # closes the pipe's last end, so the sieve ends
            sieve.join()
            os.close(shown)


def _is_descriptor_2() -> bool:
    try:
        return sys.stderr.fileno() == 2
    except (AttributeError, OSError, ValueError):
        return False


def _pass_on(reading: int, shown: int) -> None:
    with os.fdopen(reading, "rb") as lines:
        for line in lines:
            if not line.startswith(TALK):
                os.write(shown, line)
