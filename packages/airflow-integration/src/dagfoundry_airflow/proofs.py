"""Which rows have been built without an error, with which plugins: on disk, by content."""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from dagfoundry.plugins_discovery import installed_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from dagfoundry.store import RowState

_OWN: Final = ("apache-airflow", "dagfoundry", "dagfoundry-airflow")
_KEY_LENGTH: Final = 32
_MOST: Final = 200_000
"""Proofs in the file before the older half is forgotten."""


def environment() -> str:
    """Return what a proof holds for: the versions of Airflow, of us and of all plugins.

    Plugins are found by their metadata: their code must not run in the DAG processor's
    manager, which holds the metadata database.
    """
    plugins, _ = installed_plugins()
    versions = {name: version(name) for name in _OWN}
    versions |= {plugin.distribution: plugin.version for plugin in plugins}
    content = json.dumps([sys.version_info[:2], sorted(versions.items())])
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def proof_key(row: RowState, environment: str) -> str:
    """Return the name of a row's proof: its content and what it is built with."""
    content = json.dumps([environment, row.to_json()], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:_KEY_LENGTH]


class Proofs:
    """The proofs of one folder; losing the file only means that rows are tried again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[str] | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._read()

    def add(self, keys: Iterable[str]) -> None:
        """Remember proofs.

        Raises:
            OSError: The disk is full or read-only.
        """
        fresh = [key for key in keys if key not in self._read()]
        if fresh:
            with self._path.open("a", encoding="ascii") as file:
                file.write("".join(f"{key}\n" for key in fresh))
            self._read().update(fresh)

    def _read(self) -> set[str]:
        if self._known is None:
            keys = _keys(self._path)
            self._known = set(keys)
            if len(keys) > _MOST:
                self._keep(keys[-_MOST // 2 :])
        return self._known

    def _keep(self, keys: list[str]) -> None:
        self._path.unlink()
        self._known = set()
        self.add(keys)


def _keys(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return [line for line in lines if len(line) == _KEY_LENGTH]
