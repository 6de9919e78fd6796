"""The bundle of Airflow 3: in this process, and in a real DAG processor."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import airflow
import pytest

if int(airflow.__version__.split(".")[0]) < 3:
    reason = f"Airflow {airflow.__version__} has no DAG bundles; they came with 3.0"
    pytest.skip(reason, allow_module_level=True)

from airflow.dag_processing.bundles.base import BundleVersion
from airflow.exceptions import AirflowException

from dagfoundry_airflow import bundle as bundle_module
from dagfoundry_airflow.bundle import DagFoundryBundle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Foundry, Live

WAIT_SECONDS = 120


@pytest.fixture
def make_bundle(
    foundry: Foundry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., DagFoundryBundle]]:
    """Return a function that makes a bundle as Airflow does; one storage folder per host."""
    monkeypatch.setenv(
        "DAGFOUNDRY_STORE_URL", foundry.store.url.render_as_string(hide_password=False)
    )
    monkeypatch.setattr(bundle_module, "_WORKER_PATIENCE_SECONDS", 3.0)
    made = []

    def make(host: str = "processor", **arguments: object) -> DagFoundryBundle:
        monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / host))
        bundle = DagFoundryBundle(name="probes", foundry=foundry.name, **arguments)
        made.append(bundle)
        return bundle

    yield make
    for bundle in made:
        if "publisher" in vars(bundle):
            bundle.publisher.close()


@pytest.fixture
def settled() -> Callable[[DagFoundryBundle], str]:
    """Return a function that refreshes a bundle until nothing waits for its trial."""

    def refresh(bundle: DagFoundryBundle) -> str:
        until = time.monotonic() + WAIT_SECONDS
        bundle.refresh()
        while bundle.publisher.state().pending:
            assert time.monotonic() < until
            bundle.refresh()
        return bundle.get_current_version().version

    return refresh


@pytest.fixture
def as_task(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes this process the one of a task of a DAG."""

    def become(dag_id: str) -> None:
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "first")

    return become


