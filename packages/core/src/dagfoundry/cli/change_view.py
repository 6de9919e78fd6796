"""Changed rows as lines of a table, the same for plans, history and differences."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagfoundry.change_json import ChangedRow
    from dagfoundry.fields import FieldChange

COLUMNS: Final = ("action", "kind", "DAG", "field", "before", "after")
_LONGEST_VALUE: Final = 60


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


def short(value: object) -> str:
    """Return a value on one line that is not too wide; ``-`` where there is none."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST_VALUE else f"{line[: _LONGEST_VALUE - 1]}…"
