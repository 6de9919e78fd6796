"""Processes are killed in the middle of what they do."""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import psutil
import psycopg2
from airflow_client import AIRFLOW_2

from chaos.faults.record import Fault
from chaos.fleet import BUCKETS, FOUNDRY, PINNED
from chaos.installation import PROCESSOR
from dagfoundry.names import bucket_file, bucket_of
from dagfoundry_airflow.snapshot import sidecar_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chaos.site import Site

_PATIENCE_SECONDS: Final = 60.0
_RETRY_SECONDS: Final = 120.0
_BETWEEN_SECONDS: Final = 5.0
_LATER_SECONDS: Final = (0.0, 0.02, 0.05, 0.1, 0.2)
_WRITES: Final = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'store' AND backend_xid IS NOT NULL"
)


def _until(condition: Callable[[], bool], what: str, pause: float = 0.005) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < until, f"{what} did not happen"
        time.sleep(pause)


@contextmanager
def processor_is_killed(site: Site) -> Iterator[None]:
    """Change all entries and kill the DAG processor at the first file of it; three times."""
    for later in (0.0, 0.01, 0.05):
        time.sleep(_BETWEEN_SECONDS)
        before = {path: path.stat().st_mtime_ns for path in site.served.glob("*.json")}
        site.fleet.change_to(site.fleet.change_all())
        _until(lambda seen=before: _has_changed(seen), "a refresh")  # type: ignore[misc]  # a default
        time.sleep(later)
        _kill_refresh(site)
    yield


def _has_changed(before: dict[object, int]) -> bool:
    for path, mtime in before.items():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime_ns != mtime:  # type: ignore[attr-defined]  # a path
                return True
    return False


def _kill_refresh(site: Site) -> None:
    """Kill the DAG processor and its parse processes, as a container is killed."""
    processor = site.airflow.process(PROCESSOR)
    for victim in [processor, *processor.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            victim.kill()


@contextmanager
def merge_is_killed(site: Site) -> Iterator[None]:
    """Kill merges that change all entries while their transaction is open."""
    for later in _LATER_SECONDS:
        head = site.fleet.store.head(FOUNDRY).revision
        merge = site.fleet.start_merge(site.fleet.model("killed", **site.fleet.change_all()))
        connection = psycopg2.connect(site.store.url("postgres"))
        connection.autocommit = True
        _until(lambda on=connection: _writes(on), "a merge")  # type: ignore[misc]  # a default
        time.sleep(later)
        merge.kill()
        merge.wait()
        connection.close()
        assert site.fleet.store.head(FOUNDRY).revision in (head, head + 1)
    yield


def _writes(connection: psycopg2.extensions.connection) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WRITES)
        row = cursor.fetchone()
        return bool(row and row[0])


@contextmanager
def worker_is_killed(site: Site) -> Iterator[Callable[[], None]]:
    """Kill a task's process while it fetches its DAG, on a disk without it; it is retried."""
    api, dag_id = site.airflow.processes.api, site.fleet.dag_id(PINNED)
    site.proxy.delay = 0.3
    run_id = api.trigger(dag_id)
    until = time.monotonic() + _PATIENCE_SECONDS
    while not (victims := site.airflow.talking_to(site.proxy.port, "scheduler")):
        assert time.monotonic() < until, "no task asked the store"
        _empty_disk(site)
    for victim in victims:
        with suppress(psutil.NoSuchProcess):
            victim.kill()
    site.proxy.mend()
    yield lambda: _succeeds(site, run_id)


def _succeeds(site: Site, run_id: str) -> None:
    """Wait until the run has succeeded, and check that its job was carried out once."""
    api, dag_id = site.airflow.processes.api, site.fleet.dag_id(PINNED)
    until = time.monotonic() + _RETRY_SECONDS
    while (state := api.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"]) != "success":
        assert state != "failed", "the run failed"
        assert time.monotonic() < until, f"the run is {state}"
        time.sleep(0.5)
    lines = site.fleet.ledger.read_text(encoding="utf-8").splitlines()
    assert lines.count(f"{dag_id} {run_id}") == 1


def _empty_disk(site: Site) -> None:
    """Remove what the task would find: on Airflow 3 its version, on Airflow 2 its DAG's file."""
    if AIRFLOW_2:
        bucket = bucket_of(site.fleet.dag_id(PINNED), BUCKETS)
        (site.served / sidecar_name(bucket_file(FOUNDRY, bucket))).unlink(missing_ok=True)
        return
    for folder in (site.airflow.snapshot / "versions").iterdir():
        shutil.rmtree(folder, ignore_errors=True)


FAULTS = (
    Fault(
        name="kill -9 of the DAG processor in a refresh, 3 times",
        happens=processor_is_killed,
        seconds=0,
    ),
    Fault(name="kill -9 of a merge, 5 times", happens=merge_is_killed, seconds=0),
    Fault(
        name="kill -9 of a worker in `initialize` (2.x: as it loads its DAG)",
        happens=worker_is_killed,
        seconds=0,
    ),
)
