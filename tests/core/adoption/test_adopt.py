"""Adopting a reference deployment: its rows become revision 1 and stay as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from dagfoundry import OnDatasets
from dagfoundry.errors import FoundryMissingError, FoundryUnadoptedError, StoreConflictError
from dagfoundry.merge import plan_merge
from dagfoundry.model import load_model
from dagfoundry.names import table_name
from dagfoundry.plugins import load_plugins
from dagfoundry.store import Source
from dagfoundry.store.records import RowKind
from dagfoundry.upcast import entry_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from conftest import Deployment

DSG = "yellowlive_airflow_dsg"


def test_every_dag_of_the_deployment_is_in_revision_1(deployment: Deployment) -> None:
    """Factories, streams and transformers keep their DAG ids; inactive rows are left out."""
    done = deployment.adopt()
    assert deployment.list_dag_ids() == deployment.dag_ids
    assert (done.count(RowKind.FACTORY), done.count(RowKind.ENTRY)) == (4, 9)
    assert (done.ignored, done.findings) == (1, ())
    record = deployment.store.revision("Test_DP", 1)
    assert record is not None
    assert (record.source, record.author, record.message) == (Source.ADOPT, "Ada", "taken over")


def test_no_byte_of_a_row_changes(deployment: Deployment) -> None:
    """Config, status and both times of every row are what they were."""
    before = deployment.rows()
    deployment.adopt()
    assert deployment.rows() == before


def test_history_holds_the_config_byte_for_byte(deployment: Deployment) -> None:
    """Revision 1 says exactly what the row says."""
    deployment.adopt()
    stored = {row[0]: row[1] for row in deployment.rows()[DSG]}
    for row in deployment.store.rows_at("Test_DP", 1):
        if row.table_name == DSG:
            assert row.config_json == stored[row.key]


def test_bad_rows_are_reported_and_stop_no_other(deployment: Deployment) -> None:
    """Each has a finding with table, key and field; the good rows are adopted all the same."""
    good = deployment.config(DSG, "Store1")
    long = {**good, "stream_key": "Cut", "datasets": [f"table_{n}" for n in range(200)]}
    deployment.copy_stream("Cut", json.dumps(long)[:2000])
    deployment.copy_stream("List", "[1]")
    deployment.copy_stream("Cron", {**good, "stream_key": "Cron", "schedule_string": "61 * * * *"})
    deployment.copy_stream("Nameless", {k: v for k, v in good.items() if k != "store_name"})
    deployment.copy_stream("With space", {**good, "stream_key": "With space"})
    deployment.execute(
        "INSERT INTO test_dp_factory_dags VALUES ('X', 'odd', '{}', 'active', NULL, NULL)"
    )
    done = deployment.adopt()
    found = {(f.table, f.key, f.field): f for f in done.findings}
    assert set(found) == {
        (DSG, "Cut", "config_json"),
        (DSG, "List", "config_json"),
        (DSG, "Cron", "schedule_string"),
        (DSG, "Nameless", "store_name"),
        (DSG, "Nameless", "stream_key"),
        (DSG, "With space", "stream_key"),
        ("test_dp_factory_dags", "X/odd", "factory_type"),
    }
    assert "after 2000 characters" in found[DSG, "Cut", "config_json"].what
    assert all(f.remedy for f in done.findings)
    held_out = {f.key for f in done.findings if f.held_out}
    assert held_out == {"With space", "X/odd"}
    recorded = ["Cron", "Cut", "List", "Nameless"]
    assert deployment.list_dag_ids() == tuple(
        sorted([*deployment.dag_ids, *(f"yellowlive__{key}_ingestion" for key in recorded)])
    )


def test_second_adoption_is_refused_with_a_clear_answer(deployment: Deployment) -> None:
    """It says that it was done, by whom, and where to look."""
    deployment.adopt()
    with pytest.raises(StoreConflictError, match="'Test_DP' was adopted already, by Ada"):
        deployment.adopt("test_dp")
    assert deployment.store.head("Test_DP").revision == 1


def test_unknown_name_is_answered_with_those_that_there_are(deployment: Deployment) -> None:
    """A typing error leaves nothing in the database."""
    with pytest.raises(FoundryMissingError, match="Name one of these: test_dp"):
        deployment.adopt("Tets_DP")
    assert deployment.store.foundries() == []


def test_tables_without_an_active_row_are_not_adopted(deployment: Deployment) -> None:
    """There would be nothing in revision 1."""
    deployment.execute("UPDATE test_dp_factory_dags SET status = 'inactive'")
    with pytest.raises(FoundryMissingError, match="nothing to adopt"):
        deployment.adopt()


def test_platform_of_another_foundry_is_refused(deployment: Deployment) -> None:
    """Two deployments that name one platform would write the same tables."""
    deployment.execute("CREATE TABLE other_factory_dags AS SELECT * FROM test_dp_factory_dags")
    deployment.adopt()
    with pytest.raises(StoreConflictError, match="belong to foundry 'Test_DP'"):
        deployment.adopt("Other")
    assert deployment.store.foundries() == ["Test_DP"]


def test_long_names_are_found_by_the_63_character_rule(deployment: Deployment) -> None:
    """A table's name that would be too long ends in three digits of its hash."""
    platform = "P" * 60
    table = table_name(platform, "airflow_dsg")
    assert len(table) == 63
    deployment.execute(
        f"ALTER TABLE {DSG} RENAME TO {table}",
        "UPDATE test_dp_factory_dags SET config_json = '{}' WHERE platform_name = 'YellowLive'",
        "UPDATE test_dp_factory_dags SET platform_name = REPLACE(platform_name, 'YellowLive', '@')"
        "".replace("@", platform),
    )
    done = deployment.adopt()
    assert done.count(RowKind.ENTRY) == 7
    assert {f.what for f in done.findings} == {
        f"there is no table {table_name(platform, 'airflow_datatransformer')!r}"
    }


