"""Writes the tables and the picture of a page out of measured figures: ``nox -s performance``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from results import HEAD, shown, table_row

DOCS: Final = Path(__file__).parents[1] / "docs"
FIGURES: Final = DOCS / "explanation" / "performance.json"
PAGE: Final = DOCS / "explanation" / "performance.md"
PICTURE: Final = DOCS / "images" / "performance.svg"

_OF_BUCKETS: Final = {
    "the fullest file, CPU-s": "parse of the fullest of {} buckets",
    "its peak memory, MB": "peak memory of it, {} buckets",
    "all files, CPU-s": "parse of all of {} buckets",
    "task start on an empty disk, ms": "task start on an empty disk, {} buckets",
}
_BUCKETS: Final = re.compile(r"\b(\d+) buckets$")


def with_tables(page: str, figures: str) -> str:
    """Return a page with its tables made anew.

    Args:
        page: The page; each table stands between two comments.
        figures: JSON, as ``bench.py --json`` writes it.
    """
    records = json.loads(figures)
    rows = [table_row(record) for record in records if not _buckets(record)]
    page = _between(page, "figures", [HEAD, *rows])
    return _between(page, "buckets", list(_bucket_rows(records)))


def _between(page: str, name: str, lines: list[str]) -> str:
    place = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end of {name} -->)", re.DOTALL)
    table = "\n".join(["", *lines, "", ""])
    made, places = place.subn(lambda _found: table, page)
    if places != 1:
        raise ValueError(f"the page has {places} places for the table {name!r}, not one")
    return made


def _bucket_rows(records: list[dict[str, Any]]) -> list[str]:
    """Return a table with a row for each number of entries in each number of buckets."""
    head = ["Airflow", "entries", "buckets", *_OF_BUCKETS]
    lines = [_row(head), "|" + "---|" * len(head)]
    keyed = {(r["airflow"], r["entries"], r["name"]): r["ours"] for r in records}
    places = dict.fromkeys((r["airflow"], r["entries"], _buckets(r)) for r in records)
    for airflow, entries, buckets in places:
        if buckets:
            names = (name.format(buckets) for name in _OF_BUCKETS.values())
            values = [shown(keyed.get((airflow, entries, name))) for name in names]
            lines.append(_row([airflow, f"{entries:,}", str(buckets), *values]))
    return lines


def _buckets(record: dict[str, Any]) -> int | None:
    found = _BUCKETS.search(record["name"])
    return int(found[1]) if found else None


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Write the page and its picture."""
    from plots import draw

    page, figures = PAGE.read_text(encoding="utf-8"), FIGURES.read_text(encoding="utf-8")
    PAGE.write_text(with_tables(page, figures), encoding="utf-8")
    draw(json.loads(figures), PICTURE)
    return 0


if __name__ == "__main__":
    sys.exit(main())
