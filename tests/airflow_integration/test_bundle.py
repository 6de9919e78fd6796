"""The bundle of Airflow 3: in this process, and in a real DAG processor."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import airflow
import pytest

if int(airflow.__version__.split(".")[0]) < 3:
    reason = f"Airflow {airflow.__version__} has no DAG bundles; they came with 3.0"
    pytest.skip(reason, allow_module_level=True)

from airflow.dag_processing.bundles.base import BundleVersion
from airflow.exceptions import AirflowException
from dagfoundry_airflow import bundle as bundle_module
from dagfoundry_airflow.bundle import DagFoundryBundle

WAIT_SECONDS = 120


@pytest.fixture
def make_bundle(foundry, tmp_path, monkeypatch):
    """Return a function that makes a bundle as Airflow does; one storage folder per host."""
    monkeypatch.setenv(
        "DAGFOUNDRY_STORE_URL", foundry.store.url.render_as_string(hide_password=False)
    )
    monkeypatch.setattr(bundle_module, "_WORKER_PATIENCE_SECONDS", 3.0)
    made = []

    def make(host="processor", **arguments):
        monkeypatch.setenv(
            "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH", str(tmp_path / host)
        )
        bundle = DagFoundryBundle(name="probes", foundry=foundry.name, **arguments)
        made.append(bundle)
        return bundle

    yield make
    for bundle in made:
        if "_publisher" in vars(bundle):
            bundle._publisher.close()


@pytest.fixture
def settled():
    """Return a function that refreshes a bundle until nothing waits for its trial."""

    def refresh(bundle):
        until = time.monotonic() + WAIT_SECONDS
        bundle.refresh()
        while bundle._publisher.state().pending:
            assert time.monotonic() < until
            bundle.refresh()
        return bundle.get_current_version().version

    return refresh


@pytest.fixture
def as_task(monkeypatch):
    """Return a function that makes this process the one of a task of a DAG."""

    def become(dag_id):
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "first")

    return become


def test_making_a_bundle_does_nothing(make_bundle, tmp_path, monkeypatch):
    """Airflow makes one in the scheduler, the API server and every task; it must not fail."""
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", "no url at all")
    bundle = make_bundle(view_url_template="http://ui.test/{foundry}/{version}")
    assert bundle.refresh_interval == 5
    assert bundle.supports_versioning
    assert bundle.view_url_template() == "http://ui.test/{foundry}/{version}"
    assert bundle.foundry == "Probing"
    assert bundle.get_current_version() is None
    assert not (tmp_path / "processor").exists()


def test_the_current_version_comes_from_disk(make_bundle, foundry, settled):
    """It is asked outside of any try, and after a restart with the store down."""
    foundry.write(a={})
    bundle = make_bundle()
    bundle.initialize()
    version = settled(bundle)
    os.remove(foundry.store.url.database)
    assert make_bundle().get_current_version() == BundleVersion(version=version)
    restarted = make_bundle()
    restarted.initialize()
    restarted.refresh()
    assert (restarted.path / "dagfoundry_probing_error_old.py").parent.is_dir()
    assert restarted.get_current_version().version == version


def test_only_airflows_exception_leaves_initialize(make_bundle, foundry, monkeypatch):
    """Any other one ends the DAG processor of 3.0 to 3.2."""
    os.remove(foundry.store.url.database)
    with pytest.raises(AirflowException, match="does not exist"):
        make_bundle().initialize()
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", "no url at all")
    with pytest.raises(AirflowException, match="DAGFOUNDRY_STORE_URL"):
        make_bundle().initialize()


def test_a_disk_that_cannot_be_written_is_airflows_exception_too(make_bundle, tmp_path):
    """The folder's place is taken by a file here."""
    (tmp_path / "processor").write_text("in the way")
    with pytest.raises(AirflowException):
        make_bundle().initialize()


