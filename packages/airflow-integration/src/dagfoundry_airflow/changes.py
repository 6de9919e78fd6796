"""What changed between two states of a foundry, and how a report reads in a log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dagfoundry.factories import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import structlog

    from dagfoundry.store import RowState


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """DAG ids by what became of their rows, sorted.

    Attributes:
        created: New, or back after having been removed.
        changed: The row was rewritten and is still in the model.
        retired: No longer in the model.
    """

    created: tuple[str, ...]
    changed: tuple[str, ...]
    retired: tuple[str, ...]


def changes_between(before: Iterable[RowState], now: Iterable[RowState]) -> Changes:
    """Compare two states of the same rows."""
    lived = {row.dag_id: row.revision for row in before if _is_wanted(row)}
    wanted = {row.dag_id: row.revision for row in now if _is_wanted(row)}
    return Changes(
        created=tuple(sorted(wanted.keys() - lived.keys())),
        changed=tuple(sorted(d for d in wanted.keys() & lived.keys() if wanted[d] > lived[d])),
        retired=tuple(sorted(lived.keys() - wanted.keys())),
    )


def _is_wanted(row: RowState) -> bool:
    return row.status in (Status.ACTIVE, Status.INACTIVE)


def named_in(report: Mapping[str, Any]) -> dict[str, list[str] | dict[str, Any]]:
    """Return the DAGs that a report names, by what it says of them."""
    return {name: dags for name, dags in report.items() if isinstance(dags, (list, dict))}


def log_report(log: structlog.stdlib.BoundLogger, report: Mapping[str, Any]) -> None:
    """Write one line for each DAG that a report names, and one with the numbers.

    What matters is in the line's text: Airflow's page of a task's log shows little else.
    """
    found = named_in(report)
    for name, dags in found.items():
        for dag_id in dags:
            detail = f": {dags[dag_id]}" if isinstance(dags, dict) else ""
            log.info("%s %s%s", name, dag_id, detail)
    numbers = ", ".join(f"{name} {len(dags)}" for name, dags in found.items())
    log.info("revision %s of %s: %s", report["revision"], report["foundry"], numbers)
