"""Many merges and two DAG processors at once."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from chaos.faults.record import Fault
from chaos.fleet import FOUNDRY
from chaos.installation import PROCESSOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.site import Site

_MERGES: Final = 6
_ROUNDS: Final = 2
_SECONDS: Final = 120


@contextmanager
def all_at_once(site: Site) -> Iterator[None]:
    """Merge six different models at once, twice, while two DAG processors refresh one folder."""
    second = _second_processor(site)
    try:
        for turn in range(_ROUNDS):
            head = site.fleet.store.head(FOUNDRY).revision
            merges = [
                site.fleet.start_merge(
                    site.fleet.model(f"crowd{turn}{n}", **site.fleet.change_all())
                )
                for n in range(_MERGES)
            ]
            codes = [merge.wait(_SECONDS) for merge in merges]
            assert codes == [0] * _MERGES, codes
            assert site.fleet.store.head(FOUNDRY).revision == head + _MERGES
        yield
    finally:
        second.terminate()
        second.wait(_SECONDS)


def _second_processor(site: Site) -> subprocess.Popen[bytes]:
    with (site.folder / "second.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "airflow", PROCESSOR],
            env=site.airflow.processes.environment,
            cwd=site.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


FAULTS = (Fault(name="12 merges and 2 DAG processors at once", happens=all_at_once, seconds=10.0),)
