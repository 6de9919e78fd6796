"""What the demo sees of Airflow: through its REST API, as a person's browser would."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import uuid4

from airflow_client import AirflowError
from httpx import TransportError
from progress import DemoError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from airflow_processes import AirflowProcesses
    from progress import Progress

_T = TypeVar("_T")
_POLL_SECONDS: Final = 0.5
_LOG_LINES: Final = 40
_TRIES: Final = 3
_EXISTS: Final = f" {HTTPStatus.CONFLICT.value} "


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run of a DAG.

    Attributes:
        dag_id: The DAG.
        run_id: The run.
        state: Airflow's word for how it stands.
        kind: What started it: scheduled, asset_triggered, manual.
        seconds: How long it ran, if it has ended.
    """

    dag_id: str
    run_id: str
    state: str
    kind: str
    seconds: float | None

    @property
    def is_over(self) -> bool:
        """Whether it has ended, in one way or the other."""
        return self.state in {"success", "failed"}


class Watch:
    """Asks Airflow and waits for it.

    Args:
        airflow: The processes to ask; each wait ends at once when one of them has ended.
        progress: Told about runs that end, and about what is waited for.
    """

    def __init__(self, airflow: AirflowProcesses, progress: Progress) -> None:
        self._airflow = airflow
        self._progress = progress
        self._told: set[str] = set()

    def _get(self, path: str, **query: object) -> Any:  # noqa: ANN401 - JSON
        """Ask, again when the API server is busy with its database."""
        return self._patiently(lambda: self._airflow.api.get(path, **query))

    def _patiently(self, ask: Callable[[], _T], tries: int = _TRIES) -> _T:
        try:
            return ask()
        except (AirflowError, TransportError) as error:
            self._check_alive()
            if not tries:
                raise
            self._progress.working(f"asking Airflow again: {error}")
        time.sleep(_POLL_SECONDS)
        return self._patiently(ask, tries - 1)

    def dag_ids(self) -> set[str]:
        """Return the DAGs that Airflow lists."""
        listed = self._get("/dags", limit=100)["dags"]
        return {dag["dag_id"] for dag in listed}

    def import_errors(self) -> list[str]:
        """Return what Airflow could not import, in its words."""
        errors = self._get("/importErrors", limit=100)["import_errors"]
        return [f"{error['filename']}: {error['stack_trace']}" for error in errors]

    def schedule(self, dag_id: str) -> str:
        """Return a DAG's schedule as Airflow shows it."""
        return str(self._get(f"/dags/{dag_id}")["timetable_summary"])

    def trigger(self, dag_id: str) -> str:
        """Start a run and return its id."""
        run_id = f"demo__{uuid4().hex[:8]}"

        def start() -> None:
            try:
                self._airflow.api.trigger(dag_id, run_id)
            except AirflowError as error:
                if _EXISTS not in str(error):  # else an earlier try was heard after all
                    raise

        self._patiently(start)
        return run_id

    def runs(self) -> list[Run]:
        """Return all runs of all DAGs, the oldest first; tell of those that have ended."""
        answer = self._get("/dags/~/dagRuns", limit=100, order_by="run_after")
        runs = [_run(record) for record in answer["dag_runs"]]
        for run in runs:
            self._tell(run)
        return runs

    def result(self, run: Run, task_id: str) -> dict[str, Any]:
        """Return the JSON result of a task of a run."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances/{task_id}"
        value = self._get(f"{path}/xcomEntries/return_value")["value"]
        result: dict[str, Any] = json.loads(value) if isinstance(value, str) else value
        return result

    def until(
        self,
        what: str | Callable[[], str],
        look: Callable[[], _T | None],
        *,
        timeout: float,
        log: str = "scheduler",
    ) -> _T:
        """Wait until ``look`` returns something true.

        Args:
            what: What is waited for, in words.
            look: Asks Airflow.
            timeout: Seconds to wait.
            log: The process whose log to show when time is up.

        Raises:
            DemoError: Time is up, or a process has ended.
        """
        began = time.monotonic()
        while True:
            self._check_alive()
            found = look()
            if found:
                return found
            waited = time.monotonic() - began
            words = what if isinstance(what, str) else what()
            if waited > timeout:
                raise DemoError(f"{words}: not within {timeout:.0f} s", log=self.tail(log))
            self._progress.working(f"waiting {waited:.0f} s for {words}")
            time.sleep(_POLL_SECONDS)

    def until_over(
        self,
        dag_ids: Iterable[str],
        *,
        number: int,
        timeout: float,
        without: Collection[Run] = (),
    ) -> list[Run]:
        """Wait until each DAG has run so often, with success, and runs no more.

        Args:
            dag_ids: The DAGs.
            number: How often each is to have run.
            timeout: Seconds to wait.
            without: Runs that do not count.

        Returns:
            All runs that count.

        Raises:
            DemoError: A run failed, or time is up.
        """
        wanted = set(dag_ids)
        left = set(wanted)

        def look() -> list[Run] | None:
            runs = [run for run in self.runs() if run.dag_id in wanted and run not in without]
            for run in runs:
                if run.state == "failed":
                    raise DemoError(f"{run.dag_id} failed", log=self.log_of_failure(run))
            begun = Counter(run.dag_id for run in runs)
            left.clear()
            left.update(dag_id for dag_id in wanted if begun[dag_id] < number)
            left.update(run.dag_id for run in runs if not run.is_over)
            return None if left else runs

        return self.until(lambda: f"runs of {', '.join(sorted(left))}", look, timeout=timeout)

    def log_of_failure(self, run: Run) -> str:
        """Return the end of the log of the first task of a run that failed."""
        path = f"/dags/{run.dag_id}/dagRuns/{run.run_id}/taskInstances"
        for task in self._get(path)["task_instances"]:
            if task["state"] == "failed":
                answer = self._get(f"{path}/{task['task_id']}/logs/{task['try_number']}")
                return f"task {task['task_id']}\n" + _last_lines(_log_text(answer))
        return "no task of it failed"

    def tail(self, name: str) -> str:
        """Return the end of the log of one of Airflow's processes."""
        text = self._airflow.log_file(name).read_text(encoding="utf-8", errors="replace")
        return f"airflow {name}\n" + _last_lines(text)

    def _tell(self, run: Run) -> None:
        if run.is_over and run.run_id + run.dag_id not in self._told:
            self._told.add(run.run_id + run.dag_id)
            style = "" if run.state == "success" else "bold red"
            took = f" in {run.seconds:.1f} s" if run.seconds is not None else ""
            self._progress.say(f"{run.dag_id}: {run.kind} run, {run.state}{took}", style)

    def _check_alive(self) -> None:
        try:
            self._airflow.check_alive()
        except AirflowError as error:
            raise DemoError("a process of Airflow has ended", log=str(error)) from None


def _run(record: dict[str, Any]) -> Run:
    start, end = record["start_date"], record["end_date"]
    seconds = _time(end) - _time(start) if start and end else None
    return Run(
        dag_id=record["dag_id"],
        run_id=record["dag_run_id"],
        state=record["state"],
        kind=record["run_type"],
        seconds=seconds,
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def _log_text(answer: dict[str, Any]) -> str:
    content = answer["content"]
    if isinstance(content, str):
        return content
    return "\n".join(_log_line(line) for line in content)


def _log_line(line: str | dict[str, Any]) -> str:
    if isinstance(line, str):
        return line
    details = line.get("error_detail")
    return str(line.get("event", "")) + (f"\n{json.dumps(details)[:2000]}" if details else "")


def _last_lines(text: str) -> str:
    return "\n".join(text.splitlines()[-_LOG_LINES:])
