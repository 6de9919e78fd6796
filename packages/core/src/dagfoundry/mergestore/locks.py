"""One job at a time on a stream, and on each table that it writes (defect D39).

A lock ends with the process that holds it, however that ends: it belongs to an open
connection (PostgreSQL, MariaDB) or to an open file beside the database (SQLite).
"""

from __future__ import annotations

import fcntl
import hashlib
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from dagfoundry.errors import JobFailedError
from dagfoundry.mergestore.engines import database_errors, sqlite_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy.engine import Connection, Engine


class StreamLock:
    """The locks of a running job."""

    def __init__(self, connection: Connection | None = None) -> None:
        self._connection = connection

    def check(self) -> None:
        """Make sure that nobody else can have the locks by now.

        Raises:
            JobFailedError: The connection that held them is gone.
        """
        if self._connection is not None:
            with database_errors(self._connection.engine, "keep the stream's lock in"):
                self._connection.execute(sa.text("SELECT 1"))


@contextmanager
def stream_lock(engine: Engine, stream: str, names: Sequence[str]) -> Iterator[StreamLock]:
    """Hold a stream's locks, or fail at once.

    Args:
        engine: The merge store.
        stream: What is locked, for the error.
        names: One name for each lock.

    Raises:
        JobFailedError: Another job holds one of them, or the database is out of reach.
    """
    with ExitStack() as stack:
        if engine.dialect.name == "sqlite":
            taken = all(_take_file(stack, sqlite_file(engine), name) for name in names)
            lock = StreamLock()
        else:
            stack.enter_context(database_errors(engine, "lock the stream in"))
            connection = stack.enter_context(engine.connect())
            stack.enter_context(connection.begin())
            take = _TAKE[engine.dialect.name]
            taken = all(take(connection, name) for name in names)
            lock = StreamLock(connection)
        if not taken:
            raise JobFailedError(
                f"another job works on {stream}",
                remedy="Let it finish, or end it; the merge tables allow one job at a time.",
            )
        yield lock


def lock_for_transaction(connection: Connection, name: str) -> None:
    """Wait on PostgreSQL for a lock that this transaction keeps until it ends.

    There, two jobs that create one table at once collide, even with ``IF NOT EXISTS``.
    """
    if connection.dialect.name == "postgresql":
        query = sa.select(sa.func.pg_advisory_xact_lock(_number(name)))
        connection.execute(query)


def _take_file(stack: ExitStack, database: Path, name: str) -> bool:
    # never deleted: a file that another job has just opened would no longer be the lock
    path = database.with_name(f"{database.name}.locks") / _digest(name)
    try:
        path.parent.mkdir(exist_ok=True)
        file = stack.enter_context(path.open("a", encoding="utf-8"))
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise JobFailedError(
            f"cannot lock database {database}: {error.strerror} ({path})",
            remedy="See that the database's folder exists and that this user may write there.",
        ) from error
    return True


def _take_advisory(connection: Connection, name: str) -> bool:
    # bound to a transaction, not to a session, so that it works behind PgBouncer too
    connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
    query = sa.select(sa.func.pg_try_advisory_xact_lock(_number(name)))
    return bool(connection.execute(query).scalar())


def _take_named(connection: Connection, name: str) -> bool:
    scope = connection.engine.url.database
    query = sa.select(sa.func.get_lock(_digest(f"{scope}/{name}"), 0))
    return bool(connection.execute(query).scalar())


_TAKE: Final[dict[str, Callable[[Connection, str], bool]]] = {
    "postgresql": _take_advisory,
    "mysql": _take_named,
    "mariadb": _take_named,
}


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:40]


def _number(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
