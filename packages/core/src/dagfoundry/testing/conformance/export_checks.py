"""The way back, from rows to the model."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Final
from unittest import SkipTest

from dagfoundry.errors import ExportRefusedError
from dagfoundry.export import export_model
from dagfoundry.model.schema import FoundryModel
from dagfoundry.store.records import Head, RevisionRecord, RowKind, Source
from dagfoundry.store.stored import StoredRow

if TYPE_CHECKING:
    from dagfoundry.export import Export
    from dagfoundry.testing.conformance.subject import Example, Subject

_REVISION: Final = RevisionRecord(
    revision=1,
    parent=None,
    author="",
    created_at=datetime(2026, 1, 1, tzinfo=timezone.utc),
    message="",
    source=Source.MERGE,
    model_commit=None,
    environment=None,
)


def check_export(subject: Subject) -> None:
    """Refuse an export that makes other items than those that the entries were drafted from."""
    if subject.type.export is None:
        reason = f"factory type {subject.name!r} has no export"
        raise SkipTest(reason)
    for example in subject.examples:
        try:
            left_out = _exported(example).unexpressed
        except ExportRefusedError as error:
            raise subject.failure(f"{example} cannot be exported: {error}", _MEND) from error
        if left_out:
            problem = f"{example}: entry {left_out[0].key!r} is not exported: {left_out[0].reason}"
            raise subject.failure(problem, _MEND)


_MEND: Final = "Let export return the item that draft makes these entries of."


def _exported(example: Example) -> Export:
    """Write the example's rows as a model, which is planned against them before it returns."""
    rows = [row for row in example.all_rows if row.kind is not RowKind.INFRASTRUCTURE]
    buckets = FoundryModel.model_fields["buckets"].default
    states = [
        StoredRow(row=row, status=row.status.value, is_recorded=True, is_live=True) for row in rows
    ]
    head = Head(foundry=rows[0].foundry, revision=1, buckets=buckets)
    return export_model(head, states, _REVISION, example.subject.plugins)
