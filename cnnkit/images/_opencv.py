"""OpenCV, loaded in one place: the sentence that helps when it does not load, and silence for its own log.

What fails in OpenCV is said in our words, with the file's name; its log knows no names and breaks progress bars.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from cnnkit.errors import MachineError

__all__ = ["cv2", "opencv_on_one_thread"]

try:
    import cv2
except ImportError as error:
    raise MachineError(
        f"OpenCV does not load: {error}. On a machine without a display install the Debian package libgl1 "
        "(with libglib2.0-0), or put the wheel without windows in its place: "
        "pip uninstall opencv-python; pip install opencv-python-headless"
    ) from error

SILENT = 0
if hasattr(cv2, "setLogLevel"):  # OpenCV 4
    cv2.setLogLevel(SILENT)
else:
    cv2.utils.logging.setLogLevel(SILENT)


@contextmanager
def opencv_on_one_thread() -> Iterator[None]:
    """Where many work already: OpenCV's own threads would compete with them, and do not outlive a fork."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
