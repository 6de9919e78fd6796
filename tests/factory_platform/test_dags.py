"""How a stored stream becomes a DAG, seen by a kit that records what it is asked for."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from dagfoundry import Entry, FactoryType, Status
from dagfoundry.errors import SettingInvalidError
from dagfoundry_platform.dags import build_stream, tables_of
from dagfoundry_platform.plugin import dagfoundry_register_factory_types
from dagfoundry_platform.spec import StreamSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

ROW: dict[str, Any] = {
    "platform_name": "yellowlive",
    "stream_key": "Shop",
    "priority": 3,
    "single_dataset": False,
    "datasets": ["customers", "orders"],
    "store_name": "Shop",
    "ingestion_type": "sql_source",
    "schedule_string": "*/10 * * * *",
    "dagfoundry": {
        "merge_store": {"url_variable": "MERGE_URL"},
        "milestoning": "forensic",
        "owner": "sales",
        "source": {"url_variable": "SHOP_URL"},
        "source_schema": "sales",
        "datasets": [
            {"name": "customers", "key": ["id"]},
            {"name": "orders", "key": ["number", "line"], "table": "orders_2024"},
        ],
    },
}

REFERENCE: dict[str, Any] = {
    "namespace_name": "ns-yellow",
    "platform_name": "yellowlive",
    "original_platform_name": "YellowLive",
    "merge_db_driver": "postgresql",
    "merge_db_database": "datasurface_merge",
    "merge_db_credential_secret_name": "postgres",
    "merge_db_hostname": "localhost",
    "merge_db_port": 5432,
    "stream_key": "Store2_orders",
    "priority": 3,
    "single_dataset": True,
    "datasets": ["orders"],
    "store_name": "Store2",
    "dataset_name": "orders",
    "ingestion_type": "sql_source",
    "schedule_string": "None",
    "job_limits": {"requested_memory": "256M"},
    "source_credential_secret_name": "orders-db",
}
"""A row as the reference system writes it."""


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


def entry(config: dict[str, Any], **changes: object) -> Entry:
    """Return a stored stream, with changes of its config."""
    return Entry(
        foundry="Test",
        platform_name="YellowLive",
        factory_type="platform",
        key=config["stream_key"],
        dag_id=f"yellowlive__{config['stream_key']}_ingestion",
        config={**config, **changes},
        status=Status.ACTIVE,
        revision=1,
    )


def built(config: dict[str, Any], **changes: object) -> RecordingKit:
    """Build the DAG of a row and return what it is made of."""
    kit = RecordingKit()
    assert build_stream(entry(config, **changes), kit) == "the DAG"
    return kit


def spec_of(kit: RecordingKit) -> StreamSpec:
    """Return what a DAG's job is told."""
    return StreamSpec.model_validate(kit.tasks["snapshot_merge_job"].arguments["spec"])


def test_has_the_references_tasks() -> None:
    """Task ids, their order, tags and schedule are the reference's."""
    kit = built(ROW)
    assert {task.task_id: task.followers for task in kit.tasks.values()} == {
        "snapshot_merge_job": ["check_result"],
        "check_result": ["reschedule_immediately", "wait_for_trigger"],
        "reschedule_immediately": [],
        "wait_for_trigger": [],
    }
    assert kit.arguments == {
        "schedule": "*/10 * * * *",
        "tags": ("datasurface", "ingestion", "yellowlive", "Shop"),
    }
    assert kit.tasks["check_result"].arguments == {
        "job": "snapshot_merge_job",
        "done": "wait_for_trigger",
        "keep_working": "reschedule_immediately",
    }


def test_job_is_told_all_but_secrets() -> None:
    """The spec names databases, tables, keys and milestoning, and emits what it writes."""
    job = built(ROW).tasks["snapshot_merge_job"].arguments
    assert job["command"] == ("-m", "dagfoundry_platform.job", "snapshot-merge")
    assert job["outlets"] == ("Shop#customers", "Shop#orders")
    assert job["priority"] == 3
    assert job["spec"] == {
        "platform": "YellowLive",
        "store": "Shop",
        "source": {"url_variable": "SHOP_URL"},
        "source_schema": "sales",
        "merge_store": {"url_variable": "MERGE_URL"},
        "milestoning": "forensic",
        "datasets": [
            {"name": "customers", "key": ["id"]},
            {"name": "orders", "table": "orders_2024", "key": ["number", "line"]},
        ],
    }


def test_row_of_a_reference_deployment_becomes_a_dag() -> None:
    """Its merge store is in its keys; its four-letter "None" is no schedule (D7)."""
    kit = built(REFERENCE)
    assert kit.arguments["schedule"] is None
    spec = spec_of(kit)
    assert spec.merge_store.as_config() == {
        "driver": "postgresql",
        "hostname": "localhost",
        "port": 5432,
        "database": "datasurface_merge",
        "credential": "postgres",
    }
    assert (spec.store, spec.dataset, spec.source) == ("Store2", "orders", None)
    assert [dataset.name for dataset in spec.datasets] == ["orders"]


@pytest.mark.parametrize("schedule", [None, "", "None"])
def test_no_schedule_has_three_spellings(schedule: str | None) -> None:
    """Rows of the reference and hand-written ones may use each of them."""
    assert built(ROW, schedule_string=schedule).arguments["schedule"] is None


def test_row_without_a_schedule_key_has_no_schedule() -> None:
    """So our own rows say it."""
    config = {key: value for key, value in ROW.items() if key != "schedule_string"}
    assert built(config).arguments["schedule"] is None


def test_config_of_another_row_is_refused() -> None:
    """It would make another stream's DAG again, or under a new name (D22)."""
    with pytest.raises(ValueError, match="'Other', that of its row 'Shop'"):
        build_stream(entry(ROW, stream_key="Other"), RecordingKit())


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"schedule_string": "daily"}, "schedule_string"), ({"datasets": []}, "datasets")],
)
def test_impossible_row_is_refused_with_its_field(changes: dict[str, Any], field: str) -> None:
    """A hand edit that cannot work is named."""
    with pytest.raises(ValidationError, match=field):
        build_stream(entry(ROW, **changes), RecordingKit())


def test_row_without_a_merge_store_is_refused() -> None:
    """Neither the reference's keys nor ours: there is nowhere to write."""
    with pytest.raises(SettingInvalidError, match="names no database"):
        build_stream(entry(ROW, dagfoundry={}), RecordingKit())


def test_tag_of_a_long_key_is_cut() -> None:
    """Airflow takes 100 characters at most."""
    key = "S" * 128
    tags = built({**ROW, "stream_key": key}).arguments["tags"]
    assert tags[-1] == "S" * 100


def test_tables_of_a_stream_are_those_of_its_datasets() -> None:
    """What may go when the stream is purged."""
    assert list(tables_of(entry(REFERENCE))) == [
        "yellowlive_store2_orders_merge",
        "yellowlive_store2_orders_staging",
    ]


def test_type_has_the_references_names() -> None:
    """DAG ids, tables, columns and tags are found by those who know the reference."""
    (offered,) = dagfoundry_register_factory_types()
    assert isinstance(offered, FactoryType)
    assert (offered.name, offered.section) == ("platform", "stores")
    assert (offered.table.suffix, offered.table.key_column) == ("airflow_dsg", "stream_key")
    assert offered.table.config_key == "phys_dag_table_name"
    assert offered.dag_id == "{platform}__{key}_ingestion"
    assert offered.factory_dag_id == "{platform}_factory_dag"
    assert "dynamic-dag-manager" in offered.factory_tags
