"""Cron expressions of a model, checked as Airflow will read them."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

PRESETS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@quarterly": "0 0 1 */3 *",
    "@yearly": "0 0 1 1 *",
}
"""The presets of Airflow 2.10 to 3.3 that stand for a cron expression."""

_OTHER_PRESETS: Final = {
    "@once": "runs a DAG once and never again",
    "@continuous": "starts the next run at once, for ever",
}
"""Presets for which Airflow has timetables of their own; an entry that is to run goes on."""

_FIELDS: Final = 5
_START: Final = datetime(2024, 1, 1, tzinfo=timezone.utc)
_REMEDY: Final = (
    "Write five fields (minute, hour, day of month, month, day of week), "
    f'such as "*/30 * * * *", or one of {", ".join(PRESETS)}.'
)


@lru_cache(maxsize=4096)
def cron_error(expression: str) -> str | None:
    """Return why Airflow would refuse a cron expression or never run it, or none.

    Airflow 2.10 to 3.3 hand the expression to croniter (``CronMixin``). This is stricter
    where Airflow accepts what cannot work: random fields (``R``) move at each parse, a date
    such as 30 February has no next run, and a field of seconds runs a DAG every second.
    """
    from croniter import croniter

    if expression in _OTHER_PRESETS:
        return f"is a preset of Airflow that {_OTHER_PRESETS[expression]}"
    text = PRESETS.get(expression, expression)
    fields = text.split()
    if len(fields) != _FIELDS and not text.startswith("@"):
        return f"has {len(fields)} fields, not {_FIELDS}"
    if any(part.upper().startswith(("R", "H")) for part in text.replace(",", " ").split()):
        return "holds a random or hashed field"
    try:
        croniter(text, start_time=_START).get_next(datetime)
    except (ValueError, OverflowError) as error:  # all of croniter's own are ValueErrors
        return f"is refused: {error}"
    return None


def _check(text: str) -> str:
    expression = " ".join(text.split())
    problem = cron_error(expression)
    if problem:
        message = "{expression} is no cron expression that works: it {problem}"
        context = {"expression": repr(expression), "problem": problem, "remedy": _REMEDY}
        raise PydanticCustomError("cron", message, context)
    return expression


CronExpression = Annotated[str, AfterValidator(_check)]
"""A cron expression of five fields or an Airflow preset such as ``@daily``."""
