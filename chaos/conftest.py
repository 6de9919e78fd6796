"""One real Airflow for all faults, and where their outcomes are kept."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from chaos.bad_rows import KINDS, name_of
from chaos.disk import small_disk
from chaos.faults import ALL
from chaos.fleet import Fleet
from chaos.installation import Installation, settings, snapshot_home
from chaos.page import record
from chaos.postgres import Postgres
from chaos.proxy import Proxy
from chaos.site import Site
from chaos.watcher import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from chaos.outcome import Outcome

PLUGINS = Path(__file__).parents[1] / "tests" / "airflow_integration" / "plugins"
ORDER = [*(fault.name for fault in ALL), *map(name_of, KINDS)]
START_SECONDS = 240.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let ``--record`` write the outcomes into the docs."""
    parser.addoption("--record", action="store_true", help="write outcomes into the docs")


def pytest_configure() -> None:
    """Install the factory type of the entries, here and in all processes."""
    sys.path.insert(0, str(PLUGINS))
    rest = filter(None, [os.environ.get("PYTHONPATH")])
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PLUGINS), *rest])
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each Airflow start would cost 5 s more


@pytest.fixture(scope="session")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """A real Airflow with 200 entries, a PostgreSQL for the store and one for Airflow."""
    with ExitStack() as stack:
        folder = stack.enter_context(_folder(request.session))
        store, metadata = (_postgres(stack, folder / name) for name in ("store", "metadata"))
        proxy = stack.enter_context(Proxy(store.port))
        merge_url = f"sqlite:///{folder / 'merge.db'}"
        os.environ["PROBING_MERGE_URL"] = merge_url
        fleet = Fleet(store.url("store"), folder)
        stack.callback(fleet.store.close)
        metadata_url = metadata.url("airflow")
        home = folder / "airflow"
        disk = stack.enter_context(small_disk(snapshot_home(home)))
        revision = fleet.change()
        environment = settings(
            store.url("store", port=proxy.port),
            metadata_url.replace("postgresql://", "postgresql+psycopg2://"),
            merge_url,
        )
        airflow = stack.enter_context(Installation(home, environment))
        watcher = stack.enter_context(Watcher(airflow.processes, metadata_url))
        made = Site(
            fleet=fleet,
            airflow=airflow,
            watcher=watcher,
            proxy=proxy,
            store=store,
            metadata=metadata,
            metadata_url=metadata_url,
            has_small_disk=disk,
            folder=folder,
        )
        assert made.wait_shown(revision, START_SECONDS), made.problems()
        yield made


@contextmanager
def _folder(session: pytest.Session) -> Iterator[Path]:
    """Make a folder that PostgreSQL's user may enter; pytest closes its own to other users.

    It stays, logs and all, where a fault broke a promise.
    """
    folder = Path(tempfile.mkdtemp(prefix="dagfoundry-chaos-"))
    folder.chmod(0o755)
    yield folder
    if session.testsfailed:
        print(f"\nlogs are in {folder}")  # noqa: T201 - for the person who runs the suite
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _postgres(stack: ExitStack, folder: Path) -> Postgres:
    made = Postgres(folder)
    stack.callback(made.stop)
    made.start()
    made.create("airflow" if folder.name == "metadata" else "store")
    return made


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[Outcome], None]:
    """Print an outcome, and with ``--record`` write it into the docs."""

    def keep(outcome: Outcome) -> None:
        print(f"\n{outcome.to_json()}")  # noqa: T201 - what the suite is run for
        if request.config.getoption("--record"):
            record([outcome], ORDER)

    return keep
