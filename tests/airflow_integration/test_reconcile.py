"""Factory DAGs in a real Airflow: they bring the store and Airflow together, and say so."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow_client import AirflowError

from dagfoundry.metrics import render
from dagfoundry.rollback import undelete
from dagfoundry.store import Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from pathlib import Path

    from live_airflow import Live

RECONCILE = """
import json, sys
from datetime import timedelta
from dagfoundry.plugins import load_plugins
from dagfoundry.settings import read_settings
from dagfoundry.store import open_store
from dagfoundry_airflow._compat import open_airflow_api
from dagfoundry_airflow.reconcile import FactoryName, Reconciliation

name = FactoryName(
    foundry="Living", platform_name="Alive", factory_type="probe", dag_id="alive_probe_factory"
)
store = open_store(read_settings().store_url)
retention = timedelta(days=read_settings().retention_days)
made = Reconciliation(store, open_airflow_api(), name, load_plugins(), retention=retention)
report = made.run(wait_seconds=float(sys.argv[1]))
print("report=" + json.dumps(report))
"""


def start_reconcile(live: Live, wait_seconds: float, **environment: str) -> subprocess.Popen[str]:
    """Start a reconciliation in a process of its own, with Airflow's environment."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", RECONCILE, str(wait_seconds)],
        env=live.airflow.environment | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def settled(live: Live) -> Live:
    """The real Airflow, with all that was merged before reconciled."""
    live.reconcile()
    return live


def test_a_report_names_what_is_new(settled: Live) -> None:
    """It names it once."""
    revision = settled.merge(new={})
    report = settled.reconcile()
    assert report["created"] == [settled.dag_id("new")]
    assert (report["missing"], report["stale"], report["broken"]) == ([], [], {})
    assert report["revision"] == revision
    (stored,) = settled.store.reports(settled.foundry)
    assert (stored.dag_id, stored.report["revision"]) == (settled.factory, revision)
    assert settled.reconcile()["created"] == []


def test_a_report_names_what_changed(settled: Live) -> None:
    """Airflow serves the new definition by then."""
    settled.merge(one={"number": 5})
    assert settled.reconcile()["updated"] == [settled.dag_id("one")]
    tasks = settled.airflow.api.get(f"/dags/{settled.dag_id('one')}/tasks")["tasks"]
    assert "second_5" in {task["task_id"] for task in tasks}


def test_an_entry_that_is_not_enabled_is_paused_until_it_is_enabled_again(settled: Live) -> None:
    """Who paused it is remembered."""
    settled.merge(two={"enabled": False})
    assert settled.reconcile()["paused"] == [settled.dag_id("two")]
    assert settled.paused("two")
    settled.merge(two={})
    assert settled.reconcile()["unpaused"] == [settled.dag_id("two")]
    assert not settled.paused("two")


def test_an_entry_that_is_born_disabled_is_unpaused_when_it_is_enabled(settled: Live) -> None:
    """Airflow paused it for us when it first saw it."""
    settled.merge(born={"enabled": False})
    settled.reconcile()
    assert settled.paused("born")
    settled.merge(born={})
    settled.reconcile()
    assert not settled.paused("born")


def test_what_a_person_paused_stays_paused(settled: Live) -> None:
    """Whatever happens to the entry."""
    dag_id = settled.dag_id("three")
    settled.airflow.api.patch(f"/dags/{dag_id}", {"is_paused": True})
    settled.merge(three={"number": 1})
    settled.reconcile()
    settled.merge(three={"enabled": False})
    settled.reconcile()
    settled.merge(three={"number": 2})
    assert settled.reconcile()["unpaused"] == []
    assert settled.paused("three")
    settled.airflow.api.patch(f"/dags/{dag_id}", {"is_paused": False})


def test_a_dag_that_a_person_deleted_in_airflow_comes_back_and_that_is_said(settled: Live) -> None:
    """The model still has it; who wants it gone takes it out of there."""
    dag_id = settled.dag_id("three")
    settled.airflow.api.delete(f"/dags/{dag_id}")
    assert settled.reconcile()["restored"] == [dag_id]
    assert dag_id in settled.dags()
    assert settled.reconcile()["restored"] == []


