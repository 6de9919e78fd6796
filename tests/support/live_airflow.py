"""A real Airflow that serves a foundry whose model the tests change."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any, TypeVar

from dagfoundry.merge import Guards, merge
from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins
from dagfoundry.store import Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from airflow_processes import AirflowProcesses

    from dagfoundry.store import Store

_Value = TypeVar("_Value")
_OVER = ("success", "failed")


class Live:
    """A real Airflow that serves a foundry ``Living``, whose model the tests change.

    Attributes:
        airflow: The processes.
        store: The foundry's store.
        entries: The items of the model's section ``probes``, by name.
    """

    foundry = "Living"
    factory = "alive_probe_factory"

    def __init__(self, airflow: AirflowProcesses, store: Store, model: Path) -> None:
        self.airflow = airflow
        self.store = store
        self.entries: dict[str, dict[str, Any]] = {}
        self._model = model
        self._seen: set[str] = set()

    def write_model(self, **entries: dict[str, Any] | None) -> None:
        """Add, change or (with None) remove entries of the model."""
        changed = self.entries | entries
        self.entries = {k: v for k, v in changed.items() if v is not None}
        items = [{"name": name, **values} for name, values in self.entries.items()]
        platform = {"name": "Alive", "merge_store": {"url_variable": "PROBING_MERGE_URL"}}
        head = {"foundry": self.foundry, "buckets": 2, "platforms": [platform]}
        self._model.write_text(json.dumps(head | {"probes": items}))

    def merge(self, *, allow_prune: bool = False, **entries: dict[str, Any] | None) -> int:
        """Change the model, merge it and return the head revision."""
        self.write_model(**entries)
        plugins = load_plugins()
        origin = Origin(author="Ada", message="a test", source=Source.MERGE)
        loaded = load_model([self._model], plugins)
        done = merge(
            self.store, loaded, plugins, origin=origin, guards=Guards(allow_prune=allow_prune)
        )
        return int(done.head.revision)

    def dag_id(self, name: str) -> str:
        """Return the DAG id of an entry."""
        return f"alive__{name}_probe"

    def dags(self) -> dict[str, dict[str, Any]]:
        """Return the DAGs that Airflow lists, by DAG id."""
        listed = self.airflow.api.get("/dags", limit=100)["dags"]
        return {dag["dag_id"]: dag for dag in listed}

    def paused(self, name: str) -> bool:
        """Return whether the DAG of an entry is paused."""
        return bool(self.dags()[self.dag_id(name)]["is_paused"])

    def run(self, dag_id: str) -> str:
        """Start a run of a DAG and wait until it is over.

        Returns:
            Its run id.
        """
        run_id: str = self.airflow.api.trigger(dag_id)
        path = f"/dags/{dag_id}/dagRuns/{run_id}"
        state = self.until(
            lambda: (found := self.airflow.api.get(path)["state"]) in _OVER and found
        )
        assert state == "success", self.task_logs(dag_id, run_id)
        return run_id

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:  # noqa: ANN401 - JSON
        """Return what a task returned."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.airflow.api.get(path, stringify="false")["value"]

    def reconcile(self) -> dict[str, Any]:
        """Run the factory DAG and return its report, joined with those of runs by schedule."""
        self.run(self.factory)
        runs = self.airflow.api.get(f"/dags/{self.factory}/dagRuns", limit=100)["dag_runs"]
        joined: dict[str, Any] = {}
        for run in sorted(runs, key=lambda run: run["start_date"] or ""):
            run_id = run["dag_run_id"]
            if run["state"] == "success" and run_id not in self._seen:
                self._seen.add(run_id)
                joined = _join(joined, self.result(self.factory, run_id, "sync_dags"))
        return joined

    def task_logs(self, dag_id: str, run_id: str) -> str:
        """Return what the tasks of a run have logged."""
        files = sorted(self.airflow.home.glob(f"logs/dag_id={dag_id}/run_id={run_id}/**/*.log"))
        return "\n".join(file.read_text() for file in files)

    def until(self, condition: Callable[[], _Value], seconds: float = 180) -> _Value:
        """Wait until a condition holds and return its value."""
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            self.airflow.check_alive()
            assert time.monotonic() < deadline, f"not within {seconds} s"
            time.sleep(0.5)
        return value


def _join(earlier: dict[str, Any], later: dict[str, Any]) -> dict[str, Any]:
    """Join two reports: what was done adds up, what is found is that of the later one."""
    done = ("created", "updated", "retired", "purged", "restored", "unpaused", "drifted")
    return later | {name: sorted({*earlier.get(name, ()), *later[name]}) for name in done}
