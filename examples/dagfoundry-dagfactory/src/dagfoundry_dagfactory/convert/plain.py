"""Values of dag-factory's YAML as plain data, as far as they are that."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from dagfoundry_dagfactory.times import TYPE_KEY, moment_of

_RELATIVE: Final = re.compile(
    r"\s*(?:(\d+)\s+hour)?(?:(\d+)\s+minute)?(?:(\d+)\s+second)?(?:(\d+)\s+day)?", re.IGNORECASE
)
_ASSETS: Final = re.compile(r"airflow\.(?:\w+\.)*(?:Asset|Dataset)")


def plain(value: Any) -> Any:  # noqa: ANN401 - what YAML holds
    """Return a value without the objects that are data by another name.

    A typed list is a list, an asset of which only the URI is given is its URI, joined texts
    are a text, and a date is its text. ``${`` is written so that a model takes it literally.
    """
    if isinstance(value, dict):
        return _mapping(value)
    if isinstance(value, list):
        return [plain(member) for member in value]
    if isinstance(value, date):
        return value.isoformat()
    return value.replace("${", "$${") if isinstance(value, str) else value


def _mapping(value: dict[Any, Any]) -> Any:  # noqa: ANN401 - what YAML holds
    if set(value) == {"__join__"}:
        return "".join(str(plain(part)) for part in value["__join__"])
    kind = value.get(TYPE_KEY)
    if kind == "builtins.list" and set(value) == {TYPE_KEY, "items"}:
        return plain(value["items"])
    if isinstance(kind, str) and _ASSETS.fullmatch(kind) and set(value) == {TYPE_KEY, "uri"}:
        return plain(value["uri"])
    return {str(key): plain(member) for key, member in value.items()}


def relative_duration(text: object) -> timedelta | None:
    """Return the duration that dag-factory reads in a text such as ``2 days``, or None."""
    found = _RELATIVE.match(text) if isinstance(text, str) else None
    if found is None or not any(found.groups()):
        return None
    hours, minutes, seconds, days = (int(part or 0) for part in found.groups())
    return timedelta(hours=hours, minutes=minutes, seconds=seconds, days=days)


def fixed_moment(value: object, zone: str) -> tuple[object, bool]:
    """Return a moment that dag-factory takes, fixed, and whether it counted from today.

    Args:
        value: A date, a time, or a text such as ``2 days``.
        zone: The DAG's time zone.
    """
    back = relative_duration(value)
    if back is None:
        try:
            return moment_of(value), False
        except ValueError:
            return value, False  # the model refuses it with its remedy
    today = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (today - back).replace(tzinfo=None).isoformat(), True
