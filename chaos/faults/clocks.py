"""The clock of the DAG processor's host jumps; libfaketime stands for it."""

from __future__ import annotations

import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaos.faults.record import LASTS_SECONDS, Fault
from chaos.installation import PROCESSOR

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from chaos.site import Site

_LIBRARY: Final = "faketime/libfaketime.so.1"
_PLACES: Final = ("/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu")
_UP_SECONDS: Final = 120.0


def needs_faketime(_site: Site) -> str:
    """Return why the clock cannot be moved, if so."""
    return "" if _library() else "libfaketime is not installed (Debian: apt install faketime)"


def _library() -> str:
    found = [path for place in _PLACES if (path := Path(place, _LIBRARY)).exists()]
    return str(found[0]) if found else ""


def jump(seconds: int) -> Callable[[Site], AbstractContextManager[None]]:
    """Return a fault in which the clock jumps by so many seconds, and back at its end."""

    @contextmanager
    def clock_jumps(site: Site) -> Iterator[None]:
        clock = site.folder / "clock"
        clock.write_text("+0")
        site.airflow.restart(PROCESSOR, **_faked(clock))
        assert site.wait_shown(site.fleet.change(), _UP_SECONDS), site.problems()  # noqa: S101 - a check
        clock.write_text(f"{seconds:+d}")
        site.fleet.change()
        time.sleep(LASTS_SECONDS)
        clock.write_text("+0")
        yield
    return clock_jumps


def _faked(clock: Path) -> dict[str, str]:
    return {
        "LD_PRELOAD": _library(),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


FAULTS = tuple(
    Fault(
        name=f"clock of the DAG processor jumps {words} and back (libfaketime)",
        happens=jump(seconds),
        seconds=0,
        impossible=needs_faketime,
    )
    for seconds, words in ((120, "2 minutes ahead"), (-120, "2 minutes behind"))
)
