"""PostgreSQL is killed."""

from __future__ import annotations

import shutil
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow_client import AIRFLOW_2

from chaos.faults.record import Fault
from chaos.installation import PROCESSOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chaos.site import Site


@contextmanager
def store_is_killed(site: Site) -> Iterator[None]:
    """Kill the store's PostgreSQL."""
    site.store.kill()
    yield
    site.store.start()


@contextmanager
def everything_is_killed(site: Site) -> Iterator[None]:
    """Kill the store's PostgreSQL and Airflow's own."""
    site.store.kill()
    site.metadata.kill()
    yield
    site.metadata.start()
    site.store.start()


@contextmanager
def disk_is_empty_and_store_down(site: Site) -> Iterator[None]:
    """Start the DAG processor anew where nothing is on the disk and the store is down."""
    site.airflow.stop(PROCESSOR, signal.SIGTERM)
    site.store.kill()
    for path in site.airflow.snapshot.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    site.airflow.start(PROCESSOR)
    yield
    site.store.start()


FAULTS = (
    Fault(name="kill -9 of the store's PostgreSQL", happens=store_is_killed, reaches_store=False),
    Fault(
        name="kill -9 of both PostgreSQL, Airflow's too",
        happens=everything_is_killed,
        reaches_store=False,
    ),
    Fault(
        name="store down, DAG processor starts on an empty disk",
        happens=disk_is_empty_and_store_down,
        reaches_store=False,
        may_block=AIRFLOW_2,
        seconds=30.0,
    ),
)