def test_a_removed_entry_is_retired_and_leaves_airflows_list(settled: Live) -> None:
    """It comes back running when the model names it again."""
    dag_id = settled.dag_id("gone")
    settled.merge(gone={})
    settled.reconcile()
    settled.merge(gone=None)
    assert settled.reconcile()["retired"] == [dag_id]
    settled.until(lambda: dag_id not in settled.dags())
    settled.merge(gone={})
    assert settled.reconcile()["created"] == [dag_id]
    assert not settled.paused("gone")


def test_a_retired_entry_is_brought_back_with_undelete(settled: Live) -> None:
    """As it last lived, running, though the model does not have it."""
    dag_id = settled.dag_id("saved")
    settled.merge(saved={"number": 7})
    settled.reconcile()
    settled.merge(saved=None)
    assert settled.reconcile()["retired"] == [dag_id]
    settled.until(lambda: dag_id not in settled.dags())
    origin = Origin(author="Ada", message="it is needed", source=Source.ROLLBACK)
    undelete(settled.store, settled.foundry, dag_id, origin=origin)
    assert settled.reconcile()["created"] == [dag_id]
    assert not settled.paused("saved")
    tasks = settled.airflow.api.get(f"/dags/{dag_id}/tasks")["tasks"]
    assert "second_7" in {task["task_id"] for task in tasks}
    settled.merge()
    settled.reconcile()


def purge_now(live: Live, metrics: Path) -> dict[str, Any]:
    """Reconcile with no retention at all and return the report."""
    environment = {"DAGFOUNDRY_RETENTION_DAYS": "0", "DAGFOUNDRY_METRICS_DIR": str(metrics)}
    process = start_reconcile(live, 60, **environment)
    output, errors = process.communicate(timeout=180)
    assert process.returncode == 0, errors
    report: dict[str, Any] = json.loads(output.split("report=")[1])
    return report


def test_an_entry_that_was_retired_for_long_is_purged_and_begins_anew(
    settled: Live, tmp_path: Path
) -> None:
    """Its row and its runs in Airflow are gone; made again, it is neither paused nor has runs."""
    dag_id = settled.dag_id("old")
    settled.merge(old={})
    settled.reconcile()
    settled.run(dag_id)
    settled.merge(old=None)
    assert settled.reconcile()["retired"] == [dag_id]
    settled.until(lambda: dag_id not in settled.dags())
    assert settled.reconcile()["purged"] == []
    report = purge_now(settled, tmp_path)
    assert dag_id in report["purged"]
    assert report["undeleted"] == {}
    labels = 'factory="alive_probe_factory",foundry="Living",said="purged"'
    counted = f"dagfoundry_factory_dags{{{labels}}} {len(report['purged'])}"
    assert counted in render(str(tmp_path)).decode()
    (row,) = settled.store.rows_at(settled.foundry, 10_000, dag_id=dag_id)
    assert row.status.value == "purged"
    with pytest.raises(AirflowError, match="404"):
        settled.airflow.api.get(f"/dags/{dag_id}")
    assert dag_id not in purge_now(settled, tmp_path)["purged"]
    settled.merge(old={})
    assert settled.reconcile()["created"] == [dag_id]
    assert not settled.paused("old")
    assert settled.airflow.api.get(f"/dags/{dag_id}/dagRuns")["dag_runs"] == []


def test_a_removed_entry_finishes_its_runs_first(settled: Live, tmp_path: Path) -> None:
    """Airflow would stop the runs of a paused DAG."""
    dag_id, end = settled.dag_id("long"), tmp_path / "end"
    settled.merge(long={"until": str(end)})
    settled.reconcile()
    run_id = settled.airflow.api.trigger(dag_id)
    path = f"/dags/{dag_id}/dagRuns/{run_id}"
    settled.until(lambda: settled.airflow.api.get(path)["state"] == "running")
    settled.merge(long=None)
    report = settled.reconcile()
    assert (report["retired"], report["draining"]) == ([], {dag_id: 1})
    assert not settled.paused("long")
    end.touch()
    settled.until(lambda: settled.airflow.api.get(path)["state"] == "success")
    assert settled.reconcile()["retired"] == [dag_id]


