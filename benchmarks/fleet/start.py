"""What a task's process does before it has its task; as a program, it prints its peak memory.

A program, because a fork shares its memory with the process that it is forked from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fleet.airflows import AIRFLOW_2, bag
from fleet.forked import peak_mb
from fleet.settings import bundle_name

from dagfoundry.names import bucket_file, bucket_of, python_name

if TYPE_CHECKING:
    from fleet.foundry import BenchFoundry

TASK: Final = "snapshot_merge_job"
_WANTED_DAG: Final = "_AIRFLOW_PARSING_CONTEXT_DAG_ID"


@dataclass(frozen=True, kw_only=True)
class Start:
    """A task of a DAG, in a file or in a foundry's bundle.

    Attributes:
        dag_id: The DAG.
        url: URL of the store.
        foundry: Name of the foundry.
        buckets: Its number of buckets.
        version: The version that the run is pinned to.
        home: ``AIRFLOW_HOME``.
        file: The DAG's file, where it is in no bundle of ours.
    """

    dag_id: str
    url: str = ""
    foundry: str = ""
    buckets: int = 1
    version: str = ""
    home: str = ""
    file: str = ""

    @classmethod
    def of(cls, foundry: BenchFoundry, home: Path) -> Start:
        """Return the start of an entry in the middle of a published foundry."""
        record = foundry.store.latest_version(foundry.name)
        return cls(
            dag_id=foundry.dag_id(foundry.entries // 2),
            url=foundry.url,
            foundry=foundry.name,
            buckets=foundry.buckets,
            version=record.version if record else "",
            home=str(home),
        )

    def run(self) -> str:
        """Return the id of the task, once its object is there."""
        os.environ |= {"DAGFOUNDRY_STORE_URL": self.url, _WANTED_DAG: self.dag_id}
        dags: dict[str, Any] = bag(Path(self.file) if self.file else self._own_file())
        return str(dags[self.dag_id].task_dict[TASK].task_id)

    def import_all(self) -> None:
        """Import here what a start needs, as the processes have that workers are forked from."""
        self.run()
        del os.environ[_WANTED_DAG]

    def _own_file(self) -> Path:
        bucket = bucket_of(self.dag_id, self.buckets)
        if AIRFLOW_2:
            name = f"dagfoundry_{python_name(self.foundry)}_shard_{bucket:02x}.py"
            return Path(self.home) / "dags" / name
        from airflow.dag_processing.bundles.manager import DagBundlesManager

        bundle = DagBundlesManager().get_bundle(bundle_name(self.foundry), self.version)
        bundle.initialize()
        return Path(bundle.path) / bucket_file(self.foundry, bucket)

    def peak_mb(self) -> float:
        """Return the peak memory of a new process that starts the task, in megabytes."""
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        command = [sys.executable, "-W", "ignore", __file__, json.dumps(asdict(self))]
        done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
        return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    Start(**json.loads(sys.argv[1])).run()
    print(peak_mb())
