"""When a DAG runs: a cron expression, or datasets by their URIs, joined by and / or.

The mappings ``{__and__: [...]}`` and ``{__or__: [...]}`` are dag-factory's own.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, TypeAdapter, WithJsonSchema

from dagfoundry import CronExpression, refusal

AND: Final = "__and__"
OR: Final = "__or__"
_REMEDY: Final = (
    "Write a cron expression, a list of dataset URIs, or "
    f"{{{OR}: [uri, {{{AND}: [uri, uri]}}]}}; leave it out for a DAG that is only triggered."
)
_URI_REMEDY: Final = (
    "Write the dataset's URI as text; an alias, a name or an extra is not carried over."
)
_CRON: Final[TypeAdapter[str]] = TypeAdapter(CronExpression)


def schedule_of(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return a schedule as rows store it.

    Raises:
        PydanticCustomError: It is none; a ``ValueError``.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _CRON.validate_python(value)
    if isinstance(value, (list, tuple)):
        return [_member(uri) for uri in value] or _refuse(value)
    return _condition(value)


def uri_of(value: object) -> str:
    """Return a dataset's URI.

    Raises:
        PydanticCustomError: It is no text; a ``ValueError``.
    """
    if not isinstance(value, str) or not value.strip():
        raise refusal("is no URI of a dataset", remedy=_URI_REMEDY)
    return value.strip()


def _member(value: object) -> str:
    try:
        return uri_of(value)
    except ValueError as error:
        raise refusal(f"{value!r} {error}", remedy=_REMEDY) from None


def _condition(value: object) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return _member(value)
    if isinstance(value, dict) and len(value) == 1:
        (operator, members), *_ = value.items()
        if operator in {AND, OR} and isinstance(members, (list, tuple)) and members:
            return {operator: [_condition(member) for member in members]}
    return _refuse(value)


def _refuse(value: object) -> Any:  # noqa: ANN401 - never returns
    raise refusal(f"{value!r} is no schedule", remedy=_REMEDY)


_SCHEMA: Final = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}},
        {"type": "object"},
        {"type": "null"},
    ]
}

Schedule = Annotated[Any, BeforeValidator(schedule_of), WithJsonSchema(_SCHEMA)]
"""A cron expression, a list of URIs, a condition, or none."""
