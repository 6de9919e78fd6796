"""For any snapshots: the merge table equals the last one, and counts are true."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dagfoundry.mergestore import SourceDataset
from dagfoundry.model.schema import Milestoning

if TYPE_CHECKING:
    from conftest import Lab

Values = tuple[Any, ...]
Snapshot = dict[Values, Values]

_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6)
_keys = st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "A", "'", '"', "\\", "\t", "é"]))
_values = st.tuples(
    st.none() | _text,
    st.none() | st.sampled_from(["", "a", "b", "NULL", "\\N"]),
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(0, 1),
    st.none() | st.floats(allow_nan=False).filter(lambda f: str(f) != "-0.0"),
    st.none() | st.booleans(),
    st.none() | st.dates(),
    st.none() | st.datetimes(),
)
_snapshots = st.dictionaries(_keys, _values, max_size=8)


@st.composite
def _changes(draw: st.DrawFn) -> tuple[Snapshot, Snapshot]:
    """Return two snapshots that share rows."""
    before = draw(_snapshots)
    after = draw(_snapshots)
    for key in draw(st.sets(st.sampled_from(sorted(before)))) if before else ():
        after[key] = before[key]
    return before, after


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("n", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("k", sa.Text, primary_key=True),
        sa.Column("free text", sa.Text),
        sa.Column("short", sa.String(9)),
        sa.Column("big", sa.BigInteger),
        sa.Column("ratio", sa.Float(53)),
        sa.Column("flag", sa.Boolean),
        sa.Column("day", sa.Date),
        sa.Column("stamp", sa.DateTime),
    ]


_SETTINGS = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@given(changes=_changes())
@_SETTINGS
def test_merge_table_equals_the_last_snapshot(any_lab: Lab, changes: tuple[Snapshot, ...]) -> None:
    """Inserted, updated and deleted are the differences of the snapshots, unchanged is zero."""
    before, after = changes
    table = _source_table(any_lab)
    _ingest(any_lab, table, {})
    _ingest(any_lab, table, before)
    assert _merged(any_lab) == before
    assert _ingest(any_lab, table, after) == _difference(before, after)
    assert _merged(any_lab) == after
    assert _ingest(any_lab, table, after) == (0, 0, 0)


@given(changes=_changes())
@_SETTINGS
def test_history_holds_every_snapshot(lab: Lab, changes: tuple[Snapshot, ...]) -> None:
    """Forensic tables give back each batch's snapshot, with the same counts as live ones."""
    before, after = changes
    table = _source_table(lab)
    _ingest(lab, table, {}, Milestoning.FORENSIC)
    first = _last_batch(lab)
    _ingest(lab, table, before, Milestoning.FORENSIC)
    counts = _ingest(lab, table, after, Milestoning.FORENSIC)
    assert counts == _difference(before, after)
    assert _ingest(lab, table, after, Milestoning.FORENSIC) == (0, 0, 0)
    expected = {first: {}, first + 1: before, first + 2: after, first + 3: after}
    assert {batch: _merged(lab, batch) for batch in expected} == expected


def _source_table(lab: Lab) -> sa.Table:
    table = sa.Table("snapshot", sa.MetaData(), *_columns())
    table.create(lab.owner, checkfirst=True)
    return table


def _ingest(
    lab: Lab, table: sa.Table, rows: Snapshot, milestoning: Milestoning = Milestoning.LIVE
) -> tuple[int, int, int]:
    lab.fill(table, *((*key, *values) for key, values in rows.items()))
    dataset = SourceDataset(name="snapshot", table="snapshot", key=("n", "k"))
    result = lab.ingest(dataset, milestoning=milestoning)
    assert result.rows_total == len(rows)
    return result.rows_inserted, result.rows_updated, result.rows_deleted


def _difference(before: Snapshot, after: Snapshot) -> tuple[int, int, int]:
    shared = before.keys() & after.keys()
    changed = [key for key in shared if before[key] != after[key]]
    return len(after.keys() - shared), len(changed), len(before.keys() - shared)


def _merged(lab: Lab, batch: int | None = None) -> Snapshot:
    found = lab.merge_table("snapshot")
    typed = sa.table(found.name, *(sa.column(c.name, c.type) for c in _columns()))
    query = sa.select(typed)
    if batch is not None:
        query = query.where(
            sa.column("ds_surf_batch_in") <= batch, sa.column("ds_surf_batch_out") >= batch
        )
    with lab.merge.connect() as connection:
        rows = [tuple(row) for row in connection.execute(query)]
    assert len({row[:2] for row in rows}) == len(rows)
    return {row[:2]: row[2:] for row in rows}


def _last_batch(lab: Lab) -> int:
    return max(row["batch_id"] for row in lab.batches())


def test_difference_tells_equal_from_changed() -> None:
    """The oracle of these tests is right about dates, NULLs and counts."""
    day, stamp = date(2013, 1, 1), datetime(2013, 1, 1)  # noqa: DTZ001 - as databases hold it
    before = {(1, ""): (None, day), (2, ""): ("x", stamp), (3, ""): (None, None)}
    after = {(1, ""): (None, day), (2, ""): ("y", stamp), (4, ""): (None, None)}
    assert _difference(before, after) == (1, 1, 1)
