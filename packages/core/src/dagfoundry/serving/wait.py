"""Waiting until a revision is served."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import FoundryError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.serving.readiness import Readiness
    from dagfoundry.serving.servers import Watch

POLL_SECONDS: Final = 1.0


def wait_until_ready(
    watch: Watch, *, timeout_seconds: float, on_look: Callable[[Readiness | FoundryError], None]
) -> Readiness:
    """Look again and again until the revision is served, or never will be, or time is up.

    Somebody who cannot be asked at the first look is an error; later it is an outage, which
    may pass in time.

    Args:
        watch: What to look through.
        timeout_seconds: How long to wait at most; 0 looks once.
        on_look: Called with what each look found but the last.

    Returns:
        What the last look found.

    Raises:
        FoundryError: Store or server cannot be asked.
    """
    deadline = time.monotonic() + timeout_seconds
    found: Readiness | None = None
    while True:
        is_last = time.monotonic() >= deadline
        try:
            found = watch.look(thorough=is_last)
        except FoundryError as error:
            if found is None or is_last:
                raise
            on_look(error)
        else:
            if found.is_decided or is_last:
                return found
            on_look(found)
        time.sleep(min(POLL_SECONDS, max(deadline - time.monotonic(), 0.0)))
