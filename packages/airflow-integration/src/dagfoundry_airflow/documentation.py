"""What a person reads about a DAG in Airflow: its definition, and where that came from.

The revision also stands in the DAG's description, since Airflow's list of DAGs has the
descriptions and only a request for each single DAG has its documentation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pydantic_core import to_json

from dagfoundry.factories import Status
from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagfoundry.store.records import RowState

_SERVED: Final = re.compile(r"dagfoundry revision: (\d+)(?: \((\w+)\))?")


def title(row: RowState) -> str:
    """Return what a row is, in a few words."""
    if row.kind is RowKind.INFRASTRUCTURE:
        return f"Infrastructure of {row.foundry}"
    if row.kind is RowKind.FACTORY:
        return f"Factory {row.factory_type} of {row.platform_name}"
    return f"{row.key} of {row.platform_name} ({row.factory_type})"


def description(row: RowState, *, is_placeholder: bool = False) -> str:
    """Return the one line that Airflow's list of DAGs shows."""
    return f"{title(row)}, {_served(row)}" + (", placeholder" if is_placeholder else "")


def document(row: RowState, config: Mapping[str, Any], note: Sequence[str] = ()) -> str:
    """Return the DAG's documentation as Markdown.

    Args:
        row: The DAG's row.
        config: Its parsed config_json.
        note: Lines to put before where the row came from.

    Raises:
        ValueError: It holds half a character (a lone surrogate).
    """
    return "\n".join(
        [
            f"### {title(row)}",
            "",
            _served(row),
            "",
            *note,
            *_origin(row),
            "",
            "```json",
            to_json(config, indent=2).decode(),
            "```",
            "",
        ]
    )


def served_in(text: str | None) -> tuple[int, Status] | None:
    """Return the revision and status that a description or documentation names, or None."""
    found = _SERVED.search(text or "")
    if found is None:
        return None
    return int(found.group(1)), Status(found.group(2) or Status.ACTIVE)


def _served(row: RowState) -> str:
    status = "" if row.status is Status.ACTIVE else f" ({row.status.value})"
    return f"dagfoundry revision: {row.revision}{status}"


def _origin(row: RowState) -> list[str]:
    """Return who made the row's revision, when and why; free text is shown as code."""
    shown = {"Author": row.author, "Made": row.created_at, "Message": row.message}
    return [f"- {name}: {as_code(text)}" for name, text in shown.items() if text]


def as_code(text: str) -> str:
    """Return free text as Markdown that shows it as it is."""
    plain = " ".join(text.replace("`", "'").split())
    return f"`{plain}`"
