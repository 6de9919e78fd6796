"""A merge tells a real Airflow, and a wait ends when Airflow serves what was merged."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow_client import AIRFLOW_2
from airflow_environment import CONNECTION_VARIABLE, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_airflow import Live

WAIT = ("wait", "--ready", "--foundry", "Living")
PROCESSOR = "scheduler" if AIRFLOW_2 else "dag-processor"


class Machine:
    """A machine beside a real Airflow that has its connection and nothing else of it.

    Attributes:
        variables: Its environment.
    """

    def __init__(self, live: Live) -> None:
        everything = live.airflow.environment
        self.variables = {
            name: value
            for name, value in everything.items()
            if not name.startswith("AIRFLOW") or name == CONNECTION_VARIABLE
        }
        self.variables["AIRFLOW_HOME"] = str(live.airflow.home / "nowhere")

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run ``dagfoundry`` and check its exit code."""
        command = [sys.executable, "-W", "ignore", "-m", "dagfoundry", *arguments]
        done = subprocess.run(
            command, env=self.variables, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        """Run a command with --json and return what it prints."""
        value: dict[str, Any] = json.loads(self.run(*arguments, "--json", code=code).stdout)
        return value

    def connect(self, **changes: object) -> None:
        """Change parts of the connection."""
        connection = json.loads(self.variables[CONNECTION_VARIABLE]) | changes
        self.variables[CONNECTION_VARIABLE] = json.dumps(connection)


@pytest.fixture
def machine(live: Live) -> Machine:
    """A machine that merges."""
    return Machine(live)


@pytest.fixture
def no_processor(live: Live) -> Iterator[None]:
    """Nobody takes in what is merged."""
    live.airflow.stop_component(PROCESSOR)
    yield
    live.airflow.start_component(PROCESSOR)


def states(readiness: dict[str, Any]) -> dict[str, tuple[str, bool]]:
    """Return state and readiness of every DAG that was waited for."""
    return {dag["dag_id"]: (dag["state"], dag["ready"]) for dag in readiness["dags"]}


def test_what_was_merged_is_served_when_the_wait_returns(live: Live, machine: Machine) -> None:
    """The REST API shows the new tasks and the new revision."""
    live.write_model(waited={"number": 55}, one={"number": 55})
    done = machine.json("merge", "--wait")
    waited, one = live.dag_id("waited"), live.dag_id("one")
    for dag_id in (waited, one):
        assert states(done["served"])[dag_id] == ("schedulable", True)
        tasks = live.airflow.api.get(f"/dags/{dag_id}/tasks")["tasks"]
        assert "second_55" in {task["task_id"] for task in tasks}
        assert f"revision: {done['revision']}" in live.dags()[dag_id]["description"]
    assert machine.json(*WAIT)["ready"] is True


def test_older_revision_is_served_by_a_newer_one(live: Live, machine: Machine) -> None:
    """What was waited for is contained in what is served."""
    older = live.merge(two={"number": 1})
    newer = live.merge(two={"number": 2})
    assert newer == older + 1
    found = machine.json(*WAIT, str(older))
    assert (found["revision"], found["ready"]) == (older, True)
    assert states(found)[live.dag_id("two")] == ("schedulable", True)


def test_revision_that_does_not_exist_is_one_error(live: Live, machine: Machine) -> None:
    """It names those that do."""
    head = live.store.head(live.foundry).revision
    error = machine.run(*WAIT, "999", code=1).stderr
    assert f"has no revision 999; its revisions: 1 to {head}" in error


def test_without_the_variable_the_installed_airflow_is_asked(live: Live, machine: Machine) -> None:
    """Airflow 2's database answers on its host; Airflow 3 has no such connection there."""
    machine.variables = dict(live.airflow.environment)
    del machine.variables[CONNECTION_VARIABLE]
    done = machine.run(*WAIT, code=0 if AIRFLOW_2 else 1)
    if AIRFLOW_2:
        assert "DAGs ready" in done.stdout
    else:
        assert f"or set {CONNECTION_VARIABLE}" in done.stderr


@pytest.mark.parametrize(
    ("change", "reason"),
    [("port", "does not answer"), ("password", "refused the login of 'admin'")],
)
def test_merge_that_cannot_tell_airflow_warns_and_succeeds(
    live: Live, machine: Machine, change: str, reason: str
) -> None:
    """One line, without the password."""
    machine.connect(**{change: free_port() if change == "port" else "hunter2"})
    live.write_model(one={"number": live.entries["one"].get("number", 0) + 1})
    done = machine.run("merge")
    assert "1 updated" in done.stdout
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("warning: airflow was not told of revision")
    assert reason in warning
    assert json.loads(machine.variables[CONNECTION_VARIABLE])["password"] not in warning


def test_broken_entry_ends_the_wait_with_its_report(live: Live, machine: Machine) -> None:
    """The others are served; once it is taken from the model there is nothing to wait for."""
    live.write_model(wrong={"act": "raise"}, two={"number": 7})
    done = machine.run("merge", "--wait", code=1)
    assert "1 DAG is broken" in done.stderr
    assert "KeyError" in done.stderr
    assert "Airflow has never had it" in done.stdout
    assert machine.json(*WAIT, code=1)["error"] == "NotReadyError"
    live.write_model(wrong=None)
    gone = machine.json("merge", "--wait")["served"]
    assert states(gone)[live.dag_id("wrong")] == ("removed", True)


def test_removed_entry_is_first_drained_and_then_gone(live: Live, machine: Machine) -> None:
    """Each of the two revisions is waited for by itself."""
    live.write_model(departing={})
    machine.run("merge", "--wait")
    live.write_model(departing=None)
    drained = machine.json("merge", "--wait")["served"]
    assert states(drained)[live.dag_id("departing")] == ("parsed", True)
    live.reconcile()
    found = machine.json(*WAIT)
    assert states(found)[live.dag_id("departing")] == ("removed", True)
    assert live.dag_id("departing") not in live.dags()


def test_dag_that_a_person_paused_is_ready(live: Live, machine: Machine) -> None:
    """It is said, and nobody waits for a person."""
    path = f"/dags/{live.dag_id('three')}"
    live.airflow.api.patch(path, {"is_paused": True})
    live.write_model(three={"number": 3})
    found = {dag["dag_id"]: dag for dag in machine.json("merge", "--wait")["served"]["dags"]}
    three = found[live.dag_id("three")]
    assert (three["state"], three["note"]) == ("schedulable", "paused in Airflow")
    live.airflow.api.patch(path, {"is_paused": False})


def test_dag_that_dag_foundry_paused_is_waited_for(live: Live, machine: Machine) -> None:
    """An entry that is enabled again does not run before its factory DAG has unpaused it."""
    dag_id, factory = live.dag_id("sleeping"), f"/dags/{live.factory}"
    live.write_model(sleeping={"enabled": False})
    assert states(machine.json("merge", "--wait")["served"])[dag_id] == ("parsed", True)
    live.reconcile()
    live.airflow.api.patch(factory, {"is_paused": True})
    live.write_model(sleeping={"enabled": True})
    machine.run("merge")

    def note() -> bool:
        found = {
            dag["dag_id"]: dag for dag in machine.json(*WAIT, "--timeout", "0", code=1)["dags"]
        }
        return (found[dag_id]["state"], found[dag_id]["note"]) == (
            "parsed",
            "paused until its factory DAG runs",
        )

    live.until(note)
    live.airflow.api.patch(factory, {"is_paused": False})
    live.reconcile()
    assert states(machine.json(*WAIT))[dag_id] == ("schedulable", True)


@pytest.mark.usefixtures("no_processor")
def test_time_out_names_the_dags_that_lag(live: Live, machine: Machine) -> None:
    """With the state of each, and what to look at."""
    published = live.store.latest_version(live.foundry)
    assert published is not None
    live.write_model(two={"number": 12})
    machine.run("merge")
    done = machine.run(*WAIT, "--timeout", "2", code=1)
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error:")]
    assert f"is not served after 2 s: {live.dag_id('two')} (stored)" in error
    assert f"The last published revision is {published.revision}" in done.stderr
    assert "DAGs ready (1 stored)" in done.stdout


def test_processor_that_comes_back_ends_the_wait(live: Live, machine: Machine) -> None:
    """What was merged while it was away is served."""
    live.airflow.wait_healthy()
    assert machine.json(*WAIT)["ready"] is True
