"""Old versions on disk: kept by hard links, rendered again when they are gone.

Airflow runs a task on the version with which its run began, so each version has a folder.
What a folder lacks is rendered from the store's history, on a worker only the one bucket
that the task needs. Folders are removed when they have not been used for long.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import VersionMissingError
from dagfoundry.names import bucket_file, bucket_of
from dagfoundry.store import VersionRecord
from dagfoundry_airflow.dag_folder import write_files
from dagfoundry_airflow.folder import share, try_lock, write_whole
from dagfoundry_airflow.snapshot import is_whole, plain_version, render, render_bucket, served_rows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from dagfoundry.store import RowState, Store

_MANIFEST: Final = "manifest.json"
_COMPLETE: Final = "complete"
_NEWEST_KEPT: Final = 10
_KEPT_SECONDS: Final = 6 * 3600.0
_ONE_BY_ONE: Final = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Manifest:
    """What it takes to render a version: its record, and the foundry's name and buckets."""

    foundry: str
    buckets: int
    record: VersionRecord


def rows_of_version(
    store: Store, foundry: str, record: VersionRecord, *, bucket: int | None = None
) -> list[RowState]:
    """Return the rows that a version serves, out of the store's history."""
    newest = store.rows_at(foundry, record.revision, bucket=bucket)
    here = {row.dag_id for row in newest}
    by_revision: dict[int, set[str]] = {}
    for dag_id, revision in record.held.items():
        if revision and dag_id in here:
            by_revision.setdefault(revision, set()).add(dag_id)
    held: dict[str, RowState] = {}
    for revision, dag_ids in by_revision.items():
        held |= rows_by_dag_id(store, foundry, revision, dag_ids)
    return served_rows(newest, record, held)


def rows_by_dag_id(
    store: Store, foundry: str, revision: int, dag_ids: Collection[str]
) -> dict[str, RowState]:
    """Return the rows of some DAGs as of a revision: one by one, or many at once."""
    if len(dag_ids) > _ONE_BY_ONE:
        rows = store.rows_at(foundry, revision)
    else:
        rows = [r for dag_id in dag_ids for r in store.rows_at(foundry, revision, dag_id=dag_id)]
    return {row.dag_id: row for row in rows if row.dag_id in dag_ids}


