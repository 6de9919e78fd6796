"""The kit gives every DAG what all DAGs of DAG Foundry have in common."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from dagfoundry.errors import BuildFailedError
from dagfoundry.factories import DagDetails, OnDatasets, Status
from dagfoundry.store.records import RowKind
from dagfoundry_airflow.documentation import served_in
from dagfoundry_airflow.kit import START_DATE, Kit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dagfoundry.store.records import RowState
    from dagfoundry_airflow._compat import DAG

pytestmark = pytest.mark.every_airflow


def cron(dag: DAG) -> str | None:
    """Return a DAG's cron expression on any Airflow version, None when it has none."""
    return getattr(dag.timetable, "expression", None) or getattr(dag.timetable, "_expression", None)


def asset_uris(dag: DAG) -> list[str]:
    """Return the URIs of the assets that a DAG waits for, in their order."""
    condition = getattr(dag.timetable, "asset_condition", None) or dag.timetable.dataset_condition
    return [asset.uri for asset in condition.objects]


def test_a_dag_has_the_id_the_flags_and_the_tags_of_its_row(
    make_row: Callable[..., RowState],
) -> None:
    """Tags of the type and of the model are joined, each once."""
    row = make_row(config={"dagfoundry": {"tags": ["team-a", "hello"]}})
    dag = Kit(row).dag(schedule="0 6 * * *", tags=("hello", "datasurface"))
    assert dag.dag_id == "yellowlive__World_hello"
    assert len(dag.tags) == 3
    assert set(dag.tags) == {"datasurface", "hello", "team-a"}
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    assert dag.is_paused_upon_creation is False
    assert dag.start_date == START_DATE
    assert cron(dag) == "0 6 * * *"


@pytest.fixture
def _unread_settings() -> Iterator[None]:
    """Have the kit look up Airflow's settings anew, and the next test as well."""
    from dagfoundry_airflow._compat import cron_timetable, cron_timetable_class, site_defaults

    for lookup in (cron_timetable, cron_timetable_class, site_defaults):
        lookup.cache_clear()
    yield
    for lookup in (cron_timetable, cron_timetable_class, site_defaults):
        lookup.cache_clear()


