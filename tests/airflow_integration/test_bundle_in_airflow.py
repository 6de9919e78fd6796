"""The bundle in a real DAG processor and in a whole Airflow 3."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import airflow
import pytest
from dag_processor import Processor
from lost_history import empty, restore

if int(airflow.__version__.split(".")[0]) < 3:
    reason = f"Airflow {airflow.__version__} has no DAG bundles; they came with 3.0"
    pytest.skip(reason, allow_module_level=True)

from dagfoundry_airflow.notice import HELD_BACK
from dagfoundry_airflow.snapshot import error_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_airflow import Live
    from probe_foundry import Foundry

pytestmark = pytest.mark.every_airflow


@pytest.fixture
def processor(foundry: Foundry, tmp_path: Path) -> Iterator[Processor]:
    """A DAG processor that is not yet started."""
    home = tmp_path / "airflow"
    home.mkdir()
    made = Processor(home, foundry)
    yield made
    made.stop()


def test_a_real_dag_processor_follows_the_store(foundry: Foundry, processor: Processor) -> None:
    """DAGs, versions, changes, errors, removals and an outage, as Airflow shows them."""
    foundry.write(a={"number": 1}, b={}, c={})
    everything = {"probing_infrastructure", *(f"live__{key}_probe" for key in "abc")}
    processor.start()
    processor.wait(lambda: processor.listed() == everything)
    assert processor.errors() == {}
    versions = dict(processor.rows("SELECT dag_id, bundle_version FROM dag_version"))
    assert versions.keys() == everything
    assert all(version.startswith("r1-") for version in versions.values())

    foundry.write(a={"number": 2}, d={})
    processor.wait(lambda: "second_2" in processor.tasks("live__a_probe"))
    processor.wait(lambda: "live__d_probe" in processor.listed())

    foundry.write(a={"act": "raise"}, b={"act": "crash"})
    processor.wait(lambda: len(processor.errors()) == 2)
    report = processor.errors()["dagfoundry_probing_error_live__a_probe.py"]
    assert "KeyError" in report
    assert "keeps the DAG of revision 2" in report
    assert everything < processor.listed()

    foundry.write(a={"number": 4}, b={"number": 4})
    processor.wait(lambda: processor.errors() == {})
    processor.wait(lambda: "second_4" in processor.tasks("live__a_probe"))

    foundry.write(c="retired", d="retired")
    processor.wait(lambda: not processor.listed() & {"live__c_probe", "live__d_probe"})

    left = processor.listed()
    foundry.hide()
    processor.stop()
    processor.start()
    time.sleep(15)
    assert processor.process.poll() is None
    assert processor.listed() == left
    assert processor.errors() == {}
    foundry.show()
    foundry.write(a={"number": 5})
    processor.wait(lambda: "second_5" in processor.tasks("live__a_probe"))


def test_a_dag_processor_that_starts_before_the_store(
    foundry: Foundry, processor: Processor
) -> None:
    """It stays alive, removes nothing, and heals by itself."""
    foundry.write(a={})
    foundry.hide()
    processor.start()
    log = processor.home / "log.txt"
    processor.wait(lambda: "does not exist" in log.read_text())
    foundry.show()
    processor.wait(lambda: "live__a_probe" in processor.listed())
    assert processor.errors() == {}


def test_a_store_that_lost_its_history_takes_no_dag_out_of_airflow(
    foundry: Foundry, processor: Processor
) -> None:
    """Airflow shows why, also after a restart; a merge mends it; an empty disk removes nothing."""
    foundry.write(a={})
    foundry.write(b={}, c={})
    everything = {"probing_infrastructure", *(f"live__{key}_probe" for key in "abc")}
    processor.start()
    processor.wait(lambda: processor.listed() == everything)

    restore(foundry, 1)
    processor.wait(lambda: error_file("Probing", HELD_BACK) in processor.errors())
    assert "2 of 4 DAGs" in processor.errors()[error_file("Probing", HELD_BACK)]
    processor.stop()
    processor.start()
    time.sleep(15)
    assert processor.listed() == everything

    foundry.write(b={"number": 2}, c={})
    processor.wait(lambda: "second_2" in processor.tasks("live__b_probe"))
    processor.wait(lambda: processor.errors() == {})
    assert processor.listed() == everything

    processor.stop()
    empty(foundry, "changes")
    shutil.rmtree(processor.home / "bundles")
    processor.start()
    log = processor.home / "log.txt"
    processor.wait(lambda: "Nothing is published on this host" in log.read_text())
    time.sleep(10)
    assert processor.listed() == everything


def test_a_run_ends_on_the_version_with_which_it_began(live: Live, tmp_path: Path) -> None:
    """Its DAG changes meanwhile, and the folder of its version is lost."""
    flag, dag_id = tmp_path / "go on", live.dag_id("pinned")
    revision = live.merge(pinned={"number": 1, "until": str(flag)})
    live.until(lambda: dag_id in live.dags())
    live.airflow.api.patch(f"/dags/{dag_id}", {"is_paused": False})
    run_id = live.airflow.api.trigger(dag_id)
    run = f"/dags/{dag_id}/dagRuns/{run_id}"
    task = f"{run}/taskInstances/sleep"
    live.until(lambda: live.airflow.api.get(task)["state"] == "running")

    live.merge(pinned={"number": 2, "until": str(flag)})
    live.until(lambda: f"revision: {revision + 1}" in live.dags()[dag_id]["description"])
    version = live.airflow.api.get(run)["bundle_version"]
    assert version.startswith(f"r{revision}-")
    folder = live.airflow.home / "bundles" / "living" / "versions" / version
    shutil.rmtree(folder)
    flag.touch()
    live.until(lambda: live.airflow.api.get(run)["state"] == "success")
    assert "the number is 1" in live.task_logs(dag_id, run_id)
    assert len(list(folder.glob("*.py"))) == 1
    assert "the number is 2" in live.task_logs(dag_id, live.run(dag_id))
    live.merge(pinned=None)
    live.reconcile()


def told(live: Live, dag_id: str, run_id: str, attempt: int) -> str:
    """Return what an attempt of the task ``tell`` has logged, once its run is over."""
    run = f"/dags/{dag_id}/dagRuns/{run_id}"
    task = f"{run}/taskInstances/tell"
    live.until(lambda: live.airflow.api.get(task)["try_number"] == attempt)
    live.until(lambda: live.airflow.api.get(run)["state"] == "success")
    (log,) = live.airflow.home.glob(
        f"logs/dag_id={dag_id}/run_id={run_id}/task_id=tell/attempt={attempt}.log"
    )
    return log.read_text()


def test_a_cleared_run_keeps_its_version_unless_the_latest_is_asked_for(
    live: Live, tmp_path: Path
) -> None:
    """Airflow 3.0 cannot be told so: there a finished run that is cleared moves to the latest."""
    flag, dag_id = tmp_path / "go on", live.dag_id("cleared")
    flag.touch()
    live.merge(cleared={"number": 1, "until": str(flag)})
    live.until(lambda: dag_id in live.dags())
    run_id = live.run(dag_id)
    revision = live.merge(cleared={"number": 2, "until": str(flag)})
    live.until(lambda: f"revision: {revision}" in live.dags()[dag_id]["description"])

    clear = {"dag_run_id": run_id, "dry_run": False, "only_failed": False}
    path = f"/dags/{dag_id}/clearTaskInstances"
    live.airflow.api.post(path, clear)
    keeps = tuple(map(int, airflow.__version__.split(".")[:2])) > (3, 0)
    number = 1 if keeps else 2
    assert f"the number is {number}" in told(live, dag_id, run_id, 2)
    if keeps:
        live.airflow.api.post(path, clear | {"run_on_latest_version": True})
        assert "the number is 2" in told(live, dag_id, run_id, 3)
    live.merge(cleared=None)
    live.reconcile()
