"""Prints the graphs of DAGs as JSON: those of dag-factory, or those of our store.

python dagfactory_graphs.py dag-factory FILE... | dagfoundry FOUNDRY

Each runs in a process of its own, since dag-factory is not in the path of any other.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def graph(dag: Any) -> dict[str, list[str]]:  # noqa: ANN401 - a DAG; its class differs by version
    """Return the tasks of a DAG, each with those that follow it."""
    return {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}


def of_dag_factory(files: list[str]) -> dict[str, Any]:
    """Return what dag-factory makes of each file: its DAGs, or the reason why there is none."""
    from dagfactory.dagfactory import _DagFactory

    def built(file: str) -> Any:  # noqa: ANN401 - JSON
        try:
            made = _DagFactory(file, defaults_config_path=str(Path(file).parents[1])).build_dags()
        except Exception as error:  # noqa: BLE001 - an example that dag-factory itself cannot build
            return f"{type(error).__name__}: {error}"
        return {name: graph(dag) for name, dag in made.items()}

    return {file: built(file) for file in files}


def of_dagfoundry(foundry: str) -> dict[str, Any]:
    """Return the graphs of the entries in the store, by key."""
    from sqlalchemy.engine import make_url

    from dagfoundry.plugins import load_plugins
    from dagfoundry.store import RowKind, open_store
    from dagfoundry_airflow.build import build_dag

    store = open_store(make_url(os.environ["DAGFOUNDRY_STORE_URL"]), timeout_seconds=30)
    rows = store.rows_at(foundry, store.head(foundry).revision)
    return {
        row.key: graph(build_dag(row, load_plugins())) for row in rows if row.kind is RowKind.ENTRY
    }


if __name__ == "__main__":
    kind, *arguments = sys.argv[1:]
    result = of_dag_factory(arguments) if kind == "dag-factory" else of_dagfoundry(*arguments)
    sys.stdout.write(f"result={json.dumps(result)}\n")