@pytest.mark.usefixtures("_unread_settings")
@pytest.mark.parametrize("intervals", ["True", "False"])
@pytest.mark.parametrize("schedule", ["0 6 * * *", "@daily", None])
def test_airflow_stores_the_dag_that_it_would_make_itself(
    make_row: Callable[..., RowState],
    serialized: Callable[[object], dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    schedule: str | None,
    intervals: str,
) -> None:
    """A schedule and a site's settings, which the kit looks up once, are those of any DAG."""
    from dagfoundry_airflow._compat import DAG

    monkeypatch.setenv("AIRFLOW__SCHEDULER__CREATE_CRON_DATA_INTERVALS", intervals)
    monkeypatch.setenv("AIRFLOW__CORE__MAX_ACTIVE_TASKS_PER_DAG", "7")
    monkeypatch.setenv("AIRFLOW__CORE__MAX_CONSECUTIVE_FAILED_DAG_RUNS_PER_DAG", "3")
    monkeypatch.setenv("AIRFLOW__DAG_PROCESSOR__DISABLE_BUNDLE_VERSIONING", "True")
    ours = Kit(make_row()).dag(schedule=schedule, tags=("hello",))
    plain = DAG(
        dag_id=ours.dag_id,
        description=ours.description,
        doc_md=ours.doc_md,
        schedule=schedule,
        start_date=START_DATE,
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=False,
        tags=["hello"],
        default_args=ours.default_args,
    )
    assert stored(serialized(ours)) == stored(serialized(plain))
    unversioned = "disable_bundle_versioning"  # told to the database beside the DAG, from 3.0 on
    assert getattr(ours, unversioned, None) == getattr(plain, unversioned, None)


def stored(data: dict[str, Any]) -> dict[str, Any]:
    """Return what Airflow stores of a DAG, but for the file that it is in."""
    return {key: value for key, value in data.items() if "fileloc" not in key}


def test_the_owner_retries_and_pool_of_the_model_reach_every_task(
    make_row: Callable[..., RowState],
) -> None:
    """What the model says goes before the defaults."""
    options = {"owner": "team-a", "retries": 4, "retry_delay": 15, "pool": "heavy"}
    kit = Kit(make_row(config={"dagfoundry": options}))
    with kit.dag(schedule=None, tags=(), retries=1):
        task = kit.job("work", ("-c", "pass"), spec={})
    assert (task.owner, task.retries, task.pool) == ("team-a", 4, "heavy")
    assert task.retry_delay == timedelta(seconds=15)


def test_without_options_the_owner_is_the_references_and_retries_are_the_types(
    make_row: Callable[..., RowState],
) -> None:
    """The reference's owner is datasurface."""
    kit = Kit(make_row())
    with kit.dag(schedule=None, tags=(), retries=1):
        task = kit.empty("work")
    assert (task.owner, task.retries) == ("datasurface", 1)
    assert task.retry_delay == timedelta(minutes=5)


def test_a_type_may_want_more_of_its_dag(make_row: Callable[..., RowState]) -> None:
    """What it wants reaches the DAG and its tasks; documentation comes after the origin."""
    start, end = (datetime(year, 5, 6, tzinfo=timezone.utc) for year in (2024, 2034))
    details = DagDetails(
        documentation="See README.md",
        display_name="The DAG",
        start_date=start,
        end_date=end,
        catchup=True,
        max_active_runs=3,
        max_active_tasks=2,
        dagrun_timeout=timedelta(hours=1),
        render_template_as_native_obj=True,
        params={"size": 5},
        default_args={"priority_weight": 7},
    )
    kit = Kit(make_row())
    with kit.dag(schedule="0 6 * * *", tags=(), details=details) as dag:
        task = kit.empty("work")
    assert dag.doc_md.endswith("\nSee README.md\n")
    assert served_in(dag.doc_md) == (7, Status.ACTIVE)
    assert (dag.dag_display_name, dag.params["size"]) == ("The DAG", 5)
    assert (dag.start_date, dag.end_date, dag.catchup) == (start, end, True)
    assert (dag.max_active_runs, dag.max_active_tasks) == (3, 2)
    assert dag.dagrun_timeout == timedelta(hours=1)
    assert dag.render_template_as_native_obj is True
    assert task.priority_weight == 7


def test_the_model_goes_before_the_types_default_arguments(
    make_row: Callable[..., RowState],
) -> None:
    """A type's own wish counts where the model is silent."""
    details = DagDetails(default_args={"owner": "type", "retries": 9, "pool": "slow"})
    kit = Kit(make_row(config={"dagfoundry": {"owner": "team-a", "retries": 0}}))
    with kit.dag(schedule=None, tags=(), details=details):
        task = kit.empty("work")
    assert (task.owner, task.retries, task.pool) == ("team-a", 0, "slow")


def test_a_cron_expression_is_in_the_time_zone_of_the_start_date(
    make_row: Callable[..., RowState],
    serialized: Callable[[object], dict[str, Any]],
) -> None:
    """Six o'clock is six o'clock where the start date is."""
    import pendulum

    start = pendulum.datetime(2024, 1, 1, tz="Europe/Amsterdam")
    details = DagDetails(start_date=start)
    dag = Kit(make_row()).dag(schedule="0 6 * * *", tags=(), details=details)
    assert "Europe/Amsterdam" in map(str, serialized(dag)["timetable"]["__var"].values())


def test_a_retiring_entry_has_no_schedule_and_does_not_start_itself(
    make_row: Callable[..., RowState],
) -> None:
    """Its tasks stay, so that a run that is under way finds them."""
    kit = Kit(make_row(status=Status.RETIRING))
    with kit.dag(schedule="0 6 * * *", tags=()) as dag:
        again = kit.retrigger("again")
    assert cron(dag) is None
    assert not hasattr(again, "trigger_dag_id")
    assert dag.is_paused_upon_creation is False


@pytest.mark.parametrize("schedule", ["", "every day"])
def test_a_schedule_that_is_none_is_refused_as_airflow_does(
    make_row: Callable[..., RowState], schedule: str
) -> None:
    """An empty text is not the same as no schedule."""
    with pytest.raises(Exception, match=r"(columns|not a valid|Invalid)"):  # noqa: PT012 - its class and place differ by version
        dag = Kit(make_row()).dag(schedule=schedule, tags=())
        dag.validate()


def test_a_builder_that_changes_its_entry_changes_no_option(
    make_row: Callable[..., RowState],
) -> None:
    """The kit keeps what the model says."""
    row = make_row(config={"dagfoundry": {"owner": "team-a", "tags": ["x"]}})
    config = row.config()
    kit = Kit(row, config)
    config["dagfoundry"]["tags"].append("y")
    del config["dagfoundry"]["owner"]
    dag = kit.dag(schedule=None, tags=())
    assert dag.default_args["owner"] == "team-a"
    assert set(dag.tags) == {"x"}
    assert '"owner": "team-a"' in dag.doc_md


def test_an_active_entry_starts_its_own_next_run(make_row: Callable[..., RowState]) -> None:
    """The reference's configuration goes with it."""
    kit = Kit(make_row())
    with kit.dag(schedule=None, tags=()):
        again = kit.retrigger("again")
    assert again.trigger_dag_id == "yellowlive__World_hello"
    assert again.conf == {"triggered_by": "reschedule"}


def test_an_inactive_entry_is_born_paused_without_a_schedule(
    make_row: Callable[..., RowState],
) -> None:
    """So it starts nothing from the moment that Airflow parses it."""
    kit = Kit(make_row(status=Status.INACTIVE))
    with kit.dag(schedule="0 6 * * *", tags=()) as dag:
        kit.empty("work")
    assert dag.is_paused_upon_creation is True
    assert cron(dag) is None


def test_a_retiring_factory_keeps_its_schedule(make_row: Callable[..., RowState]) -> None:
    """It has to let its entries go."""
    row = make_row(kind=RowKind.FACTORY, key="", status=Status.RETIRING)
    dag = Kit(row).dag(schedule="*/5 * * * *", tags=())
    assert cron(dag) == "*/5 * * * *"


def test_a_dag_can_wait_for_datasets_in_any_order(make_row: Callable[..., RowState]) -> None:
    """Datasets become assets of the foundry and platform, sorted, each once."""
    datasets = OnDatasets(datasets=("Store#b", "Store#a", "Store#b"))
    dag = Kit(make_row()).dag(schedule=datasets, tags=())
    assert asset_uris(dag) == [
        "x-dagfoundry://testing/yellowlive/Store/a",
        "x-dagfoundry://testing/yellowlive/Store/b",
    ]


def test_a_job_has_its_priority_and_writes_its_datasets(make_row: Callable[..., RowState]) -> None:
    """Outlets are the assets that other DAGs wait for; the weight is absolute."""
    kit = Kit(make_row())
    with kit.dag(schedule=None, tags=()):
        job = kit.job("work", ("-m", "x"), spec={"b": 1, "a": 2}, outlets=("S#d",), priority=3)
    assert [outlet.uri for outlet in job.outlets] == ["x-dagfoundry://testing/yellowlive/S/d"]
    assert job.priority_weight == 3
    assert "absolute" in str(job.weight_rule).lower()
    assert list(job.spec) == ["a", "b"]


def test_a_runner_that_is_not_known_is_refused(make_row: Callable[..., RowState]) -> None:
    """The error names the platform and the runner."""
    kit = Kit(make_row(config={"dagfoundry": {"runner": "moon"}}))
    with kit.dag(schedule=None, tags=()), pytest.raises(BuildFailedError) as caught:
        kit.job("work", (), spec={})
    assert "'YellowLive' asks for runner 'moon'" in str(caught.value)


def test_the_documentation_shows_definition_revision_and_origin(
    make_row: Callable[..., RowState],
) -> None:
    """Free text of people cannot break out of its place."""
    row = make_row(config={"z": 1, "a": {"b": "ü"}}, message="because `x`\n\n# of y")
    text = Kit(row).dag(schedule=None, tags=()).doc_md
    assert "\ndagfoundry revision: 7\n" in text
    assert "- Author: `Ada`" in text
    assert "- Message: `because 'x' # of y`" in text
    definition = text.split("```json\n")[1].split("\n```")[0]
    assert json.loads(definition) == {"z": 1, "a": {"b": "ü"}}


def test_the_description_tells_revision_and_status_to_airflows_list(
    make_row: Callable[..., RowState],
) -> None:
    """An active entry has no status in it."""
    active = Kit(make_row()).dag(schedule=None, tags=())
    retiring = Kit(make_row(status=Status.RETIRING)).dag(schedule=None, tags=())
    assert served_in(active.description) == (7, Status.ACTIVE)
    assert served_in(retiring.description) == (7, Status.RETIRING)
    assert served_in("somebody else's DAG") is None


def test_a_config_that_is_no_object_is_refused(make_row: Callable[..., RowState]) -> None:
    """A hand edit may leave anything in the column."""
    with pytest.raises(ValueError, match="not an object"):
        Kit(make_row(config_json="[1]"))
