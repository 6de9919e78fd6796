"""Where this host keeps the foundry's files, and what is there."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry_airflow.state import StateFile

if TYPE_CHECKING:
    from dagfoundry.doctor import Subject
    from dagfoundry_airflow.state import State

_CLEARED_AT_BOOT: Final = ("/tmp", "/run", "/dev/shm")  # noqa: S108 - they are what is warned of


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A foundry's folder on this host.

    Attributes:
        home: The folder.
        state: What it serves; none when nothing was published here, or it is damaged.
    """

    home: Path
    state: State | None


@cache
def place_of(subject: Subject) -> Place | None:
    """Return where the snapshot of the foundry is; None when that is not configured."""
    home = _home(subject)
    if home is None:
        return None
    state = StateFile(home / "state.json").read()
    return Place(home=home, state=state if state and state.buckets else None)


def _home(subject: Subject) -> Path | None:
    from dagfoundry_airflow._compat import AIRFLOW_2

    if AIRFLOW_2:
        from dagfoundry_airflow.airflow2 import snapshot_home

        return snapshot_home(subject.foundry) if subject.foundry else None
    from dagfoundry_airflow.doctor.bundle_list import bundles_of

    found = bundles_of(subject.foundry)
    return Path(found[0].base_dir) if found else None


def nearest_folder(path: Path) -> Path:
    """Return the folder, or the nearest one above it that exists."""
    return next(each for each in (path, *path.parents) if each.is_dir())


def is_temporary(path: Path) -> bool:
    """Return whether a folder may be gone after a reboot."""
    roots = {Path(root).resolve() for root in (*_CLEARED_AT_BOOT, tempfile.gettempdir())}
    return not roots.isdisjoint((path.resolve(), *path.resolve().parents))
