"""Measures one case with one number of entries: ``case.py NAME ENTRIES SIZE HOME ANSWER``.

Each runs in a process of its own, with a home and a database server of its own, so that
none finds what another has left.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from results import Result

BENCHMARKS: Final = Path(__file__).parents[1]
NAMES: Final = ("builds", "task_starts", "bucket_files", "first_passes", "serving")
"""Each is a function in a module of its name."""


def main() -> int:
    """Measure the case and write its figures as JSON."""
    name, entries, size_name, home, answer = sys.argv[1:6]
    sys.path[:0] = [str(BENCHMARKS), str(BENCHMARKS.parent / "examples" / "quickstart")]
    warnings.filterwarnings("ignore")  # of other packages; this process measures
    _become_airflow(Path(home))
    figures = [result.to_json() for result in _measure(name, int(entries), size_name, Path(home))]
    Path(answer).write_text(json.dumps(figures), encoding="utf-8")
    return 0


def _become_airflow(home: Path) -> None:
    """Set what Airflow reads when it is first imported."""
    home.mkdir(parents=True, exist_ok=True)
    os.environ |= {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home / "bundles"),
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    from fleet import settings, sizes

    divided = map(settings.of_buckets, sizes.BUCKET_COUNTS)
    os.environ |= settings.ours("Bench", "One", *divided)


def _measure(name: str, entries: int, size_name: str, home: Path) -> Iterator[Result]:
    from fleet import sizes
    from fleet.database import postgres

    size = getattr(sizes, size_name)
    if place := os.environ.get("BENCHMARKS_DAG_FACTORY"):
        size = replace(size, dag_factory=Path(place))
    with postgres() as server:
        yield from _case(name)(server, home, entries, size)


def _case(name: str) -> Callable[..., Iterator[Result]]:
    module = importlib.import_module(f"fleet.{name}")
    measured: Callable[..., Iterator[Result]] = getattr(module, name)
    return measured


if __name__ == "__main__":
    sys.exit(main())
