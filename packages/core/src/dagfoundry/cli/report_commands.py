"""The command that shows what the factory DAGs last reported."""

from __future__ import annotations

from typing import Any, Final

from dagfoundry.cli.options import AsJson, FoundryName, one_foundry, open_configured_store
from dagfoundry.cli.output import print_json, print_line, print_table

_WORTH_A_LINE: Final = ("missing", "stale", "lingering", "broken", "held_back", "undeleted")
"""What a report names that somebody has to look at."""


def reports(*, foundry: FoundryName = None, as_json: AsJson = False) -> None:
    """Show the last report of each factory DAG: what it did, and what is wrong."""
    store = open_configured_store()
    found = store.reports(one_foundry(store, foundry))
    if as_json:
        print_json(
            [
                {"dag_id": each.dag_id, "made_at": each.made_at, "report": each.report}
                for each in found
            ]
        )
        return
    print_table(
        ("factory DAG", "made (UTC)", "revision", "says"),
        [
            (each.dag_id, each.made_at.isoformat(" ", "seconds"), *_summary(each.report))
            for each in found
        ],
    )
    for each in found:
        for said in _WORTH_A_LINE:
            _print_each(said, each.report.get(said, ()))


def _summary(report: dict[str, Any]) -> tuple[object, str]:
    counts = (
        f"{len(dags)} {said.replace('_', ' ')}"
        for said, dags in report.items()
        if isinstance(dags, (list, dict)) and dags
    )
    return report["revision"], ", ".join(counts) or "nothing to do"


def _print_each(said: str, dags: list[str] | dict[str, str]) -> None:
    for dag_id in dags:
        reason = f": {dags[dag_id]}" if isinstance(dags, dict) else ""
        print_line(f"{said.replace('_', ' ')} {dag_id}{reason}")


COMMANDS = {"reports": reports}
