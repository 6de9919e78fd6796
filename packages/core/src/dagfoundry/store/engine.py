"""The store's engine: no pool, short time-outs, and errors that say what to do.

The DAG processor forks and the loader lives for a second, so a connection is opened for
each piece of work and closed after it.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.exc import DBAPIError, IntegrityError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from dagfoundry.connections import shown_url
from dagfoundry.errors import SettingInvalidError, StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.engine import URL, Connection, Engine

_BEGIN: Final = "dagfoundry_begin"
_MARIADB: Final = ("mysql", "mariadb")
_GRACE_SECONDS: Final = 2
_PSYCOPG2: Final = ("postgresql", "postgresql+psycopg2")


def store_engine(url: URL, timeout_seconds: float) -> Engine:
    """Return an engine for the store; opens no connection.

    Args:
        url: The store's database.
        timeout_seconds: How long to wait for a connection, a statement or a lock.

    Raises:
        SettingInvalidError: The driver is not installed.
    """
    options: dict[str, Any] = {
        "connect_args": _connect_arguments(url, timeout_seconds),
        **_isolation(url),
    }
    if url.drivername in _PSYCOPG2:
        options |= {
            # without it each of many updates is a round trip of its own
            "executemany_mode": "values_plus_batch",
            "executemany_batch_page_size": 500,
            "use_native_hstore": False,  # else each connection searches the catalogue for a type
        }
    try:
        engine = create_engine(url, future=True, poolclass=NullPool, **options)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        msg = f"no driver for {url.drivername}: {error}"
        extra = "mariadb" if url.get_backend_name() in _MARIADB else "postgres"
        remedy = f"Install it: pip install 'dagfoundry[{extra}]'."
        raise SettingInvalidError(msg, remedy=remedy) from None
    if url.get_backend_name() == "sqlite":
        _take_over_transactions(engine)
    return engine


def _connect_arguments(url: URL, timeout_seconds: float) -> dict[str, Any]:
    backend = url.get_backend_name()
    if backend == "sqlite":
        return {"timeout": timeout_seconds}
    whole_seconds = max(1, round(timeout_seconds))
    if backend == "postgresql":
        limit = f"-c statement_timeout={round(timeout_seconds * 1000)}"
        return {"connect_timeout": whole_seconds, "options": limit}
    return {
        "connect_timeout": whole_seconds,
        "read_timeout": whole_seconds + _GRACE_SECONDS,  # else it cuts a wait for a lock
        "write_timeout": whole_seconds + _GRACE_SECONDS,
        "charset": "utf8mb4",
        "init_command": (
            f"SET SESSION innodb_lock_wait_timeout = {whole_seconds}, "
            f"SESSION lock_wait_timeout = {whole_seconds}, "
            "SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')"  # refuse, never cut off
        ),
    }


def _isolation(url: URL) -> dict[str, str]:
    """Let MariaDB read what the holder of a lock has just committed, as PostgreSQL does."""
    if url.get_backend_name() in _MARIADB:
        return {"isolation_level": "READ COMMITTED"}
    return {}


def _take_over_transactions(engine: Engine) -> None:
    """Begin transactions ourselves: pysqlite would begin a write only at its first row."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:  # noqa: ANN401 - a DBAPI connection
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Open a connection to read one consistent state.

    Raises:
        StoreUnavailableError: The database cannot be reached or refuses.
    """
    require_file(engine.url)
    reader = engine
    if engine.dialect.name == "postgresql":  # the others give a transaction one state by default
        reader = engine.execution_options(isolation_level="REPEATABLE READ")
    with _translated(engine), reader.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Open the one transaction of a write; it commits at the end or leaves nothing.

    A SQLite file that does not exist is made.

    Raises:
        StoreUnavailableError: The database cannot be reached or refuses.
    """
    writer = engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"})
    with _translated(engine), writer.begin() as connection:
        yield connection


@contextmanager
def _translated(engine: Engine) -> Iterator[None]:
    try:
        yield
    except IntegrityError:
        raise  # a conflict, which the caller names; the store itself works
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        msg = f"the store at {shown_url(engine.url)} cannot be used: {reason}"
        remedy = "Check DAGFOUNDRY_STORE_URL, that the database runs, and the role's rights."
        raise StoreUnavailableError(msg, remedy=remedy) from error


def has_file(url: URL) -> bool:
    """Return False when the URL names a SQLite file that does not exist."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return True
    return Path(str(url.database)).is_file()


def require_file(url: URL) -> None:
    """Keep SQLite from making an empty database where a store was expected.

    Raises:
        StoreUnavailableError: The URL names a SQLite file that does not exist.
    """
    if not has_file(url):
        msg = f"the store at {url.database} does not exist"
        remedy = "Check DAGFOUNDRY_STORE_URL, or create it with `dagfoundry merge MODEL`."
        raise StoreUnavailableError(msg, remedy=remedy)
