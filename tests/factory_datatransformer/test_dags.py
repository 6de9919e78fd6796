"""How a stored transformer becomes a DAG, seen by a kit that records what it is asked for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from dagfoundry import Entry, OnDatasets, Status
from dagfoundry_datatransformer.dags import build_transformer, tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW = {
    "platform_name": "yellowlive",
    "workspace_name": "Report",
    "output_datastore_name": "Reports",
    "input_dataset_list": ["Ops#flights", "Ops#weather"],
    "output_dataset_list": ["totals", "worst"],
    "priority": 3,
    "dagfoundry": {
        "merge_store": {"url_variable": "MERGE_URL"},
        "milestoning": "live",
        "owner": "analytics",
        "inputs": {"f": "Ops#flights", "w": "Ops#weather"},
        "outputs": [
            {"name": "totals", "key": ["a"], "sql": "SELECT 1 AS a"},
            {"name": "worst", "key": ["a"], "sql": "SELECT 2 AS a"},
        ],
    },
}


@dataclass(eq=False)
class Task:
    """A task that remembers what follows it."""

    task_id: str
    arguments: dict[str, Any]
    followers: list[str] = field(default_factory=list)

    def __rshift__(self, other: Task | list[Task]) -> Task | list[Task]:
        """Put others behind this task."""
        others = other if isinstance(other, list) else [other]
        self.followers += [task.task_id for task in others]
        return other

    def __rrshift__(self, others: list[Task]) -> Task:
        """Put this task behind others."""
        for task in others:
            task.followers.append(self.task_id)
        return self


@dataclass
class RecordingKit:
    """A DagKit without an Airflow behind it."""

    tasks: dict[str, Task] = field(default_factory=dict)
    arguments: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def dag(self, **arguments: object) -> Iterator[str]:
        """Open the DAG."""
        self.arguments = arguments
        yield "the DAG"

    def empty(self, task_id: str, **arguments: object) -> Task:
        """Make a task that does nothing."""
        return self._task(task_id, arguments)

    def job(self, task_id: str, command: tuple[str, ...], **arguments: object) -> Task:
        """Make a task that runs a job."""
        return self._task(task_id, {"command": command, **arguments})

    def branch_on_result(self, task_id: str, **arguments: object) -> Task:
        """Make a task that chooses what follows."""
        return self._task(task_id, arguments)

    def retrigger(self, task_id: str) -> Task:
        """Make a task that starts the next run."""
        return self._task(task_id, {})

    def _task(self, task_id: str, arguments: dict[str, Any]) -> Task:
        self.tasks[task_id] = Task(task_id, arguments)
        return self.tasks[task_id]


def row(**changes: object) -> Entry:
    """Return a stored transformer, with changes."""
    return Entry(
        foundry="Test",
        platform_name="YellowLive",
        factory_type="datatransformer",
        key="Report",
        dag_id="yellowlive__Report_datatransformer",
        config={**ROW, **changes},
        status=Status.ACTIVE,
        revision=1,
    )


def built(**changes: object) -> RecordingKit:
    """Build the DAG of a row and return what it is made of."""
    kit = RecordingKit()
    assert build_transformer(row(**changes), kit) == "the DAG"
    return kit


def test_has_the_references_tasks_without_its_sensors() -> None:
    """Task ids, order and trigger rule are the reference's."""
    kit = built()
    assert {task.task_id: task.followers for task in kit.tasks.values()} == {
        "start_datatransformer": ["datatransformer_job"],
        "datatransformer_job": ["output_ingestion_job", "check_result"],
        "output_ingestion_job": ["check_result"],
        "check_result": ["reschedule_immediately", "wait_for_trigger"],
        "reschedule_immediately": [],
        "wait_for_trigger": [],
    }
    assert kit.tasks["check_result"].arguments == {
        "job": "output_ingestion_job",
        "done": "wait_for_trigger",
        "keep_working": "reschedule_immediately",
        "trigger_rule": "none_failed_min_one_success",
    }


def test_has_the_references_tags() -> None:
    """The tags name the platform and the transformer."""
    tags = built().arguments["tags"]
    assert tags == ("datasurface", "datatransformer", "yellowlive", "Report")


@pytest.mark.parametrize("schedule", [{}, {"schedule_string": None}, {"schedule_string": "None"}])
def test_without_a_schedule_runs_on_what_it_reads(schedule: dict[str, Any]) -> None:
    """The reference's sensors, which could never fire, are a dataset schedule (D3, D42)."""
    on_inputs = OnDatasets(datasets=("Ops#flights", "Ops#weather"))
    assert built(**schedule).arguments["schedule"] == on_inputs


def test_runs_on_its_cron() -> None:
    """A cron expression is its schedule."""
    assert built(schedule_string="0 6 * * *").arguments["schedule"] == "0 6 * * *"


def test_without_schedule_and_inputs_is_only_triggered() -> None:
    """Nothing starts it by itself."""
    assert built(input_dataset_list=[]).arguments["schedule"] is None


def test_jobs_are_told_all_but_secrets() -> None:
    """Both jobs get one spec; the second writes the outputs' datasets."""
    kit = built()
    make, ingest = (
        kit.tasks[name].arguments for name in ("datatransformer_job", "output_ingestion_job")
    )
    assert make["command"] == ("-m", "dagfoundry_datatransformer.job", "run-datatransformer")
    assert ingest["command"] == ("-m", "dagfoundry_datatransformer.job", "ingest-output")
    assert make["spec"] == ingest["spec"]
    assert make["spec"] == {
        "platform": "YellowLive",
        "transformer": "Report",
        "merge_store": {"url_variable": "MERGE_URL"},
        "milestoning": "live",
        "output_store": "Reports",
        "inputs": {"f": "Ops#flights", "w": "Ops#weather"},
        "outputs": ROW["dagfoundry"]["outputs"],
    }
    assert "outlets" not in make
    assert ingest["outlets"] == ("Reports#totals", "Reports#worst")
    assert make["priority"] == ingest["priority"] == 3


def test_builds_a_row_of_the_reference() -> None:
    """A row without our own key becomes a DAG whose job says what it lacks."""
    reference = {
        "merge_db_driver": "postgresql",
        "merge_db_database": "merge",
        "merge_db_hostname": "db",
        "merge_db_port": 5432,
        "merge_db_credential_secret_name": "merge-db",
        "dagfoundry": {},
    }
    spec = built(**reference).tasks["datatransformer_job"].arguments["spec"]
    assert spec["merge_store"]["credential"] == "merge_db"
    assert spec["outputs"] == [{"name": "totals", "key": []}, {"name": "worst", "key": []}]


def test_names_the_tables_that_hold_its_outputs() -> None:
    """Each output has a table of its own, a merge table and a staging table."""
    assert tables_of(row(output_dataset_list=["totals"])) == [
        "yellowlive_dt_reports_totals",
        "yellowlive_reports_totals_merge",
        "yellowlive_reports_totals_staging",
    ]


def test_refuses_a_broken_row() -> None:
    """A row that lacks a key names it."""
    with pytest.raises(ValidationError, match="output_datastore_name"):
        built(output_datastore_name=None)
