"""What decoders print past Python is left out, everything else comes through."""

import subprocess
import sys

SCRIPT = """
import os, sys
from cnnkit.cli._quiet import without_decoder_talk
with without_decoder_talk():
    os.write(2, b"libpng warning: iCCP: CRC error\\n")
    os.write(2, b"something that matters\\n")
    print("ours", file=sys.stderr)
    os.write(2, b"Corrupt JPEG data: 5 extraneous bytes before marker 0xdb\\n")
    os.write(2, b"no end of line")
os.write(2, b"\\nlibpng warning: after\\n")
print("last", file=sys.stderr)
"""


def test_only_the_decoders_lines_are_left_out() -> None:
    said = subprocess.run([sys.executable, "-c", SCRIPT], check=True, stderr=subprocess.PIPE).stderr.decode()
    lines = said.splitlines()
    assert sorted(lines[:3]) == ["no end of line", "ours", "something that matters"]
    assert lines[3:] == ["libpng warning: after", "last"]


def test_a_stderr_that_is_no_descriptor_is_left_alone(capsys: object) -> None:
    from cnnkit.cli._quiet import without_decoder_talk

    before = sys.stderr
    with without_decoder_talk():
        assert sys.stderr is before
