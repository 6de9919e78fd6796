"""The fields of a row: what a config is made of, and what two states of a row differ in.

A state is what history keeps of a row: its ``status`` and ``config_json``, or None where
there is no row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

State = Mapping[str, str | None]
"""Status and config_json of a row."""

STATUS = "status"
"""The one field of a row that is not of its config."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FieldChange:
    """One field of a row before and after; None where it is absent."""

    field: str
    before: Any
    after: Any


def parsed_config(state: State | None) -> dict[str, Any]:
    """Return a state's config; one field ``config_json`` when it is no JSON object."""
    text = (state or {}).get("config_json")
    try:
        value = json.loads(text or "{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"config_json": text}


def state_changes(before: State | None, after: State | None) -> tuple[FieldChange, ...]:
    """Return the fields in which two states of a row differ, the status first."""
    old, new = (None if state is None else state.get(STATUS) for state in (before, after))
    status = [] if old == new else [FieldChange(field=STATUS, before=old, after=new)]
    return (*status, *config_changes(parsed_config(before), parsed_config(after)))


def config_changes(
    before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = ""
) -> Iterator[FieldChange]:
    """Yield the fields in which two configs differ; a field of a field is ``outer.inner``."""
    for key in {**before, **after}:
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from config_changes(old, new, f"{prefix}{key}.")
        elif old != new or (key in before) != (key in after):
            yield FieldChange(field=f"{prefix}{key}", before=old, after=new)


def flat_config(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each field of a config under the name :func:`config_changes` gives it."""
    for key, value in config.items():
        if isinstance(value, dict) and value:
            yield from flat_config(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