def test_two_at_once_do_no_harm(settled: Live) -> None:
    """Both succeed, and the entry is retired in one revision."""
    settled.merge(twin={}, other={"enabled": False})
    settled.reconcile()
    revision = settled.merge(twin=None, other={})
    both = [start_reconcile(settled, 60) for _ in range(2)]
    outputs = [process.communicate(timeout=180) for process in both]
    assert [process.returncode for process in both] == [0, 0], outputs
    reports = [json.loads(output.split("report=")[1]) for output, _ in outputs]
    assert any(settled.dag_id("twin") in report["retired"] for report in reports)
    assert settled.store.head(settled.foundry).revision == revision + 1
    assert not settled.paused("other")


def test_a_broken_entry_is_reported_and_holds_nobody_up(settled: Live) -> None:
    """The reason is that of the trial build."""
    settled.merge(bad={"act": "raise"}, fine={})
    report = settled.reconcile()
    assert "does not like it" in report["broken"][settled.dag_id("bad")]
    assert report["created"] == [settled.dag_id("fine")]
    settled.merge(bad=None)
    assert settled.dag_id("bad") in settled.reconcile()["retired"]


def edit_by_hand(live: Live, key: str, **values: object) -> None:
    """Edit an entry's row as a person does who knows nothing of DAG Foundry."""
    from sqlalchemy import MetaData, Table, update

    with live.store.writing() as connection:
        table = Table("alive_probe_entries", MetaData(), autoload_with=connection)
        done = connection.execute(update(table).where(table.c.entry_key == key).values(values))
        assert done.rowcount == 1


def stored_config(live: Live, key: str) -> dict[str, Any]:
    """Return an entry's config."""
    (row,) = live.store.rows_at(live.foundry, 10_000, dag_id=live.dag_id(key))
    return row.config()


def test_a_row_edited_in_the_database_is_recorded_and_served(settled: Live) -> None:
    """Within one run of the factory DAG, as a revision of its own."""
    config = stored_config(settled, "one") | {"number": 77}
    edit_by_hand(settled, "one", config_json=json.dumps(config))
    before = settled.store.head(settled.foundry).revision
    report = settled.reconcile()
    assert report["drifted"] == [settled.dag_id("one")]
    assert report["revision"] == before + 1
    tasks = settled.airflow.api.get(f"/dags/{settled.dag_id('one')}/tasks")["tasks"]
    assert "second_77" in {task["task_id"] for task in tasks}
    revision = settled.store.revision(settled.foundry, before + 1)
    assert revision is not None
    assert (revision.source.value, revision.author) == (
        "external",
        "unknown (edited in the database)",
    )
    assert f"factory DAG {settled.factory}" in revision.message
    assert settled.reconcile()["drifted"] == []


def test_a_row_broken_in_the_database_is_reported_and_its_last_good_dag_stays(
    settled: Live,
) -> None:
    """The next merge heals it."""
    settled.merge(two={"number": 4})
    settled.reconcile()
    edit_by_hand(settled, "two", config_json="{oops")
    report = settled.reconcile()
    assert report["drifted"] == [settled.dag_id("two")]
    assert "config_json cannot be read" in report["broken"][settled.dag_id("two")]
    tasks = settled.airflow.api.get(f"/dags/{settled.dag_id('two')}/tasks")["tasks"]
    assert "second_4" in {task["task_id"] for task in tasks}
    settled.merge(two={"number": 4})
    assert settled.reconcile()["broken"] == {}


def test_a_status_that_means_nothing_is_held_back(settled: Live) -> None:
    """It is said in each report until somebody corrects it."""
    edit_by_hand(settled, "two", status="aktive")
    report = settled.reconcile()
    assert report["drifted"] == []
    assert "status 'aktive' is unknown" in report["held_back"][settled.dag_id("two")]
    edit_by_hand(settled, "two", status="active")
    assert settled.reconcile()["held_back"] == {}


