"""A stranger's package: installed from its wheel, and its DAGs are in a real Airflow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from airflow_client import AIRFLOW_2
from airflow_environment import free_port, inherited
from airflow_processes import AirflowProcesses
from example_packages import install_examples
from live_airflow import Live
from sqlalchemy.engine import make_url

from dagfoundry.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.both_majors

FOUNDRY = """
foundry: Living
buckets: 2
platforms: [{name: Alive, merge_store: {url_variable: PROBING_MERGE_URL}}]
"""
GREETINGS = """
greetings:
  - {name: World, message: "Hello, world!"}
  - {name: Morning, message: Good morning, schedule: "0 9 * * *"}
"""
HELLO = "alive__World_hello"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What every process needs: the package beside ours, a store, a model."""
    folder = tmp_path_factory.mktemp("hello")
    site = install_examples(folder / "site", "dagfoundry-hello")
    (folder / "model").mkdir()
    (folder / "model" / "foundry.yaml").write_text(FOUNDRY)
    (folder / "model" / "greetings.yaml").write_text(GREETINGS)
    return {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "DAGFOUNDRY_HOME": str(folder),
        "DAGFOUNDRY_MODEL": str(folder / "model"),
        "DAGFOUNDRY_STORE_URL": f"sqlite:///{folder / 'store.db'}",
        "PROBING_MERGE_URL": f"sqlite:///{folder / 'merge.db'}",
        "PYTHONPATH": os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])]),
    }


@pytest.fixture(scope="module")
def dagfoundry(environment: dict[str, str]) -> Callable[..., str]:
    """Return a function that runs the command line and returns what it prints."""

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "dagfoundry", *arguments],
            env=inherited() | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="module")
def served(
    environment: dict[str, str],
    dagfoundry: Callable[..., str],
    settings_of_tests: dict[str, str],
    request: pytest.FixtureRequest,
) -> Iterator[Live]:
    """A real Airflow that serves the greetings."""
    dagfoundry("merge", environment["DAGFOUNDRY_MODEL"], "-m", "hello")
    variables = environment | settings_of_tests
    home = tmp(environment) / "airflow"
    if AIRFLOW_2:
        database: Callable[[str], str] = request.getfixturevalue("postgres")
        variables["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database("hello")
        (home / "dags").mkdir(parents=True)
        install = ("airflow2", "install", str(home / "dags"), "--foundry", "Living")
        dagfoundry(*install, "--shards", "2")
    store = open_store(make_url(environment["DAGFOUNDRY_STORE_URL"]), timeout_seconds=30)
    airflow = AirflowProcesses(home, free_port(), variables)
    with airflow:
        airflow.wait_healthy()
        yield Live(airflow, store, tmp(environment) / "model")
    store.close()


def tmp(environment: dict[str, str]) -> Path:
    """Return the folder of these tests."""
    return Path(environment["DAGFOUNDRY_HOME"])


def test_installing_it_is_all_there_is_to_do(dagfoundry: Callable[..., str]) -> None:
    """The type is there, with the distribution and version of its wheel."""
    (line,) = [line for line in dagfoundry("plugins").splitlines() if line.startswith("hello")]
    assert line.split()[:4] == ["hello", "greetings", "dagfoundry-hello", "0.1.0"]


def test_its_dags_are_in_airflow_and_run(served: Live) -> None:
    """What the model says stands in the log of the task."""
    served.until(lambda: {HELLO, "alive__Morning_hello"} <= served.dags().keys())
    assert served.airflow.api.get("/importErrors")["import_errors"] == []
    run_id = served.run(HELLO)
    assert "Hello, world!" in served.task_logs(HELLO, run_id)
    assert served.dags()["alive__Morning_hello"]["timetable_description"] == "At 09:00"


def test_a_change_of_the_model_follows(
    served: Live, environment: dict[str, str], dagfoundry: Callable[..., str]
) -> None:
    """A merge is all there is to do."""
    model = tmp(environment) / "model" / "greetings.yaml"
    model.write_text(GREETINGS.replace("0 9 ", "30 7 "))
    dagfoundry("merge", environment["DAGFOUNDRY_MODEL"], "-m", "earlier")
    served.until(
        lambda: served.dags()["alive__Morning_hello"]["timetable_description"] == "At 07:30"
    )


def test_its_own_check_refuses_a_model(
    environment: dict[str, str], dagfoundry: Callable[..., str]
) -> None:
    """Two that say the same are one error with its place."""
    model = tmp(environment) / "model" / "greetings.yaml"
    before = model.read_text()
    model.write_text(before + '  - {name: Again, message: "Hello, world!"}\n')
    said = dagfoundry("validate", environment["DAGFOUNDRY_MODEL"], code=1)
    model.write_text(before)
    assert "greetings.yaml:5:28: greetings[2].message: the message 'Hello, world!'" in said
