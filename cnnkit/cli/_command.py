"""The command class of every verb: errors become one sentence and an exit code here, and nowhere else."""

import errno
import signal
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import click

from cnnkit.errors import CnnkitError, MachineError

INTERRUPTED = 130


class Verb(click.Command):
    """A click command that turns cnnkit's errors into messages and exit codes; `--debug` shows the traceback."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(
            click.Option(
                ["--debug"],
                is_flag=True,
                expose_value=False,
                is_eager=True,
                callback=_remember,
                help="Show the traceback of an error.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _polite_kill():
                return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit):
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
        except Exception as error:
            if ctx.meta.get("cnnkit.debug"):
                traceback.print_exc()
            click.echo(f"Error: {_sentence(error)}", err=True)
            raise click.exceptions.Exit(_exit_code(error)) from None


@contextmanager
def _polite_kill() -> Iterator[None]:
    """SIGTERM, what schedulers send first, stops a command as ctrl-C does: what it has begun is tidied up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(signum: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _remember(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.meta["cnnkit.debug"] = value


def _exit_code(error: Exception) -> int:
    return error.exit_code if isinstance(error, CnnkitError) else MachineError.exit_code


def _sentence(error: Exception) -> str:
    if isinstance(error, CnnkitError):
        return str(error)
    if isinstance(error, MemoryError):
        return "out of memory. A smaller --batch-size or fewer --workers needs less."
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return (
            f"the disk is full ({error.filename or 'no file named'}). Free some space and give the same command again."
        )
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename or 'a file'}: {error.strerror}."
    return f"cnnkit itself failed: {type(error).__name__}: {error}. Run again with --debug for the traceback."
