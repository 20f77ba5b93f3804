"""What the ordered engine calls, and the small types that pass between."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from numpy.typing import NDArray

Item = TypeVar("Item")
Item_contra = TypeVar("Item_contra", contravariant=True)
Content = TypeVar("Content")
State = TypeVar("State")
Result = TypeVar("Result")

Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Done(Generic[Result]):
    """What `prepare` returns for an item that is finished without being run: a bad image."""

    result: Result


class Job(Protocol[Item_contra, Content, State, Result]):
    """What the engine calls. Every method may be called by several threads at once.

    new_buffer: an array of shape (n, ...), reused by one worker for all its batches.
    read: wait for the disk and do nothing else. What an item's own file refuses is returned, for `prepare` to tell.
    prepare: fill `out` (one slot of a buffer) from an item and its content; return what `finish` needs, or Done.
    run: (n, ...) to arrays by output name, each with n as first axis.
    finish: arrays of n results and the n states to n results.
    failed: what an item gets when `run` or `finish` raised on it alone.
    """

    def new_buffer(self, n: int) -> NDArray[Any]: ...
    def read(self, item: Item_contra) -> Content: ...
    def prepare(self, item: Item_contra, content: Content, out: NDArray[Any]) -> State | Done[Result]: ...
    def run(self, buffer: NDArray[Any]) -> Outputs: ...
    def finish(self, outputs: Outputs, states: Sequence[State]) -> list[Result]: ...
    def failed(self, state: State, error: Exception) -> Result: ...
