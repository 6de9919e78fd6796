"""Airflow 3 stores a DAG version when a DAG changes, and at no other time."""

from __future__ import annotations

import os
from itertools import count
from typing import TYPE_CHECKING

import airflow
import pytest

if int(airflow.__version__.split(".")[0]) < 3:
    reason = f"Airflow {airflow.__version__} has no DAG versions; they came with 3.0"
    pytest.skip(reason, allow_module_level=True)

if TYPE_CHECKING:
    from live_airflow import Live


def versions(live: Live, name: str) -> int:
    """Return the number of versions of an entry's DAG that Airflow has stored."""
    path = f"/dags/{live.dag_id(name)}/dagVersions"
    return int(live.airflow.api.get(path)["total_entries"])


def parse_all(live: Live) -> None:
    """Have every file parsed once more, whatever is in it."""
    here = [live.dag_id(name) for name in ("steady", "unsteady", "neighbour")]
    before = {dag_id: live.dags()[dag_id]["last_parsed_time"] for dag_id in here}
    for stub in live.airflow.home.glob("bundles/living/current/*.py"):
        os.utime(stub)
    for dag_id, time in before.items():
        live.until(lambda d=dag_id, t=time: live.dags()[d]["last_parsed_time"] != t)


def restart_parsing(live: Live, hash_seed: int) -> None:
    """Start a new DAG processor, whose sets come in another order."""
    live.airflow.stop_component("dag-processor")
    live.airflow.environment["PYTHONHASHSEED"] = str(hash_seed)
    live.airflow.start_component("dag-processor")


def test_only_a_change_of_a_dag_adds_a_version(live: Live) -> None:
    """Neither parsing it again, nor another process, nor a change of its neighbour does.

    A change adds a version only when the last one has run, so both DAGs run first.
    """
    restart_parsing(live, 1)
    live.merge(steady={}, unsteady={"act": "order"}, neighbour={})
    for name in ("steady", "unsteady"):
        live.until(lambda name=name: live.dag_id(name) in live.dags())
        live.airflow.api.patch(f"/dags/{live.dag_id(name)}", {"is_paused": False})
        live.run(live.dag_id(name))
    live.until(lambda: live.dag_id("neighbour") in live.dags())
    parse_all(live)
    parse_all(live)
    assert (versions(live, "steady"), versions(live, "unsteady")) == (1, 1)

    seeds = count(2)
    while versions(live, "unsteady") == 1:
        restart_parsing(live, next(seeds))
        parse_all(live)
    assert versions(live, "steady") == 1

    revision = live.merge(neighbour={"number": 2})
    neighbour = live.dag_id("neighbour")
    live.until(lambda: f"revision: {revision}" in live.dags()[neighbour]["description"])
    parse_all(live)
    assert versions(live, "steady") == 1

    live.merge(steady={"number": 2})
    live.until(lambda: versions(live, "steady") == 2)

    live.merge(steady=None, unsteady=None, neighbour=None)
    live.reconcile()
    del live.airflow.environment["PYTHONHASHSEED"]