def test_making_a_bundle_does_nothing(
    make_bundle: Callable[..., DagFoundryBundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Airflow makes one in the scheduler, the API server and every task; it must not fail."""
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", "no url at all")
    bundle = make_bundle(view_url_template="http://ui.test/{foundry}/{version}")
    assert bundle.refresh_interval == 5
    assert bundle.supports_versioning
    assert bundle.view_url_template() == "http://ui.test/{foundry}/{version}"
    assert bundle.foundry == "Probing"
    assert bundle.get_current_version() is None
    assert not (tmp_path / "processor").exists()


def test_the_current_version_comes_from_disk(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
) -> None:
    """It is asked outside of any try, and after a restart with the store down."""
    foundry.write(a={})
    bundle = make_bundle()
    bundle.initialize()
    version = settled(bundle)
    foundry.hide()
    assert make_bundle().get_current_version() == BundleVersion(version=version)
    restarted = make_bundle()
    restarted.initialize()
    restarted.refresh()
    assert (restarted.path / "dagfoundry_probing_error_old.py").parent.is_dir()
    assert restarted.get_current_version().version == version


def test_only_airflows_exception_leaves_initialize(
    make_bundle: Callable[..., DagFoundryBundle], foundry: Foundry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any other one ends the DAG processor of 3.0 to 3.2."""
    foundry.hide()
    with pytest.raises(AirflowException, match="does not exist"):
        make_bundle().initialize()
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", "no url at all")
    with pytest.raises(AirflowException, match="DAGFOUNDRY_STORE_URL"):
        make_bundle().initialize()


def test_even_a_surprise_is_airflows_exception(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
) -> None:
    """Somebody edited a table that nobody should."""
    foundry.write(a={})
    settled(make_bundle())
    with foundry.store.writing() as connection:
        connection.exec_driver_sql("UPDATE probing_versions SET manifest = '{'")
    with pytest.raises(AirflowException, match="JSONDecodeError"):
        make_bundle("another").initialize()


def test_a_disk_that_cannot_be_written_is_airflows_exception_too(
    make_bundle: Callable[..., DagFoundryBundle], tmp_path: Path
) -> None:
    """The folder's place is taken by a file here."""
    (tmp_path / "processor").write_text("in the way")
    with pytest.raises(AirflowException):
        make_bundle().initialize()


def test_a_task_gets_its_runs_version(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """On an empty worker, with one file, while the DAG has changed since."""
    foundry.write(a={"number": 1}, b={}, c={}, d={}, e={}, f={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    foundry.write(a={"number": 2})
    settled(processor)
    as_task("live__a_probe")
    task = make_bundle("worker", version=version)
    task.initialize()
    assert task.path.name == version
    assert len(list(task.path.glob("*.py"))) == 1
    assert '\\"number\\": 1' in next(task.path.glob("dagfoundry_*.json")).read_text()
    assert task.get_current_version() == BundleVersion(version=version)
    with pytest.raises(AirflowException, match="never changes"):
        task.refresh()


def test_a_task_starts_without_the_store_where_the_file_is(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """The DAG processor's host has every version it published."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    foundry.hide()
    as_task("live__a_probe")
    task = make_bundle(version=version)
    task.initialize()
    assert list(task.path.glob("*.py"))


def test_a_task_waits_for_a_store_that_blinks(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """On Airflow 3.0 a task whose start raises is lost, whatever its retries."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    foundry.hide()
    back = threading.Timer(1.0, foundry.show)
    back.start()
    as_task("live__a_probe")
    task = make_bundle("worker", version=version)
    task.initialize()
    assert list(task.path.glob("*.py"))
    back.join()


def test_a_task_without_a_version_gets_the_newest(
    make_bundle: Callable[..., DagFoundryBundle],
    foundry: Foundry,
    settled: Callable[[DagFoundryBundle], str],
    as_task: Callable[[str], None],
) -> None:
    """Airflow asks for none where bundle versioning is switched off."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    as_task("live__a_probe")
    task = make_bundle("worker")
    task.initialize()
    assert task.path.name == version
    foundry.hide()
    local = make_bundle()
    local.initialize()
    assert local.path == processor.path
    with pytest.raises(AirflowException):
        make_bundle("another worker").initialize()


# --- A real DAG processor ------------------------------------------------------------


class Processor:
    """A real ``airflow dag-processor`` with a metadata database of its own."""

    def __init__(self, home: Path, foundry: Foundry) -> None:
        self.home = home
        self.database = home / "airflow.db"
        config = [
            {
                "name": "probes",
                "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle",
                "kwargs": {"foundry": foundry.name, "refresh_interval": 1},
            }
        ]
        self.environment = os.environ | {
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{self.database}",
            "AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL": "0",
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(config),
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
            "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
            "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "600",
            "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "3",
            "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "1",
            "DAGFOUNDRY_STORE_URL": foundry.store.url.render_as_string(hide_password=False),
        }
        self.process = None
        self._airflow("db", "migrate").wait()

    def _airflow(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "airflow", *arguments]
        log = (self.home / "log.txt").open("a")
        with closing(log):
            return subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start(self) -> None:
        """Start it."""
        self.process = self._airflow("dag-processor")

    def stop(self) -> None:
        """End it and all that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(60)

    def rows(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Query Airflow's metadata database."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(statement, values).fetchall()

    def listed(self) -> set[str]:
        """Return the DAG ids that Airflow lists."""
        return {row[0] for row in self.rows("SELECT dag_id FROM dag WHERE NOT is_stale")}

    def tasks(self, dag_id: str) -> str:
        """Return the serialised form of a DAG as text."""
        query = "SELECT data FROM serialized_dag WHERE dag_id = ? ORDER BY created_at"
        return str(self.rows(query, dag_id)[-1][0])

    def errors(self) -> dict[str, str]:
        """Return import errors by file name."""
        return dict(self.rows("SELECT filename, stacktrace FROM import_error"))

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds."""
        until = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert self.process.poll() is None, (self.home / "log.txt").read_text()[-5000:]
            assert time.monotonic() < until, (self.home / "log.txt").read_text()[-5000:]
            time.sleep(0.3)


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


# --- Runs in a whole Airflow -----------------------------------------------------------


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
