"""Rows become DAGs that the installed Airflow accepts, or one precise error."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from sqlalchemy.engine import make_url

from dagfoundry.errors import BuildFailedError, FactoryTypeMissingError
from dagfoundry.merge import Guards, merge
from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins
from dagfoundry.store import RowKind, Source, open_store
from dagfoundry.store.write import Origin
from dagfoundry_airflow.build import build_dag

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry import DagKit, Entry
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState

pytestmark = pytest.mark.every_airflow

_AFTER_JOB = {"check_result", "reschedule_immediately", "wait_for_trigger"}
STREAM_TASKS = {"snapshot_merge_job"} | _AFTER_JOB
TRANSFORMER_TASKS = {
    "start_datatransformer",
    "datatransformer_job",
    "output_ingestion_job",
} | _AFTER_JOB

SERIALIZE = """
import json, sys
from airflow.serialization import serialized_objects
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowState
from dagfoundry_airflow.build import build_dag

owner = getattr(serialized_objects, "DagSerialization", serialized_objects.SerializedDAG)
row = RowState.from_json(json.loads(sys.argv[1]))
dag = owner.to_dict(build_dag(row, load_plugins()))["dag"]
print("result=" + json.dumps(dag, sort_keys=True))
"""


def with_builder(plugins: Plugins, build: Callable[[Entry, DagKit], object]) -> Plugins:
    """Return the plugins with another builder for factory type ``hello``."""
    return with_type(plugins, build=build)


def with_type(plugins: Plugins, **changes: Any) -> Plugins:  # noqa: ANN401 - fields of the type
    """Return the plugins with some values of factory type ``hello`` replaced."""
    installed = plugins.types["hello"]
    changed = replace(installed, type=replace(installed.type, **changes))
    return replace(plugins, types={"hello": changed})


def test_an_entry_serialises_the_same_twice(
    make_row: Callable[..., RowState],
    hello_plugins: Plugins,
    serialized: Callable[[object], dict[str, Any]],
) -> None:
    """Airflow makes a new version of a DAG whenever its serialised form differs."""
    row = make_row(config={"greeting": "Hello", "dagfoundry": {"tags": ["b", "a"]}})
    first, second = (serialized(build_dag(row, hello_plugins)) for _ in range(2))
    assert json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


def test_another_process_serialises_the_same(make_row: Callable[..., RowState]) -> None:
    """Neither the hash seed nor an address in memory gets into a DAG."""
    row = make_row(
        kind=RowKind.FACTORY,
        factory_type="datatransformer",
        key="",
        dag_id="yellowlive_datatransformer_factory",
    )
    command = [sys.executable, "-W", "ignore", "-c", SERIALIZE, json.dumps(row.to_json())]
    outputs = {
        subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("result=")[
            1
        ]
        for _ in range(2)
    }
    assert len(outputs) == 1


def test_a_factory_dag_is_the_references(
    make_row: Callable[..., RowState],
    hello_plugins: Plugins,
    serialized: Callable[[object], dict[str, Any]],
) -> None:
    """Every five minutes, one task, the tags of the type with factory and platform."""
    row = make_row(kind=RowKind.FACTORY, key="", dag_id="yellowlive_hello_factory")
    dag = build_dag(row, hello_plugins)
    assert dag.task_ids == ["sync_dags"]
    assert set(dag.tags) == {"datasurface", "factory", "yellowlive", "dynamic-dag-manager"}
    assert "*/5 * * * *" in json.dumps(serialized(dag))


def test_the_installed_types_build_their_factory_dags(
    make_row: Callable[..., RowState], serialized: Callable[[object], dict[str, Any]]
) -> None:
    """The infrastructure knows no type by name."""
    plugins = load_plugins()
    for name, installed in plugins.types.items():
        dag_id = installed.type.factory_dag_id.format(platform="yellowlive")
        row = make_row(kind=RowKind.FACTORY, factory_type=name, key="", dag_id=dag_id)
        dag = build_dag(row, plugins)
        assert dag.dag_id == dag_id
        assert serialized(dag)


@pytest.fixture
def quickstart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[RowState]:
    """The rows of the quickstart's model."""
    for name in ("MERGE", "SOURCE"):
        monkeypatch.setenv(f"QUICKSTART_{name}_URL", f"sqlite:///{tmp_path / name}.db")
    model = load_model([Path(__file__).parents[2] / "examples" / "quickstart"], load_plugins())
    store = open_store(make_url(f"sqlite:///{tmp_path / 'store.db'}"))
    origin = Origin(author="Ada", message="", source=Source.MERGE)
    head = merge(store, model, load_plugins(), origin=origin, guards=Guards()).head
    return store.rows_at(head.foundry, head.revision)


def test_the_rows_of_a_model_become_the_references_dags(
    quickstart: list[RowState], serialized: Callable[[object], dict[str, Any]]
) -> None:
    """DAG ids, task ids and tags of the reference; the same form twice."""
    plugins = load_plugins()
    dags = {row.dag_id: build_dag(row, plugins) for row in quickstart}
    for row in quickstart:
        again = serialized(build_dag(row, plugins))
        first = serialized(dags[row.dag_id])
        assert json.dumps(first, sort_keys=True) == json.dumps(again, sort_keys=True)
    assert set(dags["quickstart_infrastructure"].tags) == {
        "datasurface",
        "infrastructure",
        "quickstart",
    }
    assert dags["yellowlive_factory_dag"].task_ids == ["sync_dags"]
    streams = {d: dag for d, dag in dags.items() if d.endswith("_ingestion")}
    transformers = {d: dag for d, dag in dags.items() if d.endswith("_datatransformer")}
    assert streams
    assert transformers
    for dag_id, dag in streams.items():
        key = dag_id.removeprefix("yellowlive__").removesuffix("_ingestion")
        assert {"datasurface", "ingestion", "yellowlive", key} <= set(dag.tags)
        assert set(dag.task_ids) == STREAM_TASKS
    for dag in transformers.values():
        assert set(dag.task_ids) == TRANSFORMER_TASKS


