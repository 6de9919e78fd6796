"""The present refusal to follow the store, if there is one: an import error says why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry import metrics
from dagfoundry.errors import FoundryError
from dagfoundry.logs import get_logger
from dagfoundry.settings import ALLOW_DROP_VARIABLE
from dagfoundry_airflow.drops import allowance
from dagfoundry_airflow.notice import Note

if TYPE_CHECKING:
    from dagfoundry.store import Head
    from dagfoundry_airflow.drops import FactoryLoss, Loss
    from dagfoundry_airflow.notice import Notice
    from dagfoundry_airflow.state import State

_GONE: Final = -1

_log = get_logger(__name__)


class DropRefusedError(FoundryError):
    """DAGs would leave Airflow although no revision of the store removed them."""


class HeldBack:
    """Where a refusal is noted and shown.

    Args:
        notice: Where its report is kept.
        foundry: Name of the foundry.
    """

    def __init__(self, notice: Notice, foundry: str) -> None:
        self._notice = notice
        self._foundry = foundry

    def read(self) -> Note | None:
        """Return the present refusal; None when there is none, or its file is damaged."""
        return self._notice.read()

    def begin(self, note: Note) -> None:
        """Note and show a refusal; it is logged when it is a new one.

        Raises:
            OSError: The disk is full or read-only.
        """
        metrics.dags_held_back(self._foundry, note.count)
        if self._notice.begin(note):
            _log.error("refresh held back", foundry=self._foundry, reason=note.report)

    def end(self) -> None:
        """End the refusal, if there was one."""
        if self._notice.end():
            metrics.dags_held_back(self._foundry, 0)
            _log.info("refresh is no longer held back", foundry=self._foundry)


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
