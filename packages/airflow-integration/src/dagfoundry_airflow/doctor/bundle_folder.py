"""Checks of the disk under the bundles of Airflow 3."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, advice, good, problem
from dagfoundry_airflow.doctor.options import AIRFLOW_3_VERSIONS, EVERY_AIRFLOW, Option
from dagfoundry_airflow.doctor.place import is_temporary, nearest_folder, place_of

if TYPE_CHECKING:
    from dagfoundry.doctor import Diagnosis, Subject

_STORAGE: Final = Option(section="dag_processor", name="dag_bundle_storage_path")
_LITTLE_BYTES: Final = 1 << 30
_TOO_LITTLE_BYTES: Final = 100 << 20
_MEGABYTE: Final = 1 << 20


def _storage(_subject: Subject) -> Diagnosis:
    from airflow.dag_processing.bundles.base import get_bundle_storage_root_path

    root = Path(get_bundle_storage_root_path())  # type: ignore[no-untyped-call]
    setting = _STORAGE.to("/var/lib/airflow/dag_bundles")
    if not _is_writable(root):
        remedy = "Let Airflow's user write there, or set another folder of a local disk."
        return problem(f"{root} cannot be written by this user", remedy, setting)
    if is_temporary(root):
        return advice(f"{root} may be cleared by a reboot", "Set a folder that stays.", setting)
    return good(f"{root}{'' if root.is_dir() else ', which Airflow will make'}")


def _snapshot_folder(subject: Subject) -> Diagnosis:
    place = place_of(subject)
    if place is None:
        return _no_place()
    if not _is_writable(place.home):
        return problem(f"{place.home} cannot be written by this user", "Let Airflow's user write.")
    return good(str(place.home))


def _no_place() -> Diagnosis:
    found = "not looked at: the foundry is not known, or Airflow is not told of it"
    return advice(found, "See store.foundry and bundle.listed.")


def _is_writable(folder: Path) -> bool:
    return os.access(nearest_folder(folder), os.W_OK | os.X_OK)


def _space(subject: Subject) -> Diagnosis:
    place = place_of(subject)
    if place is None:
        return _no_place()
    folder = nearest_folder(place.home)
    return judge_space(folder, shutil.disk_usage(folder).free)


def judge_space(folder: Path, free: int) -> Diagnosis:
    """Return what to think of the space that is left, in bytes."""
    found = f"{free // _MEGABYTE:,} MB free at {folder}"
    if free < _TOO_LITTLE_BYTES:
        return problem(found, "Make room: a version that cannot be written is not published.")
    if free < _LITTLE_BYTES:
        return advice(found, "Make room before it runs out.")
    return good(found)


def _links(subject: Subject) -> Diagnosis:
    place = place_of(subject)
    if place is None:
        return _no_place()
    return try_link(nearest_folder(place.home))


def try_link(folder: Path) -> Diagnosis:
    """Give a file of a folder a second name, and say whether that works."""
    try:
        with tempfile.TemporaryDirectory(prefix=".dagfoundry-doctor-", dir=folder) as scratch:
            first = Path(scratch, "first")
            first.touch()
            Path(scratch, "second").hardlink_to(first)
    except OSError as error:
        remedy = "Use a local file system with hard links, such as ext4 or xfs."
        return advice(f"none at {folder}: {error.strerror}", remedy)
    return good(f"possible at {folder}")


BUNDLE_FOLDER_CHECKS: Final = (
    Check(
        id="bundle.storage-path",
        looks_at=f"`{_STORAGE}`: writable, and not in a temporary folder",
        why="With a snapshot on disk DAGs and tasks go on while the store is away.",
        remedy="Set a folder of a local disk that Airflow's user may write.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_storage,
    ),
    Check(
        id="bundle.hard-links",
        looks_at="whether a file there can have a second name",
        why="Versions share unchanged files by hard links; else each version is a whole copy.",
        remedy="Use a local file system with hard links, such as ext4 or xfs.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_links,
    ),
    Check(
        id="snapshot.folder",
        looks_at="whether the folder of the foundry's snapshot can be written",
        why="A snapshot that cannot be written is never renewed.",
        remedy="Let Airflow's user write the folder that is named.",
        airflow=EVERY_AIRFLOW,
        examine=_snapshot_folder,
    ),
    Check(
        id="snapshot.space",
        looks_at="the free space of that disk",
        why="What cannot be written is not published: Airflow goes on with the older version.",
        remedy="Keep a gigabyte free.",
        airflow=EVERY_AIRFLOW,
        examine=_space,
    ),
)
