"""An installed plugin whose builder does what its row says: build, raise, hang, crash."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
import time
import uuid
from datetime import date, datetime, timezone
from typing import Any

from pydantic import BaseModel, ConfigDict

import dagfoundry

SLEEP = """
import json, os, pathlib, time
spec = json.loads(pathlib.Path(os.environ["DAGFOUNDRY_JOB_SPEC"]).read_text())
pathlib.Path(spec["until"] + ".pid").write_text(str(os.getpid()))
while not pathlib.Path(spec["until"]).exists():
    time.sleep(0.2)
pathlib.Path(os.environ["DAGFOUNDRY_JOB_RESULT"]).write_text('{"status": "DONE"}')
"""
"""A job that ends when a file is there."""

TELL = """
import json, os, pathlib
spec = json.loads(pathlib.Path(os.environ["DAGFOUNDRY_JOB_SPEC"]).read_text())
print("the number is", spec["number"])
pathlib.Path(os.environ["DAGFOUNDRY_JOB_RESULT"]).write_text('{"status": "DONE"}')
"""
"""A job that tells the number in its spec."""

NOTE = """
import json, os, pathlib
spec = json.loads(pathlib.Path(os.environ["DAGFOUNDRY_JOB_SPEC"]).read_text())
run = (os.environ["AIRFLOW_CTX_DAG_ID"], os.environ["AIRFLOW_CTX_DAG_RUN_ID"])
with open(spec["ledger"], "a") as ledger:
    ledger.write(" ".join(run) + "\\n")
pathlib.Path(os.environ["DAGFOUNDRY_JOB_RESULT"]).write_text('{"status": "DONE"}')
"""
"""A job that adds its run to a file, a line for each time that it is carried out."""


class Probe(dagfoundry.SectionItem):
    """An item of the section ``probes``."""

    act: str | None = None
    number: int | None = None
    until: str | None = None
    schedule: str | None = None
    ledger: str | None = None


class ProbeConfig(BaseModel):
    """A stored probe."""

    model_config = ConfigDict(extra="allow")

    act: str = "build"
    number: int = 0
    until: str | None = None
    schedule: str | None = None
    ledger: str | None = None


class Unknown:
    """A priority weight strategy that Airflow does not know."""


def draft(item: Probe, _context: dagfoundry.PlatformContext) -> list[dagfoundry.EntryDraft]:
    """Make one entry of an item."""
    keys = set(ProbeConfig.model_fields)
    config = item.model_dump(include=keys, exclude_none=True)
    return [dagfoundry.EntryDraft(key=item.name, config=config)]


def build(entry: dagfoundry.Entry, kit: dagfoundry.DagKit) -> Any:  # noqa: ANN401 - a DAG
    """Make a DAG of two tasks, or do what the row says."""
    config = entry.config_as(ProbeConfig)
    if entry.dag_id in os.environ.get("PROBE_REGRESSED", "").split():
        regress(os.environ.get("PROBE_REGRESSED_HOW", "raise"))
    with kit.dag(schedule=config.schedule, tags=["probe"]) as dag:
        first = kit.empty("first")
        act(config.act, first)
        first >> kit.empty(f"second_{config.number}")
        if config.until:
            sleep = kit.job("sleep", ("-c", SLEEP), spec={"until": config.until})
            first >> sleep >> kit.job("tell", ("-c", TELL), spec={"number": config.number})
        if config.ledger:
            first >> kit.job("note", ("-c", NOTE), spec={"ledger": config.ledger})
    return dag


def regress(how: str) -> None:
    """Fail as a release of a plugin that cannot do any more what it could."""
    if how != "raise":
        ACTS[how]()
    msg = "this release of the plugin cannot do that any more"
    raise NotImplementedError(msg)


def raise_key_error() -> None:
    """Fail with something that differs from process to process."""
    msg = f"{object()} does not like it"
    raise KeyError(msg)


def take_time_and_raise() -> None:
    """Fail, but not at once."""
    time.sleep(2)
    msg = "it took its time"
    raise RuntimeError(msg)


OF_AIRFLOW: dict[str, Any] = {}
"""What Airflow's settings were when the plugin was loaded, as `from ... import` would have it."""
if "airflow.settings" in sys.modules:
    OF_AIRFLOW |= vars(sys.modules["airflow.settings"])


def ask(how: str) -> None:
    """Look into Airflow's database, as no builder should."""
    from airflow.utils.session import create_session
    from sqlalchemy import text

    query = text("SELECT n FROM of_parent")
    if how == "ask":
        with create_session() as session:
            session.execute(query)
    if how == "ask sessions":
        OF_AIRFLOW["Session"]().execute(query)
    if how == "ask engine":
        OF_AIRFLOW["engine"].connect().execute(query)


class TimeLimitError(BaseException):
    """What Airflow raises into a parse that takes too long is no ``Exception`` either."""


def reach_the_time_limit() -> None:
    """End as a parse that takes too long."""
    raise TimeLimitError("Airflow ends the parse")


def hang_beside_a_thread() -> None:
    """Wait for ever, while a thread of the plugin's waits too."""
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    time.sleep(3600)


ACTS = {
    "time limit": reach_the_time_limit,
    "raise": raise_key_error,
    "wait": lambda: time.sleep(2),
    "wait, raise": take_time_and_raise,
    "hang": lambda: time.sleep(3600),
    "hang beside a thread": hang_beside_a_thread,
    "crash": lambda: os.kill(os.getpid(), signal.SIGSEGV),
    "exit": lambda: os._exit(3),
    "leave": lambda: sys.exit(0),
    "print": lambda: print('{"key": "no answer"}'),  # noqa: T201 - must not be taken for one
}


LETTERS = {"alpha", "beta", "gamma", "delta"}
COUNT = itertools.count()

UNSTEADY = {
    "address": lambda: f"{object()}",
    "count": lambda: next(COUNT),
    "folder": os.getcwd,
    "hash": lambda: hash("alpha"),
    "now": lambda: datetime.now(timezone.utc),
    "object": object,
    "order": lambda: [[letter] for letter in LETTERS],
    "order of words": lambda: list(LETTERS),
    "set": lambda: LETTERS,
    "today": lambda: f"{date.today()}",  # noqa: DTZ011 - that is what a careless builder does
    "uuid": lambda: f"{uuid.uuid4()}",
}
"""Values that are not the same at each build."""


def call_with(value: object) -> None:
    """Make a task whose argument is part of the serialised DAG."""
    from airflow.providers.common.compat.standard.operators import PythonOperator

    PythonOperator(task_id="call", python_callable=print, op_kwargs={"value": value})


def act(what: str, task: Any) -> None:  # noqa: ANN401 - an operator
    """Do what a row says, in the middle of its build."""
    if what in ACTS:
        ACTS[what]()
    if what.startswith("ask"):
        ask(what)
    if what in UNSTEADY:
        call_with(UNSTEADY[what]())
    if what == "tags":
        task.dag.tags = [*LETTERS]
    if what == "another id":
        task.dag.dag_id = f"{task.dag.dag_id}_of_another"
    if what == "illegal task id":
        type(task)(task_id="no task has an id like this one!", dag=task.dag)
    if what == "same task id":
        type(task)(task_id=task.task_id, dag=task.dag)
    if what == "circle":
        task >> task
    if what == "not serialisable":
        task.weight_rule = Unknown()


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> list[dagfoundry.FactoryType]:
    """Offer one type."""
    return [
        dagfoundry.FactoryType(
            name="probe",
            summary="Does what its row says.",
            section="probes",
            item=Probe,
            draft=draft,
            config=ProbeConfig,
            build=build,
        )
    ]
