"""Connections to merge stores and sources: engines, transactions, one clear error.

Engines have no pool: a job opens a handful of connections and ends. On SQLite many
streams write one file, so a writing transaction takes the write lock when it begins
(``BEGIN IMMEDIATE``) and waits for others, instead of failing when it first writes.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from dagfoundry.connections import Database, parse_url
from dagfoundry.errors import JobFailedError, SettingInvalidError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sqlalchemy.engine import URL, Connection

BUSY_SECONDS: Final = 600
"""How long a job waits for another stream's transaction on the same SQLite file."""

_READING: Final = "dagfoundry_reading"
_CACHE_KIB: Final = 64 * 1024


def open_merge_store(database: Database | URL | str) -> Engine:
    """Return an engine for a merge store; nothing is opened yet.

    Args:
        database: How the model names it, or its URL.

    Raises:
        CredentialMissingError: A variable that the database needs is not set.
        SettingInvalidError: The URL is none, or names a database that cannot be used.
    """
    url = _url_of(database)
    if url.get_backend_name() == "sqlite":
        _refuse_memory(url)
        engine = _create(url)
        event.listen(engine, "connect", _prepare_merge_file)
        event.listen(engine, "begin", _begin)
        return engine
    if url.get_backend_name() == "postgresql" and url.get_driver_name() != "psycopg2":
        raise SettingInvalidError(
            f"merge store {url.render_as_string()} names driver {url.get_driver_name()!r}",
            remedy="Use postgresql+psycopg2, whose COPY loads the rows.",
        )
    return _create(url)


def open_source(database: Database | URL | str) -> Engine:
    """Return an engine that only reads; nothing is opened yet.

    Args:
        database: How the model names it, or its URL.

    Raises:
        CredentialMissingError: A variable that the database needs is not set.
        SettingInvalidError: The URL is none.
    """
    url = _url_of(database)
    if url.get_backend_name() != "sqlite":
        return _create(url)
    _refuse_memory(url)
    # mode=rw: a file that is not there is an error, not a new empty database
    name = f"file:{quote(url.database or '')}"
    engine = _create(url.set(database=name, query={**url.query, "mode": "rw", "uri": "true"}))
    event.listen(engine, "connect", _prepare_source_file)
    event.listen(engine, "begin", _begin)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open one consistent snapshot of a database.

    It blocks no writer, except on a SQLite file that is not in WAL mode.

    Raises:
        JobFailedError: The database cannot be read.
    """
    options = _SNAPSHOT_OPTIONS.get(engine.dialect.name, {})
    with database_errors(engine, "read"), engine.connect() as plain:
        connection = plain.execution_options(**{_READING: True}, **options)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                # a timestamp with time zone reads the same in every session
                connection.execute(sa.text("SET LOCAL TIME ZONE 'UTC'"))
            yield connection


@contextmanager
def connected(engine: Engine) -> Iterator[Connection]:
    """Open one connection for several transactions.

    SQLite folds its log into the file, and waits for the disk, whenever the last
    connection closes; a job that opened one for each transaction would wait as often.

    Raises:
        JobFailedError: The database cannot be opened.
    """
    with database_errors(engine, "open"), engine.connect() as connection:
        yield connection


@contextmanager
def writing(target: Engine | Connection) -> Iterator[Connection]:
    """Open one transaction that commits when the block ends well.

    Args:
        target: A merge store, or a connection to it that has no transaction.

    Raises:
        JobFailedError: The database cannot be written; the transaction is undone.
    """
    with ExitStack() as stack:
        stack.enter_context(database_errors(target.engine, "write"))
        if isinstance(target, Engine):
            yield stack.enter_context(target.begin())
        else:
            stack.enter_context(target.begin())
            yield target


@contextmanager
def database_errors(engine: Engine, verb: str) -> Iterator[None]:
    """Turn what a driver or SQLAlchemy raises into one clear error.

    Raises:
        JobFailedError: The block raised a database error.
    """
    try:
        yield
    except (SQLAlchemyError, driver_error(engine)) as error:
        where = engine.url.render_as_string()
        raise JobFailedError(
            f"cannot {verb} database {where}: {reason(error)}",
            remedy="See that it runs and that its user may do this; then run the job again.",
        ) from error


def driver_error(engine: Engine) -> type[Exception]:
    """Return the root of the errors that an engine's driver raises."""
    error: type[Exception] = engine.dialect.dbapi.Error  # type: ignore[union-attr]
    return error


def reason(error: BaseException) -> str:
    """Return a database's own words, without statement and parameters."""
    return " ".join(str(getattr(error, "orig", None) or error).split())


_SNAPSHOT_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
    "mysql": {"isolation_level": "REPEATABLE READ"},
    "mariadb": {"isolation_level": "REPEATABLE READ"},
}


def _url_of(database: Database | URL | str) -> URL:
    if isinstance(database, Database):
        return database.url()
    if isinstance(database, str):
        return parse_url(database, "the database URL")
    return database


def _create(url: URL) -> Engine:
    return sa.create_engine(url, poolclass=NullPool, future=True, hide_parameters=True)


def _refuse_memory(url: URL) -> None:
    if url.database in (None, "", ":memory:"):
        raise SettingInvalidError(
            "a SQLite database in memory lives in one process and cannot be shared by jobs",
            remedy="Name a file, such as sqlite:////var/lib/dagfoundry/merge.db.",
        )


def _prepare_merge_file(connection: sqlite3.Connection, _record: object) -> None:
    # None: transactions begin where _begin says, not where the driver thinks
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    _enter_wal(cursor)
    # NORMAL: a power cut may undo the last batches, and the next run does them again
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    cursor.close()


def _enter_wal(cursor: sqlite3.Cursor) -> None:
    """Switch to WAL; SQLite answers "locked" at once while another job does the same."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:  # noqa: PERF203 - one try is all there is to do
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _prepare_source_file(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
    cursor.execute("PRAGMA query_only = ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    is_reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if is_reading else "BEGIN IMMEDIATE")


def sqlite_file(engine: Engine) -> Path:
    """Return the file of a SQLite merge store."""
    return Path(engine.url.database or "")
