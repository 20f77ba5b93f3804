"""What every command makes of an error: one sentence, an exit code, a traceback only when asked for."""

import errno

import click
import pytest
from click.testing import CliRunner

from cnnkit.cli import cnnkit
from cnnkit.cli._command import Verb
from cnnkit.errors import CheckFailed, DataError, DeviceError, UsageError


def verb(error: BaseException) -> click.Command:
    @click.command(cls=Verb)
    def fails() -> None:
        raise error

    return fails


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (CheckFailed("worse by 2 points"), 1, "Error: worse by 2 points"),
        (UsageError("give -o"), 2, "Error: give -o"),
        (DataError("no image"), 3, "Error: no image"),
        (DeviceError("no CUDA"), 4, "Error: no CUDA"),
        (MemoryError(), 5, "Error: out of memory. A smaller --batch-size or fewer --workers needs less."),
        (
            OSError(errno.ENOSPC, "No space left on device", "runs/a/part"),
            5,
            "Error: the disk is full (runs/a/part). Free some space and give the same command again.",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "runs"), 5, "Error: runs: Permission denied."),
        (ZeroDivisionError("x"), 5, "Error: cnnkit itself failed: ZeroDivisionError: x. Run again with --debug"),
        (KeyboardInterrupt(), 130, "Interrupted."),
    ],
)
def test_errors_become_sentences_and_codes(error: BaseException, code: int, sentence: str) -> None:
    result = CliRunner().invoke(verb(error), [])
    assert result.exit_code == code
    assert result.stderr.startswith(sentence)
    assert len(result.stderr.splitlines()) == 1
    assert result.stdout == ""


def test_the_traceback_comes_when_asked_for() -> None:
    result = CliRunner().invoke(verb(DataError("no image")), ["--debug"])
    assert result.exit_code == 3
    assert result.stderr.startswith("Traceback (most recent call last):")
    assert result.stderr.splitlines()[-1] == "Error: no image"


@pytest.mark.parametrize(("typed", "meant"), [("infr", "infer"), ("evel", "eval"), ("benchmrk", "benchmark")])
def test_a_verb_that_is_nearly_one_is_suggested(typed: str, meant: str) -> None:
    result = CliRunner().invoke(cnnkit, [typed, "x"])
    assert result.exit_code == 2
    assert f"No such command '{typed}'. Did you mean {meant}" in result.stderr
