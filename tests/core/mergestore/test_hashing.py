"""Hashes of rows: equal for equal values, and for nothing else."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dagfoundry.mergestore.hashing import hash_values

_rows = st.lists(
    st.none() | st.text(max_size=3) | st.integers() | st.booleans() | st.binary(max_size=2)
)


def _exact(row: list[object]) -> list[tuple[type, object]]:
    while row and row[-1] is None:
        row = row[:-1]
    return [(type(value), value) for value in row]


@given(left=_rows, right=_rows)
def test_hashes_are_equal_only_for_equal_rows(left: list[object], right: list[object]) -> None:
    """Type and place of each value count; NULLs at the end do not."""
    assert (hash_values(left) == hash_values(right)) == (_exact(left) == _exact(right))


def test_hash_of_a_row_never_changes() -> None:
    """A new version of this package must not see every row of a merge table as changed."""
    row = (1, "ä", None, 0.1, True, Decimal("1.50"), date(2013, 1, 1), b"\xff", None)
    assert hash_values(row) == "03b4c403a460190de06673221e6f2221"


def test_equal_numbers_hash_the_same() -> None:
    """A NUMERIC that a source writes with more zeros is the same number."""
    assert hash_values([Decimal("1.50")]) == hash_values([Decimal("1.5")])
    assert hash_values([Decimal(100)]) == hash_values([Decimal("1E+2")])
    assert hash_values([Decimal(100)]) != hash_values([Decimal(1)])


def test_kinds_of_times_stay_apart() -> None:
    """A date is not the timestamp of its midnight, nor either's text."""
    values = [date(2013, 1, 1), datetime(2013, 1, 1), "2013-01-01"]  # noqa: DTZ001 - as drivers give it
    assert len({hash_values([value]) for value in values}) == 3
