"""The process that builds the rows of one file, as a parse does, and tells how long it took.

The rows come as JSON on the standard input, the answer goes as JSON to the standard output.
What a builder prints goes elsewhere.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> int:
    """Build all rows and answer."""
    answers = os.dup(1)
    os.dup2(2, 1)
    rows = json.load(sys.stdin)["rows"]
    with os.fdopen(answers, "w", encoding="utf-8") as answer:
        json.dump(_measure(rows), answer)
    return 0


def _measure(rows: list[dict[str, object]]) -> dict[str, float]:
    from dagfoundry.plugins import load_plugins
    from dagfoundry.store import RowState
    from dagfoundry_airflow._compat import check_dag
    from dagfoundry_airflow.loader import build_rows

    started = time.perf_counter()
    dags = build_rows(map(RowState.from_json, rows), load_plugins())
    imported = time.perf_counter() - started
    good = sum(_is_good(dag, check_dag) for dag in dags.values())
    return {
        "dags": good,
        "import_seconds": imported,
        "whole_seconds": time.perf_counter() - started,
    }


def _is_good(dag: object, check: Callable[[Any], object]) -> bool:
    try:
        check(dag)
    except Exception:  # noqa: BLE001 - the trial build keeps such a DAG out, and tells why
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
