"""Jobs run as processes; their results, errors and ends reach Airflow."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from dagfoundry.errors import FoundryMissingError
from dagfoundry_airflow._compat import AirflowException
from dagfoundry_airflow.local_runner import JobOutcome, LocalJob, job_environment
from dagfoundry_airflow.operators import BranchOnResult, FunctionOperator, JobOperator

if TYPE_CHECKING:
    from pathlib import Path

    from live_airflow import Live

GREET = """
import json, os, pathlib
spec = json.loads(pathlib.Path(os.environ["DAGFOUNDRY_JOB_SPEC"]).read_text())
print("hello", spec["name"])
result = {"status": "DONE", "rows_total": 3}
pathlib.Path(os.environ["DAGFOUNDRY_JOB_RESULT"]).write_text(json.dumps(result))
"""
FAIL = """
import dagfoundry
from dagfoundry.errors import JobFailedError
def work(spec):
    print("halfway")
    raise JobFailedError("no such table: planes", remedy="Create it.")
raise SystemExit(dagfoundry.run_job(work))
"""


class Results:
    """Stands for a task instance: answers xcom_pull with what a job has left."""

    def __init__(self, **results: object) -> None:
        self.results = results

    def xcom_pull(self, *, task_ids: str) -> object:
        """Return the result of a task."""
        return self.results.get(task_ids)


def job(code: str, **spec: object) -> JobOperator:
    """Return the operator of a job that runs some code."""
    return JobOperator(
        task_id="work",
        command=("-c", code),
        spec=spec,
        platform_name="YellowLive",
        entry_key="Store1",
    )


def test_a_job_gets_its_spec_and_returns_its_result() -> None:
    """The result is what the branch and people read."""
    assert job(GREET, name="Ada").execute({}) == {"status": "DONE", "rows_total": 3}


def test_output_is_passed_on_line_by_line_while_the_job_runs() -> None:
    """A person can follow a long job."""
    lines: list[tuple[str, float]] = []
    code = "import time; print('one'); time.sleep(0.2); print('two'); print('  three')"
    LocalJob(("-c", code), {}).run(lambda line: lines.append((line, time.monotonic())))
    assert [line for line, _ in lines] == ["one", "two", "  three"]
    assert lines[1][1] - lines[0][1] > 0.1


def test_a_failed_job_raises_one_error_that_names_everything() -> None:
    """Job, platform, entry, exit code and the job's own last error."""
    with pytest.raises(AirflowException) as caught:
        job(FAIL).execute({})
    text = str(caught.value)
    assert "of platform 'YellowLive', entry 'Store1' failed with exit code 1" in text
    assert text.endswith("no such table: planes")


def test_a_crash_shows_the_last_line_of_its_traceback() -> None:
    """Even when the job knows nothing of the contract."""
    with pytest.raises(AirflowException, match="exit code 1: ZeroDivisionError: "):
        job("1 / 0").execute({})


def test_a_job_that_is_killed_is_said_to_be() -> None:
    """The signal has a name."""
    with pytest.raises(AirflowException, match="was ended by SIGKILL"):
        job("import os; os.kill(os.getpid(), 9)").execute({})


@pytest.mark.parametrize(
    ("text", "reason"), [("nonsense", "is no JSON:"), ("[1]", "is no JSON object")]
)
def test_a_result_that_is_no_json_object_is_an_error(text: str, reason: str) -> None:
    """It names the job."""
    code = f"import os; open(os.environ['DAGFOUNDRY_JOB_RESULT'], 'w').write({text!r})"
    with pytest.raises(AirflowException, match=reason):
        job(code).execute({})


def test_a_job_without_a_result_is_an_error() -> None:
    """A green task always has a result."""
    with pytest.raises(AirflowException, match="exited with 0 and wrote no result"):
        job("pass").execute({})


def test_a_job_never_sees_airflows_configuration(tmp_path: Path) -> None:
    """Neither the metadata database nor the parsing context nor the factory DAGs' login."""
    environment = {
        "PATH": "/bin",
        "AIRFLOW_HOME": "/home/airflow",
        "AIRFLOW_CONN_OTHER": "http://x",
        "AIRFLOW_CONN_DAGFOUNDRY_AIRFLOW": "secret",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "secret",
        "AIRFLOW__CORE__FERNET_KEY": "secret",
        "_AIRFLOW_PARSING_CONTEXT_DAG_ID": "one",
    }
    seen = job_environment(environment, tmp_path / "spec", tmp_path / "result")
    assert "secret" not in seen.values()
    assert not [name for name in seen if "PARSING_CONTEXT" in name]
    assert seen["PATH"] == "/bin"
    assert seen["AIRFLOW_CONN_OTHER"] == "http://x"