def test_a_config_that_cannot_be_shown_is_one_error(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """A hand edit can write half a character, which no database of Airflow takes."""
    row = make_row(config_json='{"greeting": "\\ud800"}')
    with pytest.raises(BuildFailedError, match="config_json cannot be shown"):
        build_dag(row, hello_plugins)


def test_a_built_dag_can_be_pickled(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """Executors of Airflow 2 may send a task so."""
    dag = build_dag(make_row(), hello_plugins)
    job = pickle.loads(pickle.dumps(dag.get_task("greet")))  # noqa: S301 - made one line above
    assert job.spec == {"greeting": "Hello"}


def test_a_row_is_never_a_template(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """Jinja in a row stays text."""
    row = make_row(config={"greeting": "{{ conn.secret }}"})
    job = build_dag(row, hello_plugins).get_task("greet")
    assert not job.template_fields
    assert job.spec == {"greeting": "{{ conn.secret }}"}


def test_a_type_that_is_not_installed_is_named(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """The error says what is installed."""
    with pytest.raises(FactoryTypeMissingError) as caught:
        build_dag(make_row(factory_type="goodbye"), hello_plugins)
    assert "'goodbye' is not installed" in str(caught.value)
    assert "hello of dagfoundry-hello 1.2.3" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"config_json": "{"}, "config_json cannot be read"),
        ({"config_json": "[]"}, "config_json holds list"),
        ({"config": {"greeting": 5}}, "greeting: Input should be a valid string (is 5)"),
        ({"config": {}}, "greeting: Field required"),
    ],
)
def test_a_bad_row_gives_one_precise_error(
    make_row: Callable[..., RowState], hello_plugins: Plugins, change: dict[str, Any], reason: str
) -> None:
    """It names platform, type, key, field, value, revision and author."""
    with pytest.raises(BuildFailedError) as caught:
        build_dag(make_row(**change), hello_plugins)
    for part in ("'YellowLive'", "'hello'", "'World'", "revision 7 by Ada", reason):
        assert part in str(caught.value)


def to_two(config: dict[str, Any]) -> dict[str, Any]:
    """Turn version 1, which said ``word``, into version 2."""
    config["greeting"] = config.pop("word")
    return config


def test_a_row_of_an_older_version_is_built_as_its_type_reads_it(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """Config check, builder and job get the new version; its page shows what is stored."""
    plugins = with_type(hello_plugins, config_version=2, upcasters={1: to_two})
    dag = build_dag(make_row(config={"word": "Hi", "dagfoundry": {"owner": "ada"}}), plugins)
    assert dag.get_task("greet").spec == {"greeting": "Hi"}
    assert dag.get_task("greet").owner == "ada"
    assert '"word": "Hi"' in dag.doc_md


def test_a_row_of_a_newer_version_names_what_to_upgrade(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """The report says which row, which versions and which distribution."""
    row = make_row(config={"greeting": "Hi", "dagfoundry": {"config_version": 2}})
    with pytest.raises(BuildFailedError) as caught:
        build_dag(row, hello_plugins)
    for part in ("'YellowLive'", "'World'", "revision 7 by Ada", "is 2, but", "versions up to 1"):
        assert part in caught.value.what
    assert caught.value.remedy == "Upgrade dagfoundry-hello (installed: 1.2.3)."


def test_an_upcaster_that_raises_is_named_with_row_and_distribution(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """The row keeps its last good definition, and the report says why."""
    plugins = with_type(hello_plugins, config_version=2, upcasters={1: to_two})
    with pytest.raises(BuildFailedError) as caught:
        build_dag(make_row(config={"greeting": "Hi"}), plugins)
    assert "cannot turn config version 1 into the next: KeyError: 'word'" in caught.value.what
    assert "'World', revision 7 by Ada" in caught.value.what
    assert "dagfoundry-hello (installed: 1.2.3)" in caught.value.remedy


def test_a_builder_that_raises_is_named_with_its_distribution(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """A plugin's bug is not the row's fault."""

    def build(_entry: Entry, _kit: DagKit) -> NoReturn:
        raise KeyError("colour")

    with pytest.raises(BuildFailedError) as caught:
        build_dag(make_row(), with_builder(hello_plugins, build))
    assert "the builder raised KeyError: 'colour'" in caught.value.what
    assert caught.value.remedy == "Mend or upgrade dagfoundry-hello (installed: 1.2.3)."


def test_a_builder_must_return_its_kits_dag(
    make_row: Callable[..., RowState], hello_plugins: Plugins
) -> None:
    """None and another DAG are refused."""
    with pytest.raises(BuildFailedError, match="returned NoneType"):
        build_dag(make_row(), with_builder(hello_plugins, lambda _entry, _kit: None))

    def build_other(_entry: Entry, _kit: DagKit) -> object:
        from dagfoundry_airflow._compat import DAG

        return DAG("other", schedule=None)

    with pytest.raises(BuildFailedError, match="made DAG 'other' instead"):
        build_dag(make_row(), with_builder(hello_plugins, build_other))
