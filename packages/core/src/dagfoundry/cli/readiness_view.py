"""How far a revision is: as a table, as one line and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry.cli.output import print_line, print_table

if TYPE_CHECKING:
    from dagfoundry.serving import Readiness, ServedDag

_SHOWN: Final = 50
"""How many DAGs a table shows; those that are not ready come first."""

_COLUMNS: Final = ("DAG", "status", "revision", "state", "ready", "next run", "note")


def show_readiness(readiness: Readiness) -> None:
    """Print a table of the DAGs, and the whole in one line."""
    dags = sorted(readiness.dags, key=lambda dag: (dag.is_ready, dag.dag_id))
    if dags:
        print_table(_COLUMNS, map(_cells, dags[:_SHOWN]))
    if len(dags) > _SHOWN:
        print_line(f"and {len(dags) - _SHOWN} more DAGs; --json names all")
    print_line(str(readiness))


def readiness_as_json(readiness: Readiness) -> dict[str, Any]:
    """Return it as JSON values."""
    return {
        "foundry": readiness.foundry,
        "revision": readiness.revision,
        "since": readiness.since,
        "published": readiness.published,
        "ready": readiness.is_ready,
        "dags": [
            {
                "dag_id": dag.dag_id,
                "status": dag.status.value,
                "revision": dag.revision,
                "state": dag.state.value,
                "ready": dag.is_ready,
                "next_run": dag.next_run,
                "note": dag.note,
                "report": dag.report,
            }
            for dag in readiness.dags
        ],
    }


def _cells(dag: ServedDag) -> tuple[object, ...]:
    ready = "yes" if dag.is_ready else "no"
    note = dag.note or None
    return dag.dag_id, dag.status.value, dag.revision, dag.state.value, ready, dag.next_run, note
