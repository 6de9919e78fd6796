"""A row is built in a process of its own first; whatever it does there hurts nobody else."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from dagfoundry.plugins import load_plugins
from dagfoundry_airflow._compat import AIRFLOW_2
from dagfoundry_airflow.environment import Environment
from dagfoundry_airflow.folder import try_lock
from dagfoundry_airflow.trial import Trials, TrialUnavailableError
from dagfoundry_airflow.trial_start import TrialLimits, child_environment, fork, new_interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from dagfoundry.store import RowState

PATIENCE = 120.0
LOCK_AND_FORK = """
import pathlib, sys, time
from dagfoundry_airflow.folder import locked
from dagfoundry_airflow.trial_process import TrialProcess
from dagfoundry_airflow.trial_start import TrialLimits, fork
with locked(pathlib.Path(sys.argv[1]), 1):
    process = TrialProcess(TrialLimits(), fork)
    while not process.exchange(1):
        pass
    print(process.pid, flush=True)
    time.sleep(60)
"""
"""A parse that is in the middle of a refresh, with a trial process that is up."""


STARTS = [new_interpreter, *([fork] if AIRFLOW_2 else [])]
"""Only a parse of Airflow 2 forks: a manager of Airflow 3 must not load plugins."""


@pytest.fixture(scope="module", params=STARTS)
def trials(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Trials]:
    """Trials with one process for all tests of this module."""
    made = Trials(tmp_path_factory.mktemp("trials"), TrialLimits(build=3.0), request.param)
    yield made
    made.close()


@pytest.fixture
def probe(make_row: Callable[..., RowState]) -> Callable[..., RowState]:
    """Return a function that makes a row of the plugin ``probe``."""

    def row(key: str, act: str = "build", **attributes: object) -> RowState:
        values = {"factory_type": "probe", "dag_id": f"live__{key}_probe", "key": key}
        return make_row(config={"act": act}, **(values | attributes))

    return row


def test_a_good_row_is_proved(trials: Trials, probe: Callable[..., RowState]) -> None:
    """It built, serialised and passed Airflow's own checks."""
    (verdict,) = trials.prove([probe("good")], patience=PATIENCE).values()
    assert verdict.good


@pytest.mark.parametrize(
    ("act", "words"),
    [
        ("raise", ["KeyError", "does not like it", "dagfoundry-probe"]),
        ("leave", ["SystemExit"]),
        ("hang", ["took longer than 3 s", "probe_plugin.py:", "in "]),
        ("hang beside a thread", ["took longer than 3 s", "probe_plugin.py:", "in "]),
        ("crash", ["SIGSEGV", "in "]),
        ("exit", ["exit code 3"]),
        ("circle", ["AirflowDagCycleException"]),
        ("not serialisable", ["Serializ"]),
    ],
)
def test_a_bad_row_is_named_and_the_others_go_on(
    trials: Trials, probe: Callable[..., RowState], act: str, words: list[str]
) -> None:
    """The report says which entry, revision and author, and what happened."""
    name = act.replace(" ", "_")
    rows = [probe(f"before_{name}"), probe(f"it_{name}", act), probe(f"after_{name}")]
    before, verdict, after = trials.prove(rows, patience=PATIENCE).values()
    assert before.good
    assert after.good
    assert not verdict.good
    for word in [*words, rows[1].dag_id, "revision 7", "Ada"]:
        assert word in verdict.what + verdict.remedy


def test_a_report_is_the_same_on_every_host(trials: Trials, probe: Callable[..., RowState]) -> None:
    """Addresses in memory would give each host a version of its own."""
    (verdict,) = trials.prove([probe("x", "raise")], patience=PATIENCE).values()
    assert "object object at 0x..." in verdict.what


def test_a_missing_type_is_reported_with_what_is_installed(
    trials: Trials, probe: Callable[..., RowState]
) -> None:
    """The row is not to blame, and the remedy says what to install."""
    row = probe("x", factory_type="nowhere")
    (verdict,) = trials.prove([row], patience=PATIENCE).values()
    assert "'nowhere' is not installed" in verdict.what
    assert row.dag_id in verdict.what
    assert "dagfoundry-probe 1.0" in verdict.remedy


def test_a_broken_config_is_reported(trials: Trials, probe: Callable[..., RowState]) -> None:
    """A hand edit may leave anything in the column."""
    (verdict,) = trials.prove([probe("x", config_json="{")], patience=PATIENCE).values()
    assert "config_json" in verdict.what


def test_what_a_builder_prints_is_no_answer(trials: Trials, probe: Callable[..., RowState]) -> None:
    """The standard output belongs to the protocol."""
    (verdict,) = trials.prove([probe("x", "print")], patience=PATIENCE).values()
    assert verdict.good


def test_patience_ends_before_the_build_and_the_verdict_comes_later(
    trials: Trials, probe: Callable[..., RowState]
) -> None:
    """A refresh must not block Airflow's parse loop for long."""
    slow, behind = probe("slow", "wait"), probe("behind")
    trials.prove([probe("warm")], patience=PATIENCE)
    assert trials.prove([slow, behind], patience=0.1) == {}
    verdicts = trials.prove([slow, behind], patience=PATIENCE)
    assert [verdict.good for verdict in verdicts.values()] == [True, True]


@pytest.mark.parametrize(("act", "warns"), [("uuid", True), ("build", False)])
def test_a_dag_that_differs_from_build_to_build_is_said(
    tmp_path: Path,
    probe: Callable[..., RowState],
    capfd: pytest.CaptureFixture[str],
    act: str,
    warns: bool,  # noqa: FBT001 - what the case expects
) -> None:
    """It works, so it is served; the log names the place that makes Airflow store versions."""
    trials = Trials(tmp_path)
    (verdict,) = trials.prove([probe("x", act)], patience=PATIENCE).values()
    trials.close()
    assert verdict.good
    said = capfd.readouterr().err
    assert ("two builds of the same row differ" in said) == warns
    assert ("tasks[call].op_kwargs.value" in said) == warns


