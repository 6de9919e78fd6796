"""Whether the store's history is still the one that a folder followed.

A store that was restored and merged again may hold other rows under the same numbers. When
and by whom a revision was made tells two of the same number apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.store import RevisionRecord, RowState


def mark_of(revision: RevisionRecord | None) -> str:
    """Return what tells a revision from another one of its number."""
    if revision is None:
        return "missing"
    return f"{revision.created_at.isoformat(timespec='seconds')}+00:00 {revision.author}"


def mark_in(rows: Iterable[RowState], revision: int) -> str:
    """Return the mark of a revision from a row that it wrote; empty when there is none."""
    return next(
        (
            f"{row.created_at} {row.author}"
            for row in rows
            if row.revision == revision and row.author
        ),
        "",
    )
