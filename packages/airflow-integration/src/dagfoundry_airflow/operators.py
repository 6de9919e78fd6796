"""The operators that tasks of DAG Foundry are made of.

None of them has template fields: what a row holds is never evaluated.
"""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

from dagfoundry.errors import FoundryError
from dagfoundry.jobs import JobStatus
from dagfoundry_airflow._compat import (
    AirflowException,
    AirflowFailException,
    BaseBranchOperator,
    BaseOperator,
)
from dagfoundry_airflow.local_runner import LocalJob

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dagfoundry_airflow.local_runner import JobOutcome


class JobOperator(BaseOperator):
    """Runs a job as a process of the worker and returns its JSON result.

    Args:
        command: Arguments of the Python interpreter.
        spec: What the job is to do; JSON values, no secrets.
        platform_name: Platform as the model writes it, for errors.
        entry_key: Key of the entry, for errors.
        **arguments: Those of every Airflow operator.
    """

    ui_color = "#d7ecf5"

    def __init__(
        self,
        *,
        command: Sequence[str],
        spec: Mapping[str, Any],
        platform_name: str = "",
        entry_key: str = "",
        **arguments: Any,  # noqa: ANN401 - Airflow's own
    ) -> None:
        super().__init__(**arguments)
        self.command = tuple(command)
        self.spec = dict(spec)
        self.platform_name = platform_name
        self.entry_key = entry_key
        self.started: LocalJob | None = None

    def execute(self, context: Any) -> dict[str, Any]:  # noqa: ANN401 - its type differs by version
        """Run the job; its output goes to the task's log line by line.

        Raises:
            AirflowException: The job failed, or left no result.
        """
        del context
        self.started = LocalJob(self.command, self.spec)
        outcome = self.started.run(lambda line: self.log.info("%s", line))
        return self._result(outcome)

    def on_kill(self) -> None:
        """End the job when its task is ended."""
        if self.started is not None:
            self.started.stop()

    def _result(self, outcome: JobOutcome) -> dict[str, Any]:
        if outcome.exit_code:
            raise AirflowException(f"{self._name()} {_ending(outcome.exit_code)}: {outcome.error}")
        if outcome.result is None:
            raise AirflowException(f"{self._name()} exited with 0 and wrote no result")
        try:
            result = json.loads(outcome.result)
        except ValueError as error:
            raise AirflowException(
                f"{self._name()} wrote a result that is no JSON: {error}"
            ) from None
        if not isinstance(result, dict):
            raise AirflowException(f"{self._name()} wrote a result that is no JSON object")
        return result

    def _name(self) -> str:
        where = [
            f"platform {self.platform_name!r}" if self.platform_name else "",
            f"entry {self.entry_key!r}" if self.entry_key else "",
        ]
        owner = ", ".join(part for part in where if part)
        return f"job `{' '.join(self.command)}`" + (f" of {owner}" if owner else "")


class BranchOnResult(BaseBranchOperator):
    """Chooses what follows a job by the status in its result.

    Args:
        job: Task id of the job.
        done: Task that follows ``DONE``.
        keep_working: Task that follows ``KEEP_WORKING``.
        **arguments: Those of every Airflow operator.
    """

    def __init__(
        self,
        *,
        job: str,
        done: str,
        keep_working: str,
        **arguments: Any,  # noqa: ANN401 - Airflow's own
    ) -> None:
        super().__init__(**arguments)
        self.job = job
        self.followers = {JobStatus.DONE.value: done, JobStatus.KEEP_WORKING.value: keep_working}

    def choose_branch(self, context: Any) -> str:  # noqa: ANN401 - its type differs by version
        """Return the task that follows.

        Raises:
            AirflowException: The job left no result, or an unknown status.
        """
        result = context["ti"].xcom_pull(task_ids=self.job)
        if not isinstance(result, dict):
            raise AirflowException(
                f"task {self.job!r} left no result; clear it so that it runs again"
            )
        status = result.get("status")
        if status not in self.followers:
            known = " or ".join(self.followers)
            raise AirflowException(f"task {self.job!r} left status {status!r}, not {known}")
        return self.followers[status]


class FunctionOperator(BaseOperator):
    """Calls a function of a module with JSON values and returns its JSON result.

    Args:
        function: A function at the top level of a module.
        arguments: Its keyword arguments.
        **options: Those of every Airflow operator.
    """

    ui_color = "#e8f3dc"

    def __init__(
        self,
        *,
        function: Callable[..., dict[str, Any]],
        arguments: Mapping[str, Any],
        **options: Any,  # noqa: ANN401 - Airflow's own
    ) -> None:
        super().__init__(**options)
        self.function = function
        self.arguments = dict(arguments)

    def execute(self, context: Any) -> dict[str, Any]:  # noqa: ANN401 - its type differs by version
        """Call the function.

        Raises:
            AirflowException: The function raised an error of DAG Foundry.
        """
        del context
        try:
            return self.function(**self.arguments)
        except FoundryError as error:
            raise AirflowException(str(error)) from None


class PlaceholderOperator(BaseOperator):
    """Stands for a task whose DAG cannot be built, and fails.

    Args:
        problem: Why, and what to do.
        **arguments: Those of every Airflow operator.
    """

    ui_color = "#f6d5d5"

    def __init__(self, *, problem: str, **arguments: Any) -> None:  # noqa: ANN401 - Airflow's own
        super().__init__(**arguments)
        self.problem = problem

    def execute(self, context: Any) -> None:  # noqa: ANN401 - its type differs by version
        """Fail; trying again would not help.

        Raises:
            AirflowFailException: Always.
        """
        del context
        raise AirflowFailException(self.problem)


def _ending(exit_code: int) -> str:
    if exit_code < 0:
        return f"was ended by {signal.Signals(-exit_code).name}"
    return f"failed with exit code {exit_code}"
