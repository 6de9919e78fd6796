"""The foundry of the suite: 200 entries in a real store, and what changes them."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import MetaData

from dagfoundry.connections import parse_url
from dagfoundry.factories import EntryTable
from dagfoundry.merge import Guards, merge
from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins
from dagfoundry.store import RowKind, Source, open_store
from dagfoundry.store.tables import entries_table
from dagfoundry.store.write import Origin, RowChange, lock_foundry, write_revision

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from dagfoundry.store import RowState

FOUNDRY: Final = "Chaos"
PLATFORM: Final = "Drill"
ENTRIES: Final = 200
BUCKETS: Final = 16
SCHEDULED: Final = 5
"""Entries with a run each minute."""

CANARY: Final = "n199"
"""The entry that is changed to see whether Airflow follows."""

PINNED: Final = "n198"
"""The entry whose run is started by hand; its tasks are retried."""

_ORIGIN: Final = Origin(author="Ada", message="chaos", source=Source.MERGE)


class Fleet:
    """200 entries of factory type ``probe``.

    Args:
        url: The store.
        folder: Where models are written.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.store = open_store(parse_url(url, "the chaos suite"), timeout_seconds=30)
        self.url = url
        self.ledger = folder / "ledger.txt"
        self._folder = folder
        self._number = 0
        self.entries: dict[str, dict[str, Any]] = {f"n{n:03d}": {} for n in range(ENTRIES)}
        for number in range(SCHEDULED):
            self.entries[f"n{number:03d}"] = self._noting("* * * * *")
        self.entries[PINNED] = self._noting(None) | {"retries": 3, "retry_delay": 5}

    def _noting(self, schedule: str | None) -> dict[str, Any]:
        return {"ledger": str(self.ledger)} | ({"schedule": schedule} if schedule else {})

    @property
    def dag_ids(self) -> frozenset[str]:
        """All DAGs that Airflow has to show."""
        others = {f"{FOUNDRY.lower()}_infrastructure", f"{PLATFORM.lower()}_probe_factory"}
        return frozenset({*map(self.dag_id, self.entries), *others})

    @property
    def scheduled(self) -> frozenset[str]:
        """The DAGs with a run each minute."""
        return frozenset(self.dag_id(k) for k, v in self.entries.items() if "schedule" in v)

    def dag_id(self, key: str) -> str:
        """Return the DAG id of an entry."""
        return f"{PLATFORM.lower()}__{key}_probe"

    def model(self, name: str, **changed: Mapping[str, Any]) -> Path:
        """Write a model with some entries changed and return its file."""
        platform = {"name": PLATFORM, "merge_store": {"url_variable": "PROBING_MERGE_URL"}}
        probes = [{"name": k, **v, **changed.get(k, {})} for k, v in self.entries.items()]
        head = {"foundry": FOUNDRY, "buckets": BUCKETS, "platforms": [platform]}
        file = self._folder / f"{name}.yaml"
        file.write_text(json.dumps(head | {"probes": probes}), encoding="utf-8")
        return file

    def merge(self, file: Path) -> int:
        """Merge a model in this process and return the revision."""
        plugins = load_plugins()
        model = load_model([file], plugins)
        done = merge(self.store, model, plugins, origin=_ORIGIN, guards=Guards())
        return int(done.head.revision)

    def start_merge(self, file: Path, url: str | None = None) -> subprocess.Popen[bytes]:
        """Start ``dagfoundry merge`` in a process of its own."""
        import os

        environment = {"DAGFOUNDRY_STORE_URL": url or self.url, "DAGFOUNDRY_AUTHOR": "Ada"}
        return subprocess.Popen(
            [sys.executable, "-m", "dagfoundry", "merge", str(file)],
            env=os.environ | environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def change(self) -> int:
        """Change the canary and return the revision of that change."""
        return self.change_to({CANARY: {"number": self.next_number()}})

    def change_to(self, changed: Mapping[str, Mapping[str, Any]]) -> int:
        """Change entries for good and return the revision."""
        for key, values in changed.items():
            self.entries[key] = {**self.entries[key], **values}
        return self.merge(self.model("model"))

    def change_all(self) -> dict[str, dict[str, Any]]:
        """Return a change of each entry."""
        number = self.next_number()
        return {key: {"number": number} for key in self.entries}

    def next_number(self) -> int:
        """Return a number that no entry has had."""
        self._number += 1
        return self._number

    def write_row(self, key: str, config_json: str) -> int:
        """Write an entry's config past every check, as nothing of ours does."""
        with self.store.writing() as connection:
            head = lock_foundry(connection, FOUNDRY)
            change = self._change(self.row(key), config_json)
            return int(write_revision(connection, head, [change], _ORIGIN).revision)

    def row(self, key: str) -> RowState:
        """Return the newest row of an entry."""
        head = self.store.head(FOUNDRY)
        (row,) = self.store.rows_at(FOUNDRY, head.revision, dag_id=self.dag_id(key))
        return row

    def unrecorded(self) -> dict[str, str]:
        """Return the rows that are not what history says."""
        return dict(self.store.unrecorded(FOUNDRY))

    def _change(self, row: RowState, config_json: str) -> RowChange:
        return RowChange(
            table=entries_table(MetaData(), PLATFORM, EntryTable(suffix="probe_entries")),
            primary_key={"entry_key": row.key},
            kind=RowKind.ENTRY,
            platform_name=row.platform_name,
            factory_type=row.factory_type,
            key=row.key,
            dag_id=row.dag_id,
            bucket=row.bucket,
            before={"config_json": row.config_json, "status": row.status.value},
            status=row.status,
            config_json=config_json,
        )
