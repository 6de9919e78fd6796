"""What Airflow gets of a DAG whose plugin is missing or broken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from dagfoundry.factories import Status
from dagfoundry.names import bucket_file
from dagfoundry.plugins import Plugins, load_plugins
from dagfoundry.store import DagShape, Placeholder
from dagfoundry.store.shapes import ShapeSeen
from dagfoundry_airflow._compat import AirflowFailException, check_dag, hashed_dag
from dagfoundry_airflow.build import build_dag
from dagfoundry_airflow.documentation import served_in
from dagfoundry_airflow.loader import build_rows, load_bucket
from dagfoundry_airflow.placeholder_dag import build_placeholder
from dagfoundry_airflow.shape import UNKNOWN, shape_of
from dagfoundry_airflow.snapshot import all_placeholders, find_row, render_bucket

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from probe_foundry import Foundry

    from dagfoundry.store import RowState

pytestmark = pytest.mark.every_airflow

SHAPE = DagShape(
    tasks=(("a.load", ("check",)), ("check", ("done", "start")), ("done", ()), ("start", ())),
    tags=("made by hello",),
    distribution="dagfoundry-hello",
    version="1.2.3",
)
PLACEHOLDER = Placeholder(shape=SHAPE, reason="factory type 'hello' is not installed")


@pytest.fixture
def task_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return a function that says for which task this process parses."""

    def context(dag_id: str, task_id: str) -> None:
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", dag_id)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", task_id)

    return context


def edges(dag: Any) -> dict[str, list[str]]:  # noqa: ANN401 - an Airflow DAG
    """Return the tasks of a DAG, each with those that follow it."""
    return {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}


def test_a_placeholder_has_the_tasks_and_no_schedule(make_row: Callable[..., RowState]) -> None:
    """Airflow accepts it, and shows why it is there."""
    row = make_row(config={"greeting": "Hi", "dagfoundry": {"tags": ["mine"], "retries": 5}})
    dag = build_placeholder(row, PLACEHOLDER)
    assert check_dag(dag)
    assert dag.dag_id == row.dag_id
    assert edges(dag) == {task: list(after) for task, after in SHAPE.tasks}
    assert dag.timetable.can_be_scheduled is False
    assert dag.catchup is False
    assert set(dag.tags) == {"made by hello", "mine"}
    for word in ("placeholder", "'hello' is not installed", "dagfoundry-hello 1.2.3", "Hi", "Ada"):
        assert word in dag.doc_md


@pytest.mark.parametrize("status", [Status.ACTIVE, Status.INACTIVE, Status.RETIRING])
def test_a_placeholder_says_which_revision_it_stands_for(
    make_row: Callable[..., RowState], status: Status
) -> None:
    """So whoever waits for the revision finds it served."""
    dag = build_placeholder(make_row(status=status), PLACEHOLDER)
    assert served_in(dag.description) == (7, status) == served_in(dag.doc_md)
    assert "placeholder" in dag.description


def test_a_task_of_a_placeholder_fails_and_names_what_to_install(
    make_row: Callable[..., RowState],
) -> None:
    """Without a retry: it would fail again."""
    dag = build_placeholder(make_row(), PLACEHOLDER)
    with pytest.raises(AirflowFailException) as caught:
        dag.get_task("check").execute({})
    message = str(caught.value)
    for word in ("hello", "dagfoundry-hello 1.2.3", "revision 7", "Ada", "not installed"):
        assert word in message


def test_a_placeholder_is_the_same_in_every_process(make_row: Callable[..., RowState]) -> None:
    """Else each parse would make a DAG version."""
    first, second = (hashed_dag(build_placeholder(make_row(), PLACEHOLDER)) for _ in range(2))
    assert first == second


