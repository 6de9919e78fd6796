"""Keeps the outcomes in a file of the docs and writes the page's table out of it."""

from __future__ import annotations

import fcntl
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from chaos.outcome import Outcome

DOCS: Final = Path(__file__).parents[1] / "docs" / "explanation"
FIGURES: Final = DOCS / "faults.json"
PAGE: Final = DOCS / "faults.md"

_HEAD: Final = (
    "| fault | Airflow | what Airflow showed | runs due | runs lost | runs twice"
    " | seconds to recover |\n|---|---|---|---|---|---|---|"
)
_PLACE: Final = re.compile(r"(?<=<!-- faults -->\n).*?(?=<!-- end of faults -->)", re.DOTALL)


def merged(
    records: list[dict[str, Any]], new: Iterable[dict[str, Any]], order: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """Return records with new ones in the place of those of the same fault and Airflow.

    Args:
        records: What is known.
        new: What is added.
        order: Names of all faults, in the order of the table; a record of another is dropped.
            None where any may be.
    """
    keyed = {_key(one): one for one in records}
    keyed |= {_key(one): one for one in new}
    faults = list(dict.fromkeys(fault for fault, _ in keyed) if order is None else order)
    known = [one for one in keyed.values() if one["fault"] in faults]
    return sorted(known, key=lambda one: (faults.index(one["fault"]), *_newest(one)))


def _key(record: dict[str, Any]) -> tuple[str, str]:
    """Return what there is one record of: a fault on a minor version of Airflow."""
    return record["fault"], ".".join(record["airflow"].split(".")[:2])


def _newest(record: dict[str, Any]) -> list[int]:
    return [-int(part) for part in record["airflow"].split(".")[:2]]


def with_table(page: str, figures: str) -> str:
    """Return a page with its table made anew.

    Args:
        page: The page; the table stands between two comments.
        figures: JSON, as the suite writes it.

    Raises:
        ValueError: The page has no place for the table, or several.
    """
    table = "\n".join(["", _HEAD, *map(_row, json.loads(figures)), "", ""])
    made, places = _PLACE.subn(lambda _found: table, page)
    if places != 1:
        raise ValueError(f"the page has {places} places for the table, not one")
    return made


def _row(record: dict[str, Any]) -> str:
    seconds = "never" if record["seconds"] is None else f"{record['seconds']:.0f}"
    shown = "; ".join([record["showed"], *(f"**{one}**" for one in record["problems"])])
    cells = [record["fault"], record["airflow"], shown.replace("|", "\\|")]
    cells += [str(record[name]) for name in ("demanded", "lost", "twice")]
    return f"| {' | '.join([*cells, seconds])} |"


def record(outcomes: Iterable[Outcome], order: Sequence[str]) -> None:
    """Merge outcomes into the file and write the page's table anew."""
    with PAGE.open("rb") as lock:  # the suites of two versions may run at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else []
        records = merged(known, [outcome.to_json() for outcome in outcomes], order)
        FIGURES.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")
        write_page()


def write_page() -> None:
    """Write the page's table out of the file."""
    page, figures = PAGE.read_text(encoding="utf-8"), FIGURES.read_text(encoding="utf-8")
    PAGE.write_text(with_table(page, figures), encoding="utf-8")


if __name__ == "__main__":
    write_page()
    sys.exit(0)