def test_factory_that_names_another_table_keeps_its_entries_out(deployment: Deployment) -> None:
    """Entries in a table that the rule does not give could never be written."""
    deployment.execute(
        "UPDATE test_dp_factory_dags SET config_json ="
        " REPLACE(config_json, 'yellowforensic_airflow_dsg', 'elsewhere')"
    )
    done = deployment.adopt()
    assert [f.field for f in done.findings] == ["phys_dag_table_name"]
    assert "yellowforensic__Store1_ingestion" not in deployment.list_dag_ids()


def test_until_it_is_adopted_other_commands_name_adopt(deployment: Deployment, model: Path) -> None:
    """Neither looking at the foundry nor planning a merge of it goes on."""
    loaded = load_model([model], load_plugins())
    for ask in (
        deployment.store.refuse_unadopted,
        lambda: deployment.store.head("Test_DP"),
        lambda: plan_merge(deployment.store, loaded, load_plugins()),
        lambda: deployment.merge(model),
    ):
        with pytest.raises(FoundryUnadoptedError, match="dagfoundry adopt --foundry"):
            ask()


class Task:
    """A task that may stand before and behind others."""

    def __rshift__(self, other: object) -> object:
        """Stand before."""
        return other

    __rrshift__ = __rshift__


class Kit:
    """A kit that notes what DAG it is asked for."""

    def __init__(self) -> None:
        self.schedule: object = "never asked"
        self.tasks: list[str] = []

    @contextmanager
    def dag(self, *, schedule: object, **_options: object) -> Iterator[object]:
        """Note the schedule."""
        self.schedule = schedule
        yield self

    def empty(self, task_id: str, *_rest: object, **_options: object) -> Task:
        """Note a task."""
        self.tasks.append(task_id)
        return Task()

    job = branch_on_result = retrigger = empty


def test_adopted_entries_become_the_dags_that_they_were(deployment: Deployment) -> None:
    """Each factory type builds its rows, with the task ids of the reference."""
    deployment.adopt()
    plugins = load_plugins()
    built = {}
    for row in deployment.store.rows_at("Test_DP", 1):
        if row.kind is RowKind.ENTRY:
            kit = built[row.dag_id] = Kit()
            plugins.type(row.factory_type).build(entry_of(row, plugins), kit)
    assert len(built) == 9
    stream = built["yellowlive__Store2_orders_ingestion"]
    assert stream.schedule == "*/10 * * * *"
    assert sorted(stream.tasks) == [
        "check_result",
        "reschedule_immediately",
        "snapshot_merge_job",
        "wait_for_trigger",
    ]
    waiting = built["yellowlive__AggWS_datatransformer"]
    assert waiting.schedule == OnDatasets(datasets=("Store2#orders", "MaskedCustomers#customers"))


def test_two_adoptions_at_once_make_one_revision(deployment: Deployment) -> None:
    """The second waits and gets the answer of a second adoption."""
    url = deployment.store.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "dagfoundry", "adopt", "--foundry", "Test_DP"]
    environment = {**os.environ, "DAGFOUNDRY_STORE_URL": url}
    running = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    errors = [process.communicate(timeout=120)[1].decode() for process in running]
    assert sorted(process.returncode for process in running) == [0, 1], errors
    assert "was adopted already" in "".join(errors)
    assert deployment.store.head("Test_DP").revision == 1


def test_adopted_entries_are_accepted_by_their_factory_types(deployment: Deployment) -> None:
    """Schedules absent, null, empty and "None" all mean that there is none."""
    deployment.adopt()
    types = load_plugins().types
    schedules = {
        row.key: types[row.factory_type].type.config.model_validate(row.config()).schedule_string  # type: ignore[attr-defined]
        for row in deployment.store.rows_at("Test_DP", 1)
        if row.kind is RowKind.ENTRY and row.platform_name == "YellowLive"
    }
    assert {key for key, schedule in schedules.items() if schedule is None} == {
        "AggWS",
        "BareStore",
        "BlankStore",
        "ExtStore",
        "NullStore",
    }
