"""A stub turns its sidecar into DAGs: all of them for a parse, one for a task."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dagfoundry import metrics
from dagfoundry.names import bucket_file
from dagfoundry_airflow import loader
from dagfoundry_airflow.dag_folder import is_being_parsed
from dagfoundry_airflow.loader import load_bucket
from dagfoundry_airflow.snapshot import render_bucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.store import RowState

pytestmark = pytest.mark.every_airflow


@pytest.fixture
def bucket(make_row: Callable[..., RowState], tmp_path: Path) -> Callable[..., str]:
    """Return a function that writes a bucket of probes and returns its stub's path."""

    def write(**acts: str) -> str:
        rows = [
            make_row(
                config={"act": act},
                factory_type="probe",
                key=key,
                dag_id=f"live__{key}_probe",
                foundry="Probing",
            )
            for key, act in acts.items()
        ]
        for name, content in render_bucket("Probing", 3, rows).items():
            (tmp_path / name).write_bytes(content)
        return str(tmp_path / bucket_file("Probing", 3))

    return write


@pytest.fixture
def parsing(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that says for which DAG this process parses."""

    def context(dag_id: str) -> None:
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "first")

    return context


@pytest.mark.parametrize("was_enabled", [True, False])
def test_garbage_is_looked_for_as_before_once_dags_are_built(
    bucket: Callable[..., str], *, was_enabled: bool
) -> None:
    """The collector rests during a build only, also when a DAG of it fails."""
    stub = bucket(a="build", b="raise")
    (gc.enable if was_enabled else gc.disable)()
    try:
        load_bucket(stub)
        assert gc.isenabled() is was_enabled
    finally:
        gc.enable()


def test_builds_are_counted_when_airflow_ends_the_parse(
    bucket: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time limit is raised in the middle of a build; the builds before it took long."""
    monkeypatch.setenv("DAGFOUNDRY_METRICS_DIR", str(tmp_path / "metrics"))
    stub = bucket(a="build", b="time limit", c="build")
    with pytest.raises(BaseException, match="Airflow ends the parse"):
        load_bucket(stub)
    shown = metrics.render(tmp_path / "metrics").decode()
    assert 'dagfoundry_dag_builds_total{factory_type="probe",outcome="ok"} 1.0' in shown
    assert gc.isenabled()


def test_a_parse_gets_every_dag(bucket: Callable[..., str]) -> None:
    """Without a parsing context it is the dag processor who asks."""
    dags = load_bucket(bucket(a="build", b="build"))
    assert {dag_id: dag.dag_id for dag_id, dag in dags.items()} == {
        "live__a_probe": "live__a_probe",
        "live__b_probe": "live__b_probe",
    }


def test_a_task_gets_its_dag_only(
    bucket: Callable[..., str], parsing: Callable[[str], None], counted: Callable[..., float]
) -> None:
    """Starting a task must not get slower with the number of entries."""
    before = counted("dagfoundry_dag_builds_total", factory_type="probe", outcome="ok")
    parsing("live__b_probe")
    assert list(load_bucket(bucket(a="build", b="build", c="build"))) == ["live__b_probe"]
    after = counted("dagfoundry_dag_builds_total", factory_type="probe", outcome="ok")
    assert after == before + 1


def test_an_unknown_dag_in_the_context_gets_everything(
    bucket: Callable[..., str], parsing: Callable[[str], None]
) -> None:
    """Airflow never unsets the context, so child processes of a task see it as well."""
    parsing("some_other_dag")
    assert len(load_bucket(bucket(a="build", b="build"))) == 2


def test_a_row_that_fails_hides_no_neighbour(
    bucket: Callable[..., str], counted: Callable[..., float]
) -> None:
    """Its trial was good, but a trial is no promise."""
    before = counted("dagfoundry_dag_builds_total", factory_type="probe", outcome="failed")
    assert list(load_bucket(bucket(a="build", b="raise", c="build"))) == [
        "live__a_probe",
        "live__c_probe",
    ]
    after = counted("dagfoundry_dag_builds_total", factory_type="probe", outcome="failed")
    assert after == before + 1


def test_each_build_is_timed(bucket: Callable[..., str], counted: Callable[..., float]) -> None:
    """By factory type."""
    before = counted("dagfoundry_dag_build_seconds_count", factory_type="probe")
    load_bucket(bucket(a="build", b="raise"))
    assert counted("dagfoundry_dag_build_seconds_count", factory_type="probe") == before + 2


_HOLD = """
import sys
import threading
from dagfoundry_airflow.loader import load_bucket
load_bucket(sys.argv[1]), load_bucket(sys.argv[1])
print("loaded", flush=True)
sys.stdin.read()
"""


def test_a_parse_shows_that_it_is_under_way_until_its_process_ends(
    bucket: Callable[..., str],
) -> None:
    """The publisher touches the stub again when it rewrites it during a parse."""
    stub = Path(bucket(a="build"))
    assert not is_being_parsed(stub.parent, stub.name)
    command = [sys.executable, "-W", "ignore", "-c", _HOLD, str(stub)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as parse:
        assert any(line == "loaded\n" for line in parse.stdout)
        assert is_being_parsed(stub.parent, stub.name)
        parse.communicate()
    assert not is_being_parsed(stub.parent, stub.name)


def test_a_task_does_not_lock(bucket: Callable[..., str], parsing: Callable[[str], None]) -> None:
    """A task lives for hours, and its file may be shared with the folder of the newest version."""
    stub = Path(bucket(a="build"))
    parsing("live__a_probe")
    load_bucket(str(stub))
    assert not is_being_parsed(stub.parent, stub.name)


_PARSE = """
import json, sys
try:
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models.dagbag import DagBag
bag = DagBag(dag_folder=sys.argv[1], **({} if "airflow.dag_processing.dagbag" in sys.modules
    else {"include_examples": False}))
print("found=" + json.dumps([sorted(bag.dags), bag.import_errors,
    sorted({dag.fileloc for dag in bag.dags.values()})]))
"""


def test_airflow_finds_the_dags_of_a_bucket(bucket: Callable[..., str], tmp_path: Path) -> None:
    """Airflow's own import, in a process of its own, with half-built DAGs left out."""
    stub = bucket(a="build", b="raise")
    command = [sys.executable, "-W", "ignore", "-c", _PARSE, str(tmp_path)]
    environment = os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "sqlite://"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    found = json.loads(done.stdout.split("found=")[1])
    assert found == [["live__a_probe"], {}, [stub]]


def test_a_damaged_file_is_waited_for(bucket: Callable[..., str]) -> None:
    """One parse that fails takes its DAGs out of Airflow, and a refresh makes the file again."""
    stub = bucket(a="build", b="build")
    sidecar = Path(stub).with_suffix(".json")
    whole = sidecar.read_bytes()
    sidecar.write_bytes(bytes(len(whole)))
    refresh = threading.Timer(1.0, sidecar.write_bytes, [whole])
    refresh.start()
    assert load_bucket(stub).keys() == {"live__a_probe", "live__b_probe"}
    refresh.join()


def test_a_file_that_stays_damaged_is_an_error(
    bucket: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty result would look like a bucket without DAGs."""
    monkeypatch.setattr(loader, "MEND_SECONDS", 0.0)
    stub = bucket(a="build")
    sidecar = Path(stub).with_suffix(".json")
    sidecar.write_bytes(sidecar.read_bytes()[:-20])
    with pytest.raises(ValueError, match="EOF"):
        load_bucket(stub)
    sidecar.unlink()
    with pytest.raises(FileNotFoundError):
        load_bucket(stub)
