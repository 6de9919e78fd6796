"""Waiting for a store that blinks, where a task cannot start without it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, TypeVar

from dagfoundry.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

_Value = TypeVar("_Value")
_LONGEST_PAUSE_SECONDS: Final = 8.0


def patiently(work: Callable[[], _Value], *, seconds: float) -> _Value:
    """Do something that needs the store, again and again while it does not answer.

    Args:
        work: What to do.
        seconds: For how long.

    Returns:
        What the work returns.

    Raises:
        StoreUnavailableError: Time is up.
    """
    until, pause = time.monotonic() + seconds, 1.0
    while True:
        try:
            return work()
        except StoreUnavailableError:
            if time.monotonic() + pause >= until:
                raise
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
