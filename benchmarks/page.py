"""Writes the table of a page out of measured figures: ``python benchmarks/page.py``."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Final

from results import HEAD, table_row

DOCS: Final = Path(__file__).parents[1] / "docs" / "explanation"
FIGURES: Final = DOCS / "performance.json"
PAGE: Final = DOCS / "performance.md"
_TABLE: Final = re.compile(r"(?<=<!-- figures -->\n).*?(?=<!-- end of figures -->)", re.DOTALL)


def with_table(page: str, figures: str) -> str:
    """Return a page with its table made anew.

    Args:
        page: The page; its table stands between two comments.
        figures: JSON, as ``bench.py --json`` writes it.
    """
    rows = [table_row(figure) for figure in json.loads(figures)]
    table = "\n".join(["", HEAD, *rows, "", ""])
    return _TABLE.sub(lambda _found: table, page)


def main() -> int:
    """Write the page."""
    page, figures = PAGE.read_text(encoding="utf-8"), FIGURES.read_text(encoding="utf-8")
    PAGE.write_text(with_table(page, figures), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
