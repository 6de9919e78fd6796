"""Durations, moments and time zones, as YAML writes them and as rows store them."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from dagfoundry import refusal

TYPE_KEY: Final = "__type__"
TIMEDELTA: Final = "datetime.timedelta"
_UNITS: Final = {
    "weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1,
    "milliseconds": 1e-3, "microseconds": 1e-6,
}  # fmt: skip
_LONGEST: Final = 1e9
_DURATION_REMEDY: Final = (
    f"Write a number of seconds, or {{{TYPE_KEY}: {TIMEDELTA}, hours: 1}} with any of "
    f"{', '.join(_UNITS)}."
)
_MOMENT_REMEDY: Final = (
    "Write a fixed date such as 2025-01-01 or a time such as 2025-01-01T06:00:00; its zone is "
    "the key `timezone`. A time that counts from today would make another DAG each day."
)
_ZONE_REMEDY: Final = "Write a name such as Europe/Amsterdam or UTC."


def seconds_of(value: object) -> float:
    """Return a duration in seconds.

    Args:
        value: A number of seconds, or the mapping that dag-factory makes a timedelta of.

    Raises:
        PydanticCustomError: It is neither; a ``ValueError``.
    """
    if isinstance(value, dict) and value.get(TYPE_KEY) == TIMEDELTA:
        units = {name: part for name, part in value.items() if name != TYPE_KEY}
        if units and all(name in _UNITS and _is_number(part) for name, part in units.items()):
            return _positive(sum(float(part) * _UNITS[name] for name, part in units.items()))
    if _is_number(value):
        return _positive(float(value))  # type: ignore[arg-type]  # it is a number
    raise refusal("is no duration", remedy=_DURATION_REMEDY)


def moment_of(value: object) -> str:
    """Return a fixed moment as text.

    Raises:
        PydanticCustomError: It is none; a ``ValueError``.
    """
    text = value.isoformat() if isinstance(value, date) else value
    try:
        moment = datetime.fromisoformat(text)  # type: ignore[arg-type]  # a TypeError is caught
    except (TypeError, ValueError):
        raise refusal("is no date or time", remedy=_MOMENT_REMEDY) from None
    if moment.tzinfo is not None:
        raise refusal("has a time zone of its own", remedy=_MOMENT_REMEDY)
    return moment.isoformat()


@lru_cache(maxsize=1024)
def zone_of(name: str) -> str:
    """Return the name of a time zone that exists.

    Raises:
        PydanticCustomError: There is none of this name; a ``ValueError``.
    """
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError):  # not found, a folder, a path that leads outside
        raise refusal("is no time zone", remedy=_ZONE_REMEDY) from None
    return name


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _positive(seconds: float) -> float:
    if not 0 < seconds <= _LONGEST:  # also when it is not a number
        raise refusal("is no duration above zero and below 30 years", remedy=_DURATION_REMEDY)
    return seconds


_EITHER: Final = {"anyOf": [{"type": "number"}, {"type": "object"}]}

Duration = Annotated[float, BeforeValidator(seconds_of), WithJsonSchema(_EITHER)]
"""A duration; a row stores its seconds."""

Moment = Annotated[str, BeforeValidator(moment_of)]
"""A fixed moment without a zone, as ISO text."""

Zone = Annotated[str, AfterValidator(zone_of)]
"""Name of a time zone."""
