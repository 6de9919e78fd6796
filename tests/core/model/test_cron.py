"""A cron expression is accepted if Airflow can schedule by it, and means the same there."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from croniter import croniter
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from dagfoundry import CronExpression
from dagfoundry.model.cron import PRESETS, cron_error

READ = TypeAdapter(CronExpression).validate_python


@pytest.mark.parametrize(
    "expression",
    [
        "* * * * *",
        "*/30 * * * *",
        "0 6 * * mon-fri",
        "0 6 1,15 * *",
        "0 0 29 2 *",
        "0 0 L * *",
        "0 0 * * 5#3",
        "0 6 * jan 7",
        "@midnight",
        "@annually",
        *PRESETS,
    ],
)
def test_what_airflow_schedules_is_accepted(expression: str) -> None:
    """Five fields with all of croniter's signs, and the presets."""
    assert READ(expression) == expression


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("", "has 0 fields, not 5"),
        ("* * * *", "has 4 fields, not 5"),
        ("* * * * * *", "has 6 fields, not 5"),
        ("daily", "has 1 fields, not 5"),
        ("@once", "once and never again"),
        ("@continuous", "for ever"),
        ("@reboot", "is refused"),
        ("61 * * * *", "out of range"),
        ("0 24 * * *", "out of range"),
        ("a b c d e", "not acceptable"),
        ("R * * * *", "random or hashed"),
        ("H(0-5) * * * *", "random or hashed"),
        ("0 0 30 2 *", "failed to find next date"),
    ],
)
def test_what_airflow_cannot_schedule_is_refused(expression: str, problem: str) -> None:
    """The message says what is wrong; dates that never come are refused too."""
    with pytest.raises(ValidationError, match="is no cron expression that works"):
        READ(expression)
    assert problem in str(cron_error(expression))


def test_spaces_are_made_single() -> None:
    """The same schedule is the same text in every row."""
    assert READ("  0 6   *\u00a0* *\n") == "0 6 * * *"


@settings(deadline=None)
@given(
    st.tuples(
        st.integers(0, 59),
        st.integers(0, 23),
        st.integers(1, 28),
        st.integers(1, 12),
        st.integers(0, 7),
    )
)
def test_every_point_of_the_calendar_is_accepted(fields: tuple[int, ...]) -> None:
    """Numbers within the range of their field make an expression."""
    assert cron_error(" ".join(str(field) for field in fields)) is None


WORKING = ["*", "*/5", "?", "L", "0", "5", "7", "59", "1-5", "5-1", "1,2", "jan", "fri-mon", "1#2"]
BROKEN = ["W", "5#6", "L5", "5L", "R", "H", "*/0", "1/10", "1-", "", "-1", "@", "\u0661"]
FIELD = st.sampled_from([*WORKING, *BROKEN])


@settings(deadline=None, max_examples=300)
@given(st.lists(FIELD, min_size=3, max_size=7).map(" ".join) | st.text(max_size=12))
def test_whatever_is_accepted_has_a_next_run(expression: str) -> None:
    """croniter, which Airflow asks, takes it and knows when it runs next."""
    try:
        read = READ(expression)
    except ValidationError:
        return
    start = datetime(2024, 2, 29, tzinfo=timezone.utc)
    following = croniter(PRESETS.get(read, read), start_time=start).get_next(datetime)
    assert start < following < start.replace(year=start.year + 60)