def test_ending_the_task_ends_the_job_and_all_its_children(tmp_path: Path) -> None:
    """Also those that ignore SIGTERM."""
    pids = tmp_path / "pids"
    code = f"""
import os, signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open({str(pids) + ".new"!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
os.rename({str(pids) + ".new"!r}, {str(pids)!r})
time.sleep(60)
"""
    operator = job(code)
    operator.started = started = LocalJob(operator.command, {})
    outcomes: list[JobOutcome] = []
    thread = threading.Thread(target=lambda: outcomes.append(started.run(lambda _line: None)))
    thread.start()
    while thread.is_alive() and not pids.exists():
        time.sleep(0.05)
    members = [psutil.Process(int(pid)) for pid in pids.read_text().split()]
    operator.on_kill()
    thread.join(timeout=30)
    _, alive = psutil.wait_procs(members, timeout=10)
    assert not alive
    assert outcomes[0].exit_code == -signal.SIGKILL


def test_a_time_out_ends_the_job(tmp_path: Path) -> None:
    """Airflow raises it in the middle of execute."""
    pid = tmp_path / "pid"
    code = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(60)"

    def on_alarm(_signal: int, _frame: object) -> None:
        if pid.exists() and pid.read_text():
            raise TimeoutError
        signal.alarm(1)

    before = signal.signal(signal.SIGALRM, on_alarm)
    signal.alarm(1)
    with pytest.raises(TimeoutError):
        job(code).execute({})
    signal.signal(signal.SIGALRM, before)
    assert not psutil.pid_exists(int(pid.read_text()))


@pytest.mark.parametrize(("status", "follower"), [("DONE", "wait"), ("KEEP_WORKING", "again")])
def test_the_branch_follows_the_jobs_status(status: str, follower: str) -> None:
    """It reads the result, never a log file."""
    branch = BranchOnResult(task_id="check", job="work", done="wait", keep_working="again")
    context = {"ti": Results(work={"status": status})}
    assert branch.choose_branch(context) == follower


def test_a_missing_or_unknown_result_stops_the_branch() -> None:
    """The error says what to do."""
    branch = BranchOnResult(task_id="check", job="work", done="wait", keep_working="again")
    with pytest.raises(AirflowException, match="'work' left no result; clear it"):
        branch.choose_branch({"ti": Results()})
    with pytest.raises(AirflowException, match="'ODD', not DONE or KEEP_WORKING"):
        branch.choose_branch({"ti": Results(work={"status": "ODD"})})


def test_a_run_that_a_person_fails_ends_its_job(live: Live, tmp_path: Path) -> None:
    """In a real Airflow, which signals the task."""
    end = tmp_path / "end"
    pid_file = tmp_path / "end.pid"
    live.merge(ended={"until": str(end)})
    live.reconcile()
    path = f"/dags/{live.dag_id('ended')}/dagRuns/{live.airflow.api.trigger(live.dag_id('ended'))}"
    pid = live.until(lambda: pid_file.exists() and pid_file.read_text())
    live.airflow.api.patch(path, {"state": "failed"})
    live.until(lambda: not psutil.pid_exists(int(pid)))
    assert not end.exists()


def report(*, foundry: str) -> dict[str, object]:
    """Return a report, or refuse."""
    if foundry == "missing":
        raise FoundryMissingError("the store holds no foundry 'missing'", remedy="Merge it.")
    return {"foundry": foundry, "pid": os.getpid()}


def test_a_function_task_returns_what_its_function_returns() -> None:
    """Its result is JSON."""
    task = FunctionOperator(task_id="report", function=report, arguments={"foundry": "x"})
    assert json.loads(json.dumps(task.execute({})))["foundry"] == "x"


def test_a_function_task_fails_with_the_functions_one_error() -> None:
    """What is wrong and what to do, without a chain of causes."""
    task = FunctionOperator(task_id="report", function=report, arguments={"foundry": "missing"})
    with pytest.raises(AirflowException, match=r"no foundry 'missing'\n  Merge it\.") as caught:
        task.execute({})
    assert caught.value.__cause__ is None
