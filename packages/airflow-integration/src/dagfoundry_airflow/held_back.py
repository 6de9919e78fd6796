"""The present refusal to follow the store, if there is one: an import error says why.

It is kept in a file, for other processes, and for those that live briefly.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry import metrics
from dagfoundry.errors import FoundryError
from dagfoundry.logs import get_logger
from dagfoundry.settings import ALLOW_DROP_VARIABLE
from dagfoundry_airflow.dag_folder import write_files
from dagfoundry_airflow.drops import allowance
from dagfoundry_airflow.folder import write_whole
from dagfoundry_airflow.snapshot import error_file, render_errors

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry.store import Head
    from dagfoundry_airflow.drops import FactoryLoss, Loss
    from dagfoundry_airflow.state import State

NOTE: Final = "held_back.json"
"""Name of the file, beside the folder in which Airflow looks."""

_SUBJECT: Final = "foundry"
_GONE: Final = -1

_log = get_logger(__name__)


class DropRefusedError(FoundryError):
    """DAGs would leave Airflow although no revision of the store removed them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """A refusal.

    Attributes:
        revision: The store's newest revision, which is not followed; -1 when the store
            does not hold the foundry at all.
        count: How many DAGs stay that the store has lost.
        look_at: When to look again, in seconds since the epoch.
        report: What is wrong and what to do.
    """

    revision: int
    count: int
    look_at: float
    report: str


class HeldBack:
    """Where a refusal is noted and shown.

    Args:
        home: Folder of the note.
        folder: Where Airflow looks.
        foundry: Name of the foundry.
    """

    def __init__(self, home: Path, folder: Path, foundry: str) -> None:
        self._path = home / NOTE
        self._folder = folder
        self._foundry = foundry

    def read(self) -> Note | None:
        """Return the present refusal; None when there is none, or its file is damaged."""
        return read_note(self._path)

    def begin(self, note: Note) -> None:
        """Note and show a refusal; it is logged when it is a new one.

        Raises:
            OSError: The disk is full or read-only.
        """
        known = self.read()
        write_whole(self._path, json.dumps(asdict(note)).encode())
        metrics.dags_held_back(self._foundry, note.count)
        if known is None or known.report != note.report or not self._shown.exists():
            _log.error("refresh held back", foundry=self._foundry, reason=note.report)
            write_files(self._folder, render_errors(self._foundry, {_SUBJECT: note.report}), ())

    def end(self) -> None:
        """End the refusal, if there was one."""
        if self._path.exists():
            self._shown.unlink(missing_ok=True)
            self._path.unlink(missing_ok=True)
            metrics.dags_held_back(self._foundry, 0)
            _log.info("refresh is no longer held back", foundry=self._foundry)

    @property
    def _shown(self) -> Path:
        return self._folder / report_file(self._foundry)


def read_note(path: Path) -> Note | None:
    """Return the refusal in a file; None when there is none, or the file is damaged."""
    try:
        return Note(**json.loads(path.read_bytes()))
    except (OSError, TypeError, ValueError):
        return None


def report_file(foundry: str) -> str:
    """Return the name of the file that shows a refusal in Airflow."""
    return error_file(foundry, _SUBJECT)


def refusal(loss: Loss, head: Head, state: State | None) -> DropRefusedError:
    """Return what is said when DAGs would leave Airflow that no revision removed."""
    allowed = f"{ALLOW_DROP_VARIABLE}={allowance(head.foundry, head.revision)}"
    counts = "\n".join(f"  {_told(factory)}" for factory in loss.factories if factory.lost)
    what = (
        f"{len(loss.dag_ids)} of {loss.had} DAGs of foundry {head.foundry!r} would leave Airflow "
        f"although no revision removed them.\n{counts}\n{_held_back(state, head.revision)} "
        f"{_reason(state, head.revision)}"
    )
    remedy = (
        "Restore the store's history, or merge the newest model: that brings back entries which "
        f"the store has lost. If they are to go, set {allowed} where Airflow parses DAGs, and "
        "restart it."
    )
    return DropRefusedError(what, remedy=remedy)


def absence(state: State, error: FoundryError) -> DropRefusedError:
    """Return what is said when the store no longer holds a foundry that is served."""
    what = f"{error.what}, though it did. {_held_back(state, None)}"
    remedy = f"Restore the store's tables. {error.remedy}"
    return DropRefusedError(what, remedy=remedy)


def gone(state: State, error: FoundryError, *, count: int, look_at: float) -> Note:
    """Return the note for a foundry that the store no longer holds."""
    return Note(revision=_GONE, count=count, look_at=look_at, report=str(absence(state, error)))


def _told(factory: FactoryLoss) -> str:
    return (
        f"{factory.factory or 'factory and infrastructure DAGs'}: {factory.lost} of {factory.had}"
    )


def _held_back(state: State | None, revision: int | None) -> str:
    if state is None:
        return "Nothing is published on this host."
    step = f"from revision {state.revision}" + (f" to {revision}" if revision is not None else "")
    return f"The refresh {step} is held back; every DAG goes on as it was."


def _reason(state: State | None, revision: int) -> str:
    if state is not None and revision < state.revision:
        return "The store has lost revisions: it was restored from a backup, or made anew."
    return "The store's history lacks rows, or was replaced by another one."
