"""What the demo says while it runs: steps, lines with their seconds, checks.

On a terminal a status line moves; in a pipe the same text comes as plain lines, at most
one in ten seconds.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from rich.markup import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console
    from rich.status import Status

_QUIET_SECONDS: Final = 10.0


class DemoError(Exception):
    """The demo cannot go on.

    Args:
        what: What did not happen.
        log: The end of the log that tells why, if there is one.
    """

    def __init__(self, what: str, *, log: str = "") -> None:
        super().__init__(what)
        self.log = log


@dataclass
class Progress:
    """The demo's voice and memory.

    Attributes:
        console: Where it speaks.
        failures: The checks that did not hold, in words.
        steps: Title and seconds of each finished step.
    """

    console: Console
    failures: list[str] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)
    _started: float = field(default_factory=time.monotonic)
    _spoke: float = 0.0
    _status: Status | None = None

    @property
    def seconds(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._started

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Head a step, and say its seconds when it is done."""
        number, began = len(self.steps) + 1, self.seconds
        self.console.print(f"\n[bold]{number}  {escape(title)}[/bold]", highlight=False)
        with self.console.status(escape(title)) as status:
            self._status = status
            yield
        self.steps.append((title, self.seconds - began))
        self.say(f"step {number} took {self.seconds - began:.1f} s")

    def say(self, text: str, style: str = "") -> None:
        """Print a line, headed by the seconds since the demo began."""
        self._spoke = self.seconds
        head = f"[dim]{self.seconds:7.1f} s[/dim]  "
        body = f"[{style}]{escape(text)}[/{style}]" if style else escape(text)
        self.console.print(head + body, highlight=False, soft_wrap=True)

    def working(self, text: str) -> None:
        """Show what is being done or waited for."""
        if self.console.is_terminal and self._status is not None:
            self._status.update(escape(text))
        elif self.seconds - self._spoke > _QUIET_SECONDS:
            self.say(f"… {text}")

    def check(self, what: str, *, held: bool) -> None:
        """Say whether something holds; the demo goes on and fails in the end if not."""
        if held:
            self.say(f"✓ {what}", "green")
        else:
            self.failures.append(what)
            self.say(f"✗ {what}", "bold red")

    def fail(self, what: str, *, log: str = "") -> None:
        """Say what ended the demo, and show the log that tells why."""
        self.failures.append(what)
        if log:
            self.console.print(f"\n{escape(log)}", highlight=False, soft_wrap=True)
        self.say(f"✗ {what}", "bold red")
