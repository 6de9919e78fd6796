"""``dagfoundry doctor`` on the host of a real Airflow."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from airflow_client import AIRFLOW_2
from doctor_subject import parsing_variable

from dagfoundry_airflow._compat import AIRFLOW_MINOR
from dagfoundry_airflow.doctor import CHECKS, checks

if TYPE_CHECKING:
    from live_airflow import Live

pytestmark = pytest.mark.every_airflow

SECRET = "hunter2"

BETTER = {
    parsing_variable("min_file_process_interval"): "300",
    parsing_variable("dag_file_processor_timeout"): "90",
    parsing_variable("parsing_processes"): "1",
}
"""What the doctor would set otherwise than the Airflow of these tests has it."""


def doctor(live: Live, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command with the environment of the real Airflow's processes."""
    return subprocess.run(
        [sys.executable, "-m", "dagfoundry", "doctor", *arguments],
        env={**live.airflow.environment, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def report(live: Live, *, code: int, **variables: str) -> dict[str, dict[str, Any]]:
    """Return the checks by id."""
    done = doctor(live, "--json", "--foundry", live.foundry, **variables)
    assert done.returncode == code, done.stdout + done.stderr
    return {check["id"]: check for check in json.loads(done.stdout)["checks"]}


def test_a_running_airflow_has_no_problem(live: Live) -> None:
    """Every check is made; only the temporary folder of this test gets advice."""
    live.until(lambda: live.store.latest_version(live.foundry) is not None)
    found = report(live, code=0, **BETTER)
    assert {check.id for check in checks()} <= found.keys()
    advised = {check["id"] for check in found.values() if check["verdict"] != "ok"}
    assert advised == (set() if AIRFLOW_2 else {"bundle.storage-path"})
    assert found["snapshot.intact"]["verdict"] == "ok"
    assert "of the snapshot with" in found["parsing.import-timeout"]["found"]
    if not AIRFLOW_2:
        assert "admin may read DAGs" in found["access.connection"]["found"]
        assert "which knows the foundry" in found["access.connection"]["found"]


def test_a_person_reads_what_to_set(live: Live) -> None:
    """Exit code 1, and the variable with its value."""
    variable = parsing_variable("stale_dag_threshold")
    done = doctor(live, **{variable: "1"})
    assert done.returncode == 1
    assert f"{variable}=50" in done.stdout
    assert "\nremoval\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{live.foundry}: ")
    assert "1 problem," in done.stdout.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2 is asked through its database")
def test_a_wrong_password_is_a_problem_and_is_not_shown(live: Live) -> None:
    """Neither is the right one."""
    name = "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW"
    right = json.loads(live.airflow.environment[name])
    wrong = json.dumps(right | {"password": SECRET})
    done = doctor(live, **{name: wrong})
    assert done.returncode == 1
    assert "refused the login of 'admin'" in done.stdout
    assert SECRET not in done.stdout + done.stderr
    assert right["password"] not in done.stdout + done.stderr


@pytest.mark.skipif(AIRFLOW_2, reason="Airflow 2 is asked through its database")
def test_a_connection_in_airflows_database_is_found(live: Live) -> None:
    """That is where ``airflow connections add`` puts it."""
    name = "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW"
    values = live.airflow.environment[name]
    environment = {k: v for k, v in live.airflow.environment.items() if k != name}
    add = ["connections", "add", "dagfoundry_airflow", "--conn-json", values]
    airflow = [sys.executable, "-m", "airflow"]
    subprocess.run([*airflow, *add], env=environment, check=True, capture_output=True)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dagfoundry", "doctor", "--json"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        delete = ["connections", "delete", "dagfoundry_airflow"]
        subprocess.run([*airflow, *delete], env=environment, check=True, capture_output=True)


def test_checks_of_this_airflow_are_chosen() -> None:
    """Ids are unique, and each check holds for some version."""
    ids = [check.id for check in CHECKS]
    assert len(ids) == len(set(ids))
    assert all(check.airflow for check in CHECKS)
    assert {c.id for c in checks()} == {c.id for c in CHECKS if AIRFLOW_MINOR in c.airflow}


def test_the_records_can_be_read_without_airflow() -> None:
    """The reference is written where Airflow is not installed."""
    program = (
        "import sys; from dagfoundry_airflow.doctor import CHECKS; "
        "print([m for m in sys.modules if m.split('.')[0] == 'airflow'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