def test_a_row_deleted_in_the_database_leaves_airflows_list(settled: Live) -> None:
    """The history of the entry stays."""
    from sqlalchemy import MetaData, Table, delete

    dag_id = settled.dag_id("dropped")
    settled.merge(dropped={})
    settled.reconcile()
    with settled.store.writing() as connection:
        table = Table("alive_probe_entries", MetaData(), autoload_with=connection)
        connection.execute(delete(table).where(table.c.entry_key == "dropped"))
    report = settled.reconcile()
    assert (report["drifted"], report["retired"]) == ([dag_id], [dag_id])
    settled.until(lambda: dag_id not in settled.dags())
    settled.merge(dropped=None)


def drift(live: Live, *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run ``dagfoundry drift --json`` with Airflow's environment."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "dagfoundry", "drift", "--json", *arguments],
        env=live.airflow.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


def test_drift_asks_airflow(settled: Live) -> None:
    """Nothing differs once it is reconciled; a DAG that Airflow lacks is a difference."""
    code, answer = drift(settled)
    assert (code, answer["differences"], answer["notes"]) == (0, [], [])
    component = "dag-processor" if "dag-processor" in settled.airflow.components else "scheduler"
    settled.airflow.stop_component(component)
    settled.merge(unserved={})
    code, answer = drift(settled)
    settled.airflow.start_component(component)
    found = {(d["where"], d["dag_id"], d["field"]) for d in answer["differences"]}
    assert code == 2
    assert ("airflow", settled.dag_id("unserved"), "DAG") in found
    assert ("airflow", settled.foundry, "published revision") in found
    settled.merge(unserved=None)
    settled.reconcile()


def test_it_fails_when_airflow_does_not_serve_what_the_store_holds(settled: Live) -> None:
    """One error says what to look at; the next run finds everything in order."""
    component = "dag-processor" if "dag-processor" in settled.airflow.components else "scheduler"
    settled.airflow.stop_component(component)
    revision = settled.merge(late={})
    process = start_reconcile(settled, 3)
    _, errors = process.communicate(timeout=120)
    settled.airflow.start_component(component)
    assert process.returncode == 1
    assert f"revision {revision} is published by no DAG processor" in errors
    report: dict[str, Any] = settled.reconcile()
    assert settled.dag_id("late") in report["created"]


PURGE_LEFT_BEHIND = """
import json
from datetime import timedelta
from dagfoundry.settings import read_settings
from dagfoundry.store import open_store
from dagfoundry_airflow._compat import open_airflow_api
from dagfoundry_airflow.purge import purge_left_behind

store = open_store(read_settings().store_url)
print("purged=" + json.dumps(purge_left_behind(store, open_airflow_api(), "Living", timedelta(0))))
"""


def purge_left_behind(live: Live) -> list[str]:
    """Do what the infrastructure DAG does for factories that are gone, without a retention."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PURGE_LEFT_BEHIND],
        env=live.airflow.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    purged: list[str] = json.loads(done.stdout.split("purged=")[1])
    return purged


def test_a_factory_that_is_gone_is_purged_with_its_entries(settled: Live) -> None:
    """No factory DAG is left to do it; it comes back with the model."""
    dag_id, kept = settled.dag_id("one"), dict(settled.entries)
    assert purge_left_behind(settled) == []
    settled.merge(allow_prune=True, **dict.fromkeys(kept))
    settled.run(settled.factory)
    settled.until(lambda: not {dag_id, settled.factory} & settled.dags().keys())
    assert {dag_id, settled.factory} <= set(purge_left_behind(settled))
    with pytest.raises(AirflowError, match="404"):
        settled.airflow.api.get(f"/dags/{settled.factory}")
    settled.merge(**kept)
    settled.until(lambda: {dag_id, settled.factory} <= settled.dags().keys())
    settled.reconcile()
    assert not settled.paused("one")
