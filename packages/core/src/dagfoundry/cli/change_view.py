"""Changed rows as lines of a table and as JSON, the same for plans, history and differences."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagfoundry.fields import FieldChange
    from dagfoundry.store.records import RowKind

COLUMNS: Final = ("action", "kind", "DAG", "field", "before", "after")
_LONGEST_VALUE: Final = 60


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


def change_lines(
    action: str, row: ChangedRow, fields: Sequence[FieldChange], *, whole: bool
) -> Iterator[tuple[str, ...]]:
    """Yield the lines of one changed row: one per field, or one for a row that is new.

    Args:
        action: What happened to it, in one word.
        row: The row.
        fields: What changed.
        whole: Whether all of it is new, so that its fields say nothing.
    """
    head = (action, row.kind.value, row.dag_id)
    if whole or not fields:
        yield (*head, "", "", "")
        return
    for field in fields:
        yield (*head, field.field, short(field.before), short(field.after))
        head = ("", "", "")


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


def short(value: object) -> str:
    """Return a value on one line that is not too wide; ``-`` where there is none."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[: _LONGEST_VALUE - 1]}…"
