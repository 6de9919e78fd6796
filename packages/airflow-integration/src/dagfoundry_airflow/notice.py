"""A report on a whole foundry, which Airflow shows as an import error while it holds.

It is kept in a file, for other processes, and for those that live briefly.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry_airflow.dag_folder import write_files
from dagfoundry_airflow.folder import write_whole
from dagfoundry_airflow.snapshot import error_file, render_errors

if TYPE_CHECKING:
    from pathlib import Path

HELD_BACK: Final = "foundry"
"""Subject of the report that DAGs would leave which the store has lost."""

SILENCE: Final = "store"
"""Subject of the report that the store has not answered for long."""

_FILES: Final = {HELD_BACK: "held_back.json", SILENCE: "silence.json"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """What is kept of a report.

    Attributes:
        report: What is wrong and what to do.
        revision: The store's newest revision, which is not followed; -1 when the store
            does not hold the foundry at all, or does not say.
        count: How many DAGs stay that the store has lost.
        look_at: When to look again, in seconds since the epoch.
    """

    report: str
    revision: int = -1
    count: int = 0
    look_at: float = 0.0


class Notice:
    """Where a report on one subject is kept and shown.

    Args:
        home: Folder of the note.
        folder: Where Airflow looks.
        foundry: Name of the foundry.
        subject: One of this module's subjects.
    """

    def __init__(self, home: Path, folder: Path, foundry: str, subject: str) -> None:
        self._path = home / _FILES[subject]
        self._folder = folder
        self._foundry = foundry
        self._subject = subject

    def read(self) -> Note | None:
        """Return the note; None when there is none, or its file is damaged."""
        return _read(self._path)

    def begin(self, note: Note) -> bool:
        """Keep and show a report; return whether it was not there before.

        Raises:
            OSError: The disk is full or read-only.
        """
        known = self.read()
        write_whole(self._path, json.dumps(asdict(note)).encode())
        if known is not None and known.report == note.report and self._shown.exists():
            return False
        write_files(self._folder, render_errors(self._foundry, {self._subject: note.report}), ())
        return True

    def end(self) -> bool:
        """Take the report away; return whether there was one."""
        if not self._path.exists():
            return False
        self._shown.unlink(missing_ok=True)
        self._path.unlink(missing_ok=True)
        return True

    @property
    def _shown(self) -> Path:
        return self._folder / error_file(self._foundry, self._subject)


def note_on(home: Path, subject: str) -> Note | None:
    """Return the note on a subject in a folder, or None."""
    return _read(home / _FILES[subject])


def shown_files(home: Path, foundry: str) -> list[str]:
    """Return the names of the files that show reports now."""
    return [error_file(foundry, subject) for subject in _FILES if note_on(home, subject)]


def is_shown(home: Path) -> bool:
    """Return whether any report is shown."""
    return any(note_on(home, subject) for subject in _FILES)


def _read(path: Path) -> Note | None:
    try:
        return Note(**json.loads(path.read_bytes()))
    except (OSError, TypeError, ValueError):
        return None
