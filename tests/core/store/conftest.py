"""Merges in processes of their own, and the whole state of a store."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import MetaData, Table, inspect, select

from dagfoundry.drift import find_hand_edits
from dagfoundry.store.read import read_foundries, read_head
from dagfoundry.store.tables import DAGS, FoundryTables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Workshop
    from sqlalchemy.engine import Connection

    from dagfoundry.plugins import Plugins
    from dagfoundry.store import Store


class MergeProcess:
    """A process that merges models, each merge in a child of its own."""

    def __init__(self, store: Store) -> None:
        self._url = store.url.render_as_string(hide_password=False)
        template = Path(__file__).parent / "merge_template.py"
        self._process = subprocess.Popen(
            [sys.executable, str(template)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stdin is not None
        self._answers, self._requests = self._process.stdout, self._process.stdin
        assert self._answers.readline() == "ready\n"

    def start(self, model: Path, **kill: object) -> None:
        """Ask for a merge."""
        request = {"url": self._url, "model": str(model), **kill}
        self._requests.write(json.dumps(request) + "\n")
        self._requests.flush()

    def answer(self) -> dict[str, Any]:
        """Return what became of the merge."""
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def merge(self, model: Path, **kill: object) -> dict[str, Any]:
        """Merge and return what became of it."""
        self.start(model, **kill)
        return self.answer()

    def close(self) -> None:
        """End the process."""
        self._requests.close()
        self._process.wait(timeout=60)
        self._answers.close()


@pytest.fixture
def merge_process(store: Store) -> Iterator[Callable[[], MergeProcess]]:
    """Return a function that starts a process; it ends with the test."""
    started: list[MergeProcess] = []

    def start() -> MergeProcess:
        started.append(MergeProcess(store))
        return started[-1]

    yield start
    for process in started:
        process.close()


@pytest.fixture
def write_model(workshop: Workshop) -> Callable[..., Path]:
    """Return a function that writes a model into a folder of its own and returns its file."""

    def write(name: str, texts: dict[str, str], **names: str) -> Path:
        folder = workshop.folder / name
        folder.mkdir(exist_ok=True)
        items = [f"  - {{name: {key}, text: {text}}}\n" for key, text in texts.items()]
        return replace(workshop, folder=folder).model_file("greetings:\n" + "".join(items), **names)

    return write


@dataclass(frozen=True)
class Whole:
    """Everything that a store holds, but for times."""

    tables: frozenset[str]
    heads: dict[str, int]
    rows: dict[str, dict[tuple[str, ...], tuple[str, str]]]
    history: dict[str, list[tuple[Any, ...]]]
    dag_ids: list[tuple[str, ...]]


@pytest.fixture
def whole(store: Store) -> Callable[[], Whole]:
    """Return a function that reads everything the store holds, as of one moment."""
    return lambda: _whole(store)


def _whole(store: Store) -> Whole:
    if not store.exists():
        return Whole(frozenset(), {}, {}, {}, [])
    with store.reading() as connection:
        tables = frozenset(inspect(connection).get_table_names())
        ours = read_foundries(connection) if "dagfoundry_foundries" in tables else []
        dags = select(DAGS).order_by(DAGS.c.dag_id)
        return Whole(
            tables=tables,
            heads={name: read_head(connection, name).revision for name in ours},
            rows={name: _rows(connection, name) for name in sorted(tables) if _holds_rows(name)},
            history={name: _history(connection, name) for name in ours},
            dag_ids=[tuple(row) for row in connection.execute(dags)] if DAGS.name in tables else [],
        )


def _holds_rows(name: str) -> bool:
    return name.endswith(("_factory_dags", "_entries"))


def _rows(connection: Connection, name: str) -> dict[tuple[str, ...], tuple[str, str]]:
    table = Table(name, MetaData(), autoload_with=connection)
    keys = [column.name for column in table.primary_key]
    return {
        tuple(getattr(row, key) for key in keys): (row.status, row.config_json)
        for row in connection.execute(select(table))
    }


def _history(connection: Connection, foundry: str) -> list[tuple[Any, ...]]:
    changes = FoundryTables(foundry).changes.c
    key = (changes.revision, changes.table_name, changes.row_key)
    statement = select(*key, changes.before, changes.after).order_by(*key)
    return [tuple(row) for row in connection.execute(statement)]


@pytest.fixture
def check_history(store: Store, plugins: Plugins) -> Callable[[str], None]:
    """Return a check that history has no gap, follows from itself and ends in the rows."""
    return lambda foundry: _check_history(store, foundry, plugins)


def _check_history(store: Store, foundry: str, plugins: Plugins) -> None:
    revisions = store.revisions(foundry)
    numbers = [record.revision for record in revisions]
    assert numbers == list(range(1, store.head(foundry).revision + 1))
    assert [record.parent for record in revisions] == [None, *numbers[:-1]]
    replayed: dict[tuple[str, str], str | None] = defaultdict(lambda: None)
    for _, table, key, before, after in _whole(store).history[foundry]:
        known = replayed[table, key]
        assert (before and json.loads(before)) == (known and json.loads(known))
        replayed[table, key] = after
    with store.reading() as connection:
        found = find_hand_edits(connection, store.head(foundry), plugins)
    assert found.edits == ()
