"""The clock of the DAG processor's host jumps; a hook in its processes stands for it."""

from __future__ import annotations

import os
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

_HOOK: Final = Path(__file__).parents[1] / "moved_clock"
_UP_SECONDS: Final = 120.0
_PATIENCE_SECONDS: Final = 300.0


def jump(seconds: int) -> Callable[[Site], AbstractContextManager[None]]:
    """Return a fault in which the clock jumps by so many seconds, and back at its end."""

    @contextmanager
    def clock_jumps(site: Site) -> Iterator[None]:
        clock = site.folder / "clock"
        clock.write_text("+0")
        site.airflow.restart(PROCESSOR, **_moved(clock))
        assert site.wait_shown(site.fleet.change(), _UP_SECONDS), site.problems()
        clock.write_text(f"{seconds:+d}")
        site.fleet.change()
        time.sleep(LASTS_SECONDS)
        clock.write_text("+0")
        yield

    return clock_jumps


def _moved(clock: Path) -> dict[str, str]:
    path = os.pathsep.join([str(_HOOK), os.environ["PYTHONPATH"]])
    return {"PYTHONPATH": path, "CHAOS_CLOCK": str(clock)}


FAULTS = tuple(
    Fault(
        name=f"clock of the DAG processor jumps {words} and back",
        happens=jump(seconds),
        seconds=0,
        patience=_PATIENCE_SECONDS,
        unowed=float(seconds) if seconds > 0 else None,  # it sets the next run by this clock
    )
    for seconds, words in ((40, "40 s ahead"), (-40, "40 s behind"))
)