def test_a_task_gets_its_runs_version(make_bundle, foundry, settled, as_task):
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
    make_bundle, foundry, settled, as_task
):
    """The DAG processor's host has every version it published."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    os.remove(foundry.store.url.database)
    as_task("live__a_probe")
    task = make_bundle(version=version)
    task.initialize()
    assert list(task.path.glob("*.py"))


def test_a_task_waits_for_a_store_that_blinks(make_bundle, foundry, settled, as_task):
    """On Airflow 3.0 a task whose start raises is lost, whatever its retries."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    path = foundry.store.url.database
    os.rename(path, f"{path}.away")
    back = subprocess.Popen(["sh", "-c", f"sleep 1; mv '{path}.away' '{path}'"])
    as_task("live__a_probe")
    task = make_bundle("worker", version=version)
    task.initialize()
    assert list(task.path.glob("*.py"))
    back.wait()


def test_a_task_without_a_version_gets_the_newest(make_bundle, foundry, settled, as_task):
    """Airflow asks for none where bundle versioning is switched off."""
    foundry.write(a={})
    processor = make_bundle()
    processor.initialize()
    version = settled(processor)
    as_task("live__a_probe")
    task = make_bundle("worker")
    task.initialize()
    assert task.path.name == version
    os.remove(foundry.store.url.database)
    local = make_bundle()
    local.initialize()
    assert local.path == processor.path
    with pytest.raises(AirflowException):
        make_bundle("another worker").initialize()


# --- A real DAG processor ------------------------------------------------------------


class Processor:
    """A real ``airflow dag-processor`` with a metadata database of its own."""

    def __init__(self, home, foundry):
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

    def _airflow(self, *arguments):
        command = [sys.executable, "-m", "airflow", *arguments]
        log = (self.home / "log.txt").open("a")
        with closing(log):
            return subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=log, start_new_session=True
            )

    def start(self):
        """Start it."""
        self.process = self._airflow("dag-processor")

    def stop(self):
        """End it and all that it started."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(60)

    def rows(self, statement):
        """Query Airflow's metadata database."""
        with closing(sqlite3.connect(self.database, timeout=30)) as connection:
            return connection.execute(statement).fetchall()

    def listed(self):
        """Return the DAG ids that Airflow lists."""
        return {row[0] for row in self.rows("SELECT dag_id FROM dag WHERE NOT is_stale")}

    def tasks(self, dag_id):
        """Return the serialised form of a DAG as text."""
        query = f"SELECT data FROM serialized_dag WHERE dag_id = '{dag_id}' ORDER BY created_at"
        return str(self.rows(query)[-1][0])

    def errors(self):
        """Return import errors by file name."""
        return dict(self.rows("SELECT filename, stacktrace FROM import_error"))

    def wait(self, condition):
        """Wait until a condition holds."""
        until = time.monotonic() + WAIT_SECONDS
        while not condition():
            assert self.process.poll() is None, (self.home / "log.txt").read_text()[-5000:]
            assert time.monotonic() < until, (self.home / "log.txt").read_text()[-5000:]
            time.sleep(0.3)


@pytest.fixture
def processor(foundry, tmp_path):
    """A DAG processor that is not yet started."""
    home = tmp_path / "airflow"
    home.mkdir()
    made = Processor(home, foundry)
    yield made
    made.stop()


def test_a_real_dag_processor_follows_the_store(foundry, processor):
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
    path = foundry.store.url.database
    os.rename(path, f"{path}.away")
    processor.stop()
    processor.start()
    time.sleep(15)
    assert processor.process.poll() is None
    assert processor.listed() == left
    assert processor.errors() == {}
    os.rename(f"{path}.away", path)
    foundry.write(a={"number": 5})
    processor.wait(lambda: "second_5" in processor.tasks("live__a_probe"))


def test_a_dag_processor_that_starts_before_the_store(foundry, processor):
    """It stays alive, removes nothing, and heals by itself."""
    foundry.write(a={})
    path = foundry.store.url.database
    shutil.move(path, f"{path}.away")
    processor.start()
    log = processor.home / "log.txt"
    processor.wait(lambda: "does not exist" in log.read_text())
    shutil.move(f"{path}.away", path)
    processor.wait(lambda: "live__a_probe" in processor.listed())
