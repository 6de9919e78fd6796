"""The plugin of all entries is gone from the DAG processor's image, and comes back."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from chaos.faults.record import LASTS_SECONDS, Fault
from chaos.fleet import CANARY
from chaos.installation import PROCESSOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.site import Site

_SHOWN_SECONDS: Final = 180.0
_POLL_SECONDS: Final = 0.5
_UNOWED_SECONDS: Final = 60.0
"""The first minute after it: the schedule is back with the DAG, and is for what comes."""


@contextmanager
def plugin_is_uninstalled(site: Site) -> Iterator[None]:
    """Start the DAG processor without the plugin, until placeholders are shown, and with it."""
    site.airflow.restart(PROCESSOR, PYTHONPATH=_without_plugin(os.environ["PYTHONPATH"]))
    until = time.monotonic() + _SHOWN_SECONDS
    while "placeholder" not in site.watcher.description(site.fleet.dag_id(CANARY)):
        assert time.monotonic() < until, site.problems()
        time.sleep(_POLL_SECONDS)
    time.sleep(LASTS_SECONDS)
    site.airflow.restart(PROCESSOR)
    yield


def _without_plugin(path: str) -> str:
    kept = [part for part in path.split(os.pathsep) if not Path(part, "probe_plugin.py").exists()]
    return os.pathsep.join(kept)


FAULTS: Final = (
    Fault(
        name="plugin uninstalled, DAG processor started without it",
        happens=plugin_is_uninstalled,
        seconds=0,
        may_block=True,
        unowed=_UNOWED_SECONDS,
        patience=300.0,
    ),
)
