"""Hashes of rows: equal for equal values, and for nothing else."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from dagfoundry.mergestore.hashing import hash_rows

_values = st.none() | st.text(max_size=3) | st.integers() | st.booleans() | st.binary(max_size=2)
_rows = st.lists(st.lists(_values | st.sampled_from(["\x1f", "][", "]\x1f["])), max_size=4)


def _exact(row: list[object]) -> tuple[tuple[type, object], ...]:
    while row and row[-1] is None:
        row = row[:-1]
    return tuple((type(value), value) for value in row)


@given(rows=_rows)
def test_hashes_are_equal_only_for_equal_rows(rows: list[list[object]]) -> None:
    """Type and place of each value count; NULLs at the end do not."""
    hashes = hash_rows(rows)
    assert len(hashes) == len(rows)
    assert len(set(hashes)) == len({_exact(row) for row in rows})


@given(rows=_rows)
def test_hash_of_a_row_does_not_depend_on_its_neighbours(rows: list[list[object]]) -> None:
    """Rows are hashed by the chunk, and the size of a chunk means nothing."""
    assert hash_rows(rows) == [hash_rows([row])[0] for row in rows]


def test_hash_of_a_row_never_changes() -> None:
    """A new version of this package must not see every row of a merge table as changed."""
    row = (1, "ä", None, 0.1, True, Decimal("1.50"), date(2013, 1, 1), b"\xff", None)
    assert hash_rows([row]) == ["001229b2dbb2814329991e3433eea337"]


def test_equal_numbers_hash_the_same() -> None:
    """A NUMERIC that a source writes with more zeros is the same number."""
    more, less, hundred, power, one = hash_rows(
        [[Decimal(number)] for number in ("1.50", "1.5", "100", "1E+2", "1")]
    )
    assert more == less
    assert hundred == power != one


def test_kinds_of_times_stay_apart() -> None:
    """A date is not the timestamp of its midnight, nor either's text."""
    stamp = datetime(2013, 1, 1)  # noqa: DTZ001 - as drivers give it
    assert len(set(hash_rows([[date(2013, 1, 1)], [stamp], ["2013-01-01"]]))) == 3
