"""Progress of long work, for a person who watches a terminal."""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.progress import track

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_Value = TypeVar("_Value")


@contextmanager
def working(description: str) -> Iterator[None]:
    """Say what is being done while stderr is a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    with console.status(description) if console.is_terminal else nullcontext():
        yield


def watched(values: Sequence[_Value], description: str) -> Iterator[_Value]:
    """Yield the values; show how far it is while stderr is a terminal, and nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from values
        return
    yield from track(values, description=description, console=console, transient=True)
