"""A foundry whose rows a test writes as it likes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import MetaData

from dagfoundry.factories import EntryTable, Status
from dagfoundry.names import bucket_of
from dagfoundry.store import RowKind, Source, open_store
from dagfoundry.store.ring1 import create_tables
from dagfoundry.store.tables import FoundryTables, entries_table, shared_tables
from dagfoundry.store.write import (
    Origin,
    RowChange,
    create_foundry,
    lock_foundry,
    write_revision,
)

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


class Foundry:
    """A foundry of factory type ``probe`` whose rows a test writes as it likes."""

    name = "Probing"
    platform = "Live"

    def __init__(self, url: URL, *, buckets: int = 4) -> None:
        self.buckets = buckets
        self.store = open_store(url, timeout_seconds=30)
        self.table = entries_table(MetaData(), self.platform, EntryTable(suffix="probe_entries"))
        tables = FoundryTables(self.name).metadata.tables.values()
        create_tables(self.store, [*shared_tables().tables.values(), *tables, self.table])
        with self.store.writing() as connection:
            create_foundry(connection, self.name, buckets)
        self.written: dict[str, dict[str, str]] = {}

    def hide(self) -> None:
        """Make the SQLite store unreachable."""
        Path(self.store.url.database).rename(f"{self.store.url.database}.hidden")

    def show(self) -> None:
        """Bring the store back."""
        Path(f"{self.store.url.database}.hidden").rename(self.store.url.database)

    def break_row(self, key: str) -> None:
        """Write an entry's config as no JSON, as a hand edit may."""
        self._write([replace(self._change(key, {}), config_json="{oops")])

    def dag_id(self, key: str) -> str:
        """Return the DAG id of an entry."""
        return f"live__{key}_probe"

    def write(self, **entries: dict[str, Any] | str) -> int:
        """Write entries as one revision and return its number.

        A dictionary is an entry's new config; a text is its new status.
        """
        return self._write([self._change(key, value) for key, value in entries.items()])

    def _write(self, changes: list[RowChange]) -> int:
        origin = Origin(author="Ada", message="a test", source=Source.MERGE)
        with self.store.writing() as connection:
            head = write_revision(connection, lock_foundry(connection, self.name), changes, origin)
        for change in changes:
            config, status = change.config_json, change.status.value
            self.written[change.key] = {"config_json": config, "status": status}
        return int(head.revision)

    def _change(self, key: str, value: dict[str, Any] | str) -> RowChange:
        before = self.written.get(key)
        if isinstance(value, str):
            config, status = self.written[key]["config_json"], Status(value)
        else:
            config, status = json.dumps(value), Status.ACTIVE
        return RowChange(
            table=self.table,
            primary_key={"entry_key": key},
            kind=RowKind.ENTRY,
            platform_name=self.platform,
            factory_type="probe",
            key=key,
            dag_id=self.dag_id(key),
            bucket=bucket_of(self.dag_id(key), self.buckets),
            before=before,
            status=status,
            config_json=config,
        )