def test_a_proof_outlives_the_process(
    tmp_path: Path, probe: Callable[..., RowState], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart of the DAG processor builds nothing again."""
    first = Trials(tmp_path)
    first.prove([probe("kept")], patience=PATIENCE)
    first.close()
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    (verdict,) = Trials(tmp_path).prove([probe("kept")], patience=0).values()
    assert verdict.good


def test_a_proof_holds_for_one_content_and_one_set_of_plugins(
    tmp_path: Path, probe: Callable[..., RowState]
) -> None:
    """A new revision, or another plugin version, is tried anew."""
    trials = Trials(tmp_path)
    trials.prove([probe("kept")], patience=PATIENCE)
    trials.close()
    changed = Trials(tmp_path, environment=Environment(lambda: "other"))
    assert changed.prove([probe("kept")], patience=0) == {}
    changed.close()
    newer = Trials(tmp_path)
    assert newer.prove([probe("kept", revision=8)], patience=0) == {}
    newer.close()


def test_many_rows_need_few_waits(trials: Trials, probe: Callable[..., RowState]) -> None:
    """The process works through its pipe while nobody looks."""
    rows = [probe(f"many{number}") for number in range(300)]
    trials.prove(rows, patience=0.5)
    time.sleep(3)
    assert len(trials.prove(rows, patience=0.5)) == len(rows)


def test_an_idle_process_ends_and_the_next_row_gets_a_new_one(
    tmp_path: Path, probe: Callable[..., RowState]
) -> None:
    """Ending for want of work is nobody's fault."""
    trials = Trials(tmp_path, TrialLimits(idle=0.5))
    trials.prove([probe("first")], patience=PATIENCE)
    time.sleep(2)
    (verdict,) = trials.prove([probe("second")], patience=PATIENCE).values()
    assert verdict.good
    trials.close()


def test_a_process_that_does_not_come_up_says_so(
    tmp_path: Path, probe: Callable[..., RowState], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be proved then, and no row is to blame."""
    monkeypatch.setenv("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "sqlite://")
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(TrialUnavailableError, match="does not come up"):
        Trials(tmp_path).prove([probe("x")], patience=PATIENCE)


def test_the_metadata_database_is_kept_from_the_process() -> None:
    """Third-party builders get an empty database and no result backend."""
    secrets = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://secret",
        "AIRFLOW__CORE__SQL_ALCHEMY_CONN": "postgresql://secret",
        "AIRFLOW__CELERY__RESULT_BACKEND": "db+postgresql://secret",
        "HOME": "/home/x",
    }
    given = child_environment(secrets)
    assert "secret" not in json.dumps(given)
    assert given["HOME"] == "/home/x"


@pytest.mark.skipif(not AIRFLOW_2, reason="Airflow 3 starts a new interpreter")
def test_a_fork_has_no_connection_of_its_parent(
    tmp_path: Path, probe: Callable[..., RowState]
) -> None:
    """A builder that asks the metadata database gets an empty one; the parent's works on."""
    from airflow.utils.session import create_session

    load_plugins()  # a module that took the parent's session and engine
    trials = Trials(tmp_path, start=fork)
    acts = ["ask", "ask sessions", "ask engine"]
    with create_session() as session:
        session.execute(sa.text("CREATE TABLE of_parent (n int)"))
        session.commit()
        session.execute(sa.text("INSERT INTO of_parent VALUES (7)"))
        rows = [probe(act.replace(" ", "_"), act) for act in acts]
        verdicts = trials.prove(rows, patience=PATIENCE).values()
        trials.close()
        session.commit()
        assert session.execute(sa.text("SELECT n FROM of_parent")).scalar() == 7
        session.execute(sa.text("DROP TABLE of_parent"))
    asked, by_sessions, by_engine = (verdict.what for verdict in verdicts)
    assert "no such table: of_parent" in asked
    assert "no such table: of_parent" in by_sessions
    assert "must not use Airflow's database" in by_engine


@pytest.mark.skipif(not AIRFLOW_2, reason="Airflow 3 starts a new interpreter")
def test_a_fork_holds_nothing_of_a_parse_that_was_killed(tmp_path: Path) -> None:
    """The lock of a refresh is free at once, although the fork still lives."""
    lock = tmp_path / "refresh.lock"
    command = [sys.executable, "-c", LOCK_AND_FORK, str(lock)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(child, signal.SIGSTOP)
    try:
        with lock.open("a") as file:
            assert not try_lock(file.fileno(), fcntl.LOCK_EX)
            parent.kill()
            parent.wait()
            assert try_lock(file.fileno(), fcntl.LOCK_EX)
        assert is_running(child)
    finally:
        os.kill(child, signal.SIGKILL)
        parent.stdout.close()


@pytest.mark.parametrize("start", [start.__name__ for start in STARTS])
def test_the_process_ends_with_its_parent(start: str) -> None:
    """A killed DAG processor leaves nothing behind."""
    code = (
        "import time;"
        "from dagfoundry_airflow.trial_process import TrialProcess;"
        "from dagfoundry_airflow.trial_start import TrialLimits, fork, new_interpreter;"
        f"process = TrialProcess(TrialLimits(), {start});"
        "print(process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    until = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < until
        time.sleep(0.2)


def is_running(pid: int) -> bool:
    """Return whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123 - no file of ours
        return stat.read().split()[2] != "Z"
