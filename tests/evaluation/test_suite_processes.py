"""A case whose process dies: it is told, and the others go on. The process is killed for real."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from cnnkit.evaluation import run_suite
from cnnkit.results import read_results

WriteColour = Callable[..., Path]

CASE = """
[[case]]
name = "{name}"
model = "colours.onnx"
data = "images"
measures = ["top1_accuracy"]
"""


@pytest.fixture
def suite(tmp_path: Path, colours: Path, write_colour: WriteColour) -> Path:
    for colour in ("red", "green", "blue"):
        write_colour(tmp_path / "images" / colour / "0.png", colour)
    (tmp_path / "colours.onnx").write_bytes(colours.read_bytes())
    path = tmp_path / "three.toml"
    path.write_text("schema = 1\n" + "".join(CASE.format(name=name) for name in ("first", "second", "third")))
    return path


def all_children() -> set[int]:
    """The processes that this one has started and not yet waited for."""
    threads = Path("/proc/self/task").iterdir()
    return {int(pid) for thread in threads for pid in (thread / "children").read_text().split()}


@pytest.fixture
def children() -> Callable[[], set[int]]:
    """Those that are new since the test began: Python keeps one of its own for what other tests have shared."""
    before = all_children() if Path("/proc/self/task").exists() else set()
    return lambda: all_children() - before


class Killer:
    """A progress callback that kills the worker while it runs the case that is being told of."""

    def __init__(self, case: str, how: signal.Signals, children: Callable[[], set[int]], *, times: int) -> None:
        self.case, self.how, self.times, self.children = case, how, times, children
        self.now = ""
        self.killed = 0

    def say(self, sentence: str) -> None:
        self.now = sentence.partition(":")[0]

    def progress(self, done: int, total: int) -> None:
        if self.now == self.case and self.killed < self.times:
            self.killed += 1
            for pid in self.children():
                os.kill(pid, self.how)


needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="no /proc to find the worker in")


@needs_proc
@pytest.mark.parametrize("how", [signal.SIGKILL, pytest.param(signal.SIGSEGV, marks=pytest.mark.slow)])
def test_a_case_that_kills_its_process_is_told_and_the_others_go_on(
    suite: Path, children: Callable[[], set[int]], how: signal.Signals
) -> None:
    killer = Killer("second", how, children, times=2)
    found = run_suite(suite, suite.parent / "out", progress=killer.progress, say=killer.say, report=False, update=True)

    assert killer.killed == 2
    assert [case.error is None for case in found.cases] == [True, False, True]
    assert (found.cases[1].error or "").startswith(f"its process died ({how.name}")
    assert "memory may have run out" in (found.cases[1].error or "") or how is signal.SIGSEGV
    assert [case.measures[0].value for case in (found.cases[0], found.cases[2])] == [1.0, 1.0]
    assert len(found.problems) == 1
    assert found.problems[0].startswith("second failed: its process died")
    assert not children()

    again = run_suite(suite, suite.parent / "out", isolate=False, report=False)
    assert [case.resumed for case in again.cases] == [True, False, True]
    assert again.cases[1].measures[0].value == 1.0


@pytest.mark.slow
@needs_proc
def test_a_case_that_dies_once_is_run_to_its_end(suite: Path, children: Callable[[], set[int]]) -> None:
    killer = Killer("first", signal.SIGKILL, children, times=1)
    found = run_suite(suite, suite.parent / "out", progress=killer.progress, say=killer.say, report=False)
    assert killer.killed == 1
    assert [case.error for case in found.cases] == [None, None, None]
    assert read_results(suite.parent / "out" / "first").figures["top1_accuracy"].value == 1.0


@pytest.mark.slow
@needs_proc
def test_one_process_runs_all_cases(suite: Path, children: Callable[[], set[int]]) -> None:
    seen: set[int] = set()
    run_suite(suite, suite.parent / "out", progress=lambda done, total: seen.update(children()), report=False)
    assert len(seen) == 1
    assert not children()


def test_a_case_that_fails_in_its_process_is_told_by_its_sentence(suite: Path) -> None:
    text = suite.read_text().replace('model = "colours.onnx"', 'model = "gone.onnx"', 1)
    suite.write_text(text)
    found = run_suite(suite, suite.parent / "out", report=False)
    assert "gone.onnx: no such model or run" in (found.cases[0].error or "")
    assert [case.error for case in found.cases[1:]] == [None, None]


@pytest.mark.slow
def test_the_command_exits_1(suite: Path, run_cnnkit) -> None:
    suite.write_text(suite.read_text().replace('model = "colours.onnx"', 'model = "gone.onnx"', 1))
    arguments = ("eval", "--suite", suite, "-o", suite.parent / "out", "--progress", "none", "--no-report", "--update")
    assert "first failed" in run_cnnkit(*arguments, exit_code=1).stderr


def test_what_no_process_can_be_handed_is_refused(suite: Path) -> None:
    with pytest.raises(TypeError, match="isolate=False runs them in this one"):
        run_suite(suite, suite.parent / "out", report=False, class_map={"red": object()})