def test_the_shape_of_a_dag_is_what_its_placeholder_shows(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """Tasks, edges and tags, and who built it."""
    row = make_row(config={"greeting": "Hi", "dagfoundry": {"tags": ["mine"]}})
    dag = build_dag(row, hello_plugins)
    shape = shape_of(dag, row, hello_plugins)
    assert shape.builder == "dagfoundry-hello 1.2.3"
    assert "mine" not in shape.tags
    stands = build_placeholder(row, Placeholder(shape=shape, reason="it is broken"))
    assert edges(stands) == edges(dag)
    assert set(stands.tags) == set(dag.tags)
    assert DagShape.from_json(json.loads(json.dumps(shape.to_json()))) == shape


def test_an_unknown_shape_is_one_task_that_fails(make_row: Callable[..., RowState]) -> None:
    """The DAG is visible all the same, and a run of it must not be taken for a success."""
    dag = build_placeholder(make_row(), Placeholder(shape=UNKNOWN, reason="it is broken"))
    assert check_dag(dag)
    with pytest.raises(AirflowFailException, match="it is broken"):
        dag.get_task("placeholder").execute({})


def test_a_sidecar_holds_each_kind_of_placeholder_once(make_row: Callable[..., RowState]) -> None:
    """A missing plugin makes thousands that are alike; rows are found as before."""
    rows = [make_row(key=key, dag_id=f"live__{key}") for key in "abc"]
    odd = Placeholder(
        shape=SHAPE._replace(tasks=(("dag_id", ("rows",)), ("rows", ()))), reason='",'
    )
    here = {"live__a": PLACEHOLDER, "live__b": odd, "live__c": PLACEHOLDER}
    files = render_bucket("Testing", 3, rows, here | {"elsewhere": odd})
    content = files["dagfoundry_testing_03.json"]
    assert all_placeholders(content) == here
    assert content.count(b"a.load") == 1
    assert find_row(content, "live__c") == rows[2].to_json()
    assert find_row(content, "rows") is None
    assert all_placeholders(render_bucket("Testing", 3, rows)["dagfoundry_testing_03.json"]) == {}


def test_a_parse_gets_placeholders_beside_dags(
    make_row: Callable[..., RowState], counted: Callable[..., float]
) -> None:
    """No plugin is asked for them, and they are counted as what they are."""
    labels = {"factory_type": "nowhere", "outcome": "placeholder"}
    before = counted("dagfoundry_dag_builds_total", **labels)
    values = {"key": "b", "config": {}, "factory_type": "probe", "dag_id": "live__b_probe"}
    rows = [make_row(factory_type="nowhere"), make_row(**values)]
    dags = build_rows(rows, load_plugins(), {rows[0].dag_id: PLACEHOLDER})
    assert dags.keys() == {row.dag_id for row in rows}
    assert dags[rows[0].dag_id].has_task("a.load")
    assert dags["live__b_probe"].has_task("first")
    assert counted("dagfoundry_dag_builds_total", **labels) == before + 1


def test_a_worker_without_the_plugin_says_what_to_install(
    foundry: Foundry,
    make_row: Callable[..., RowState],
    task_of: Callable[[str, str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Airflow would say that it does not find the DAG."""
    row = make_row(foundry=foundry.name, factory_type="nowhere", dag_id="live__a_nowhere")
    foundry.store.record_shapes(foundry.name, {row.dag_id: ShapeSeen(1, SHAPE)})
    url = foundry.store.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", url)
    for name, content in render_bucket(foundry.name, 3, [row]).items():
        (tmp_path / name).write_bytes(content)
    stub = str(tmp_path / bucket_file(foundry.name, 3))
    task_of(row.dag_id, "check")
    dag = load_bucket(stub)[row.dag_id]
    assert edges(dag) == {"check": []}
    with pytest.raises(AirflowFailException, match=r"dagfoundry-hello 1\.2\.3") as caught:
        dag.get_task("check").execute({})
    assert "on this worker factory type 'nowhere' is not installed" in str(caught.value)


@pytest.mark.parametrize("factory_type", ["nowhere", "probe"])
def test_a_parse_before_the_trial_is_over_keeps_the_dag(
    foundry: Foundry,
    make_row: Callable[..., RowState],
    monkeypatch: pytest.MonkeyPatch,
    factory_type: str,
) -> None:
    """A row that was good is shown as it will be; one of which nobody knows is left out."""
    url = foundry.store.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", url)
    values = {"foundry": foundry.name, "factory_type": factory_type, "config": {"act": "raise"}}
    was_good, never = (make_row(dag_id=dag_id, **values) for dag_id in ("good", "never"))
    foundry.store.record_shapes(foundry.name, {was_good.dag_id: ShapeSeen(1, SHAPE)})
    dags = build_rows([was_good, never], load_plugins())
    assert dags.keys() == {was_good.dag_id}
    assert edges(dags[was_good.dag_id]) == {task: list(after) for task, after in SHAPE.tasks}
    assert dags[was_good.dag_id].timetable.can_be_scheduled is False
    foundry.hide()
    assert build_rows([was_good, never], load_plugins()) == {}


def test_a_worker_without_plugin_and_store_names_the_factory_type(
    make_row: Callable[..., RowState],
    task_of: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The store only knows the distribution's name."""
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", f"sqlite:///{tmp_path / 'nothing.db'}")
    row = make_row(factory_type="nowhere")
    task_of(row.dag_id, "start")
    dag = build_rows([row], load_plugins())[row.dag_id]
    with pytest.raises(AirflowFailException, match="'nowhere' is not installed"):
        dag.get_task("start").execute({})


def test_a_process_for_another_dag_gets_no_placeholder(
    make_row: Callable[..., RowState], task_of: Callable[[str, str], None]
) -> None:
    """A task's own children see its context, and may look at any file."""
    task_of("another_dag", "start")
    assert build_rows([make_row(factory_type="nowhere")], load_plugins()) == {}