class VersionFolders:
    """The folders of all versions that this host has.

    Args:
        root: Their parent.
        foundry: Name of the foundry.
        tracking: Airflow's folder of lock files of versions in use; none for Airflow 2.
    """

    def __init__(self, root: Path, foundry: str, tracking: Path | None = None) -> None:
        self._root = root
        self._foundry = foundry
        self._tracking = tracking

    def folder(self, version: str) -> Path:
        """Return the folder of a version, whether it exists or not."""
        return self._root / version

    def keep(self, manifest: Manifest, source: Path, names: Iterable[str]) -> None:
        """Give a version that was just published its folder, sharing all files.

        Raises:
            OSError: The disk is full or read-only.
        """
        folder = self.folder(manifest.record.version)
        folder.mkdir(parents=True, exist_ok=True)
        _write_manifest(folder, manifest)
        for name in names:
            share(source / name, folder / name)
        (folder / _COMPLETE).touch()

    def holds(self, version: str, dag_id: str | None) -> bool:
        """Return whether a version's files are here and whole, and note that they are used.

        Args:
            version: The version.
            dag_id: The one DAG whose file is needed; None for all files.
        """
        folder = self.folder(version)
        if not (_has_file_of(folder, dag_id) if dag_id else _has_all_files(folder)):
            return False
        with suppress(OSError):  # a read-only disk; the files are there all the same
            os.utime(folder)
        return True

    def materialise(self, store: Store, version: str, dag_id: str | None) -> Path:
        """Make sure that a version's files are here.

        Args:
            store: Asked only for what the folder lacks.
            version: The version.
            dag_id: The one DAG whose file is needed; None for all files.

        Returns:
            The version's folder.

        Raises:
            VersionMissingError: The store does not know the version.
            StoreUnavailableError: The store cannot be asked.
            OSError: The disk is full or read-only.
        """
        folder = self.folder(version)
        if not self.holds(version, dag_id):
            if not self._borrow(version, dag_id):
                self._render(store, folder, dag_id)
            self.remove_unused()
        return folder

    def _borrow(self, version: str, dag_id: str | None) -> bool:
        """Take a version's files from the folder of its plain name, if they are there.

        Airflow cleans up by name, and fails where a name has no folder.
        """
        plain = plain_version(version)
        if plain == version or not self.holds(plain, dag_id):
            return False
        folder = self.folder(version)
        folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder(plain).iterdir():
            if path.is_file():
                share(path, folder / path.name)
        return True

    def _render(self, store: Store, folder: Path, dag_id: str | None) -> None:
        manifest = _read_manifest(folder) or self._ask_manifest(store, folder.name)
        folder.mkdir(parents=True, exist_ok=True)
        _write_manifest(folder, manifest)
        foundry, record = manifest.foundry, manifest.record
        if dag_id:
            bucket = bucket_of(dag_id, manifest.buckets)
            rows = rows_of_version(store, foundry, record, bucket=bucket)
            write_files(folder, render_bucket(foundry, bucket, rows, record.placeholders), ())
        else:
            rows = rows_of_version(store, foundry, record)
            write_files(folder, render(foundry, rows, record.errors, record.placeholders), ())
            (folder / _COMPLETE).touch()

    def _ask_manifest(self, store: Store, version: str) -> Manifest:
        record = store.version(self._foundry, plain_version(version))
        if record is None:
            msg = f"the store knows no version {version!r} of foundry {self._foundry!r}"
            remedy = "Check that this process and the DAG processor use the same store."
            raise VersionMissingError(msg, remedy=remedy)
        head = store.head(self._foundry)
        return Manifest(foundry=head.foundry, buckets=head.buckets, record=record)

    def remove_unused(self) -> None:
        """Remove old folders: not the newest ones, nor those used in the last hours.

        Where Airflow has noted a version, an empty folder stays for Airflow's own
        clean-up, which fails without one (``dag_processing/bundles/base.py``, 3.0 to 3.3).
        """
        if not self._root.is_dir():
            return
        found = [(path.stat().st_mtime, path) for path in self._root.iterdir() if path.is_dir()]
        limit = time.time() - _KEPT_SECONDS
        for used, folder in sorted(found, reverse=True)[_NEWEST_KEPT:]:
            if used < limit:
                self._remove(folder)

    def _remove(self, folder: Path) -> None:
        note = self._tracking / folder.name if self._tracking else None
        if note is None or not note.exists():
            shutil.rmtree(folder, ignore_errors=True)
            return
        with note.open("a") as lock:
            if try_lock(lock.fileno(), fcntl.LOCK_EX):
                for path in folder.iterdir():
                    _remove_path(path)


def _has_file_of(folder: Path, dag_id: str) -> bool:
    manifest = _read_manifest(folder)
    if manifest is None:
        return False
    return is_whole(folder / bucket_file(manifest.foundry, bucket_of(dag_id, manifest.buckets)))


def _has_all_files(folder: Path) -> bool:
    return (folder / _COMPLETE).exists() and all(map(is_whole, _stubs(folder)))


def _stubs(folder: Path) -> list[Path]:
    return [path.with_suffix(".py") for path in folder.glob("dagfoundry_*.json")]


def _remove_path(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    record = manifest.record
    names = {"version": record.version, "revision": record.revision}
    values = {
        "foundry": manifest.foundry,
        "buckets": manifest.buckets,
        "record": names | record.manifest(),
    }
    write_whole(folder / _MANIFEST, json.dumps(values, sort_keys=True).encode())


def _read_manifest(folder: Path) -> Manifest | None:
    try:
        values = json.loads((folder / _MANIFEST).read_bytes())
        found = values["record"]
        record = VersionRecord.from_manifest(found["version"], found["revision"], found)
        return Manifest(**{**values, "record": record})
    except (OSError, ValueError, TypeError, KeyError):
        return None  # not here, or damaged: the store has it as well
