"""Progress of long work, for a person who watches a terminal."""

from __future__ import annotations

import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeVar

from rich.console import Console
from rich.markup import escape
from rich.progress import track

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

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


@contextmanager
def reporting() -> Iterator[Callable[[object], None]]:
    """Give a function that says on stderr how far something is, again only when that changed.

    On a terminal it is one line that changes, elsewhere a line for each change.
    """
    console = Console(stderr=True)
    last = ""
    with console.status("waiting") if console.is_terminal else nullcontext() as status:

        def report(progress: object) -> None:
            nonlocal last
            text = str(progress).partition("\n")[0]
            if text == last:
                return
            last = text
            if status is None:
                sys.stderr.write(f"{text}\n")
            else:
                status.update(escape(text))

        yield report
