"""All that a fault may happen to, and whether it is whole."""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import psycopg2
from published_files import fresh_render

from chaos.fleet import CANARY, FOUNDRY
from dagfoundry.drift import find_hand_edits
from dagfoundry.plugins import load_plugins
from dagfoundry_airflow.publish import CURRENT
from dagfoundry_airflow.state import StateFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from chaos.fleet import Fleet
    from chaos.installation import Installation
    from chaos.postgres import Postgres
    from chaos.proxy import Proxy
    from chaos.watcher import Watcher
    from dagfoundry_airflow.state import State

_POLL_SECONDS: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class Site:
    """One installation with everything around it.

    Attributes:
        fleet: The foundry; it reaches the store without the proxy.
        airflow: Airflow's processes; they reach the store through the proxy.
        watcher: Looks at Airflow all the time.
        proxy: Between Airflow's processes and the store.
        store: PostgreSQL of the store.
        metadata: PostgreSQL of Airflow.
        metadata_url: Airflow's database.
        has_small_disk: Whether our files are on a small disk of their own.
        folder: For files of the faults.
    """

    fleet: Fleet
    airflow: Installation
    watcher: Watcher
    proxy: Proxy
    store: Postgres
    metadata: Postgres
    metadata_url: str
    has_small_disk: bool
    folder: Path

    @property
    def served(self) -> Path:
        """The folder that Airflow parses (2.x: that its loader files read)."""
        return self.airflow.snapshot / CURRENT

    def state(self) -> State | None:
        """Return what the snapshot says that it serves."""
        return StateFile(self.airflow.snapshot / "state.json").read()

    def shows(self, revision: int) -> bool:
        """Return whether Airflow serves the canary of a revision, and all else is well."""
        sample = self.watcher.newest()
        if sample is None or sample.dags is None or sample.errors or sample.blocked:
            return False
        if sample.dags != self.fleet.dag_ids or sample.listed is None:
            return False
        return self.serves(CANARY, revision)

    def serves(self, key: str, revision: int) -> bool:
        """Return whether Airflow serves an entry of a revision."""
        try:
            said = self.watcher.description(self.fleet.dag_id(key))
        except psycopg2.Error:
            return False
        return said.endswith(f"revision: {revision}")

    def wait_shown(self, revision: int, seconds: float) -> float | None:
        """Wait until a revision is served and return when that was; None if it never was."""
        until = time.time() + seconds
        while time.time() < until:
            if self.shows(revision):
                return time.time()
            time.sleep(_POLL_SECONDS)
        return None

    def problems(self) -> list[str]:
        """Return what is not as it should be; empty when everything is whole."""
        return [*self._of_airflow(), *self._of_store(), *self._of_disk()]

    def _of_airflow(self) -> Iterator[str]:
        sample = self.watcher.newest()
        if sample is None or sample.dags is None:
            yield "Airflow's database does not answer"
            return
        if missing := self.fleet.dag_ids - sample.dags:
            yield f"Airflow does not list {sorted(missing)[:5]} ({len(missing)} DAGs)"
        if others := sample.dags - self.fleet.dag_ids:
            yield f"Airflow lists {sorted(others)}"
        if sample.blocked:
            yield f"Airflow does not schedule {len(sample.blocked)} DAGs"
        for file, report in (sample.errors or {}).items():
            yield f"Airflow shows an error of {file}: {report.splitlines()[-1]}"

    def _of_store(self) -> Iterator[str]:
        head = self.fleet.store.head(FOUNDRY)
        with self.fleet.store.reading() as connection:
            edits = find_hand_edits(connection, head, load_plugins()).edits
        if edits:
            yield f"{len(edits)} rows of the store are not what history says"
        if lost := self.fleet.unrecorded():
            yield f"history has lost {len(lost)} DAGs"
        numbers = [record.revision for record in self.fleet.store.revisions(FOUNDRY)]
        if sorted(numbers) != list(range(1, head.revision + 1)):
            yield f"revisions have a gap: {sorted(numbers)}"

    def _of_disk(self) -> Iterator[str]:
        state = self.state()
        if state is None:
            yield "the snapshot's state cannot be read"
            return
        foundry = SimpleNamespace(name=FOUNDRY, store=self.fleet.store)
        wanted = fresh_render(foundry, state.version)  # type: ignore[arg-type]  # of a test's foundry
        have = {path.name: path.read_bytes() for path in self.served.glob("dagfoundry_*")}
        if differing := [name for name in wanted | have if wanted.get(name) != have.get(name)]:
            yield f"{len(differing)} files of the snapshot are not those of {state.version}"
