"""Changed rows and revisions as JSON values, for the command line and for pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

from dagfoundry.fields import state_changes
from dagfoundry.history import count_deeds, deed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry.fields import FieldChange
    from dagfoundry.store.history import RevisionLog
    from dagfoundry.store.records import RevisionRecord, RowKind


class ChangedRow(Protocol):
    """What a view needs to know of a row."""

    @property
    def kind(self) -> RowKind:
        """Factory or entry."""

    @property
    def platform_name(self) -> str:
        """Platform as the model writes it."""

    @property
    def factory_type(self) -> str:
        """Name of the factory type."""

    @property
    def key(self) -> str:
        """Key of an entry."""

    @property
    def dag_id(self) -> str:
        """DAG id."""


def change_json(action: str, row: ChangedRow, fields: Sequence[FieldChange]) -> dict[str, Any]:
    """Return one changed row as JSON values, with every field."""
    return {
        "action": action,
        "kind": row.kind.value,
        "dag_id": row.dag_id,
        "platform": row.platform_name,
        "factory_type": row.factory_type,
        "key": row.key,
        "fields": [asdict(field) for field in fields],
    }


def revision_json(by: RevisionRecord) -> dict[str, Any]:
    """Return who made a revision, when and why."""
    return {
        "revision": by.revision,
        "created_at": f"{by.created_at.isoformat(timespec='seconds')}+00:00",
        "author": by.author,
        "source": by.source.value,
        "message": by.message,
        "model_commit": by.model_commit,
        "environment": by.environment,
    }


def log_json(log: RevisionLog) -> dict[str, Any]:
    """Return a revision with the number of rows that it created, updated and so on."""
    return {
        **revision_json(log.revision),
        "parent": log.revision.parent,
        "counts": dict(count_deeds(log.rows)),
    }


def changes_json(log: RevisionLog) -> list[dict[str, Any]]:
    """Return the rows that a revision wrote, each with the fields that changed."""
    return [
        change_json(deed(row.before, row.after), row, state_changes(row.before, row.after))
        for row in log.rows
    ]
