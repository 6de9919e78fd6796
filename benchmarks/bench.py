"""Measures DAG Foundry on the installed Airflow, beside other ways to show the same DAGs.

Every ratio is of one run, its two sides measured in turn. Exits with 1 when a budget is
missed. ``nox -s bench`` runs it on Airflow 2.11 and on the newest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.case import NAMES
from fleet.sizes import FULL, QUICK, TINY
from results import HEAD, table_row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet.sizes import Size

SIZES = {"full": FULL, "quick": QUICK, "tiny": TINY}
CASE = Path(__file__).parent / "fleet" / "case.py"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a table of all figures and return 1 when a budget is missed or a case failed."""
    options = _parser().parse_args(arguments)
    print(f"{os.cpu_count()} cores, Airflow {version('apache-airflow')}\n\n{HEAD}", flush=True)
    figures: list[dict[str, Any]] = []
    failed = False
    for name, entries in _cases(options.case or NAMES, options.entries, SIZES[options.size]):
        found = measure(name, entries, options.size)
        failed |= found is None
        for figure in found or []:
            print(table_row(figure), flush=True)
            figures.append(figure)
        if options.json:
            write(options.json, figures)
    return 1 if failed or any(figure["kept"] is False for figure in figures) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", dest="size", action="store_const", const="quick", default="full")
    size.add_argument("--tiny", dest="size", action="store_const", const="tiny")
    parser.add_argument("--case", choices=NAMES, action="append", help="only this one")
    parser.add_argument("--entries", type=int, action="append", help="only so many entries")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also written here, as a list")
    return parser


def _cases(
    names: Sequence[str], only: Sequence[int] | None, size: Size
) -> Iterator[tuple[str, int]]:
    for name in names:
        live = dict.fromkeys(("first_passes", "serving"), size.live_entries)
        own = {**live, "bucket_files": size.bucket_entries}
        for entries in only or own.get(name, size.entries):
            yield name, entries


def measure(name: str, entries: int, size: str) -> list[dict[str, Any]] | None:
    """Measure one case in a process of its own; None when that fails, which is shown."""
    with tempfile.TemporaryDirectory(prefix="dagfoundry-bench-") as folder:
        answer, log = Path(folder, "answer.json"), Path(folder, "log.txt")
        command = [sys.executable, str(CASE), name, str(entries), size.upper()]
        with log.open("wb") as output:
            done = subprocess.run(
                [*command, str(Path(folder, "home")), str(answer)],
                stdout=output,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode == 0:
            found: list[dict[str, Any]] = json.loads(answer.read_text(encoding="utf-8"))
            return found
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        print(f"{name} with {entries} entries failed:", *tail, sep="\n", file=sys.stderr)
        return None


def write(file: Path, figures: Sequence[dict[str, Any]]) -> None:
    """Write figures beside those of other Airflows that the file already holds."""
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    ours = {_key(figure) for figure in figures}
    kept = [figure for figure in known if _key(figure) not in ours]
    text = json.dumps([*kept, *figures], indent=1)
    file.write_text(f"{text}\n", encoding="utf-8")


def _key(figure: dict[str, Any]) -> tuple[Any, ...]:
    return figure["name"], figure["airflow"], figure["entries"]


if __name__ == "__main__":
    sys.exit(main())
