"""A foundry of many streams in a store, and its changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from streams import load, write_model

from dagfoundry.merge import Guards, merge
from dagfoundry.names import bucket_of
from dagfoundry.plugins import load_plugins
from dagfoundry.serving import announce
from dagfoundry.store import Source
from dagfoundry.store.write import Origin
from dagfoundry_airflow.environment import installed_versions
from dagfoundry_airflow.proofs import Proofs, proof_key
from dagfoundry_airflow.publish import Pace, Publisher
from dagfoundry_airflow.shape import UNKNOWN

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.database import Server

    from dagfoundry.store import RowState, Store

_PACE = Pace(trials=600.0)


class BenchFoundry:
    """A foundry whose entries are streams.

    Args:
        store: An empty store.
        folder: Where models are written.
        entries: Number of streams.
        buckets: Number of bundle files.
        name: Name of the foundry.
    """

    def __init__(
        self, store: Store, folder: Path, entries: int, buckets: int, *, name: str = "Bench"
    ) -> None:
        self.name = name
        self.store = store
        self.entries = entries
        self.buckets = buckets
        self._folder = folder

    @property
    def url(self) -> str:
        """The store's URL."""
        return self.store.url.render_as_string(hide_password=False)

    def merge(self, *, changed: int = 0) -> int:
        """Merge the model and return the revision.

        Args:
            changed: How many of the streams have another schedule; one more than last
                time changes one entry.
        """
        file = self._folder / f"{self.name}.yaml"
        options = {"foundry": self.name, "buckets": self.buckets}
        model = load(write_model(file, self.entries, changed=changed, **options))
        origin = Origin(author="benchmark", message="", source=Source.MERGE)
        done = merge(self.store, model, load_plugins(), origin=origin, guards=Guards())
        return int(done.head.revision)

    def announce(self) -> None:
        """Tell Airflow of the head, as the commands that write do.

        The connection ``dagfoundry_airflow`` of this process's environment says where it is.

        Raises:
            RuntimeError: Somebody was not told, so the figures would be those of no poke.
        """
        head = self.store.head(self.name)
        if warnings := list(announce(self.store, head, since=head.revision - 1)):
            raise RuntimeError("; ".join(warnings))

    def rows(self) -> list[RowState]:
        """Return all rows as of the head, those of the factory and infrastructure included."""
        head = self.store.head(self.name)
        return list(self.store.rows_at(self.name, head.revision))

    def dag_id(self, number: int) -> str:
        """Return the DAG id of a stream."""
        return f"live__Store{number:05d}_ingestion"

    def bucket(self, dag_id: str) -> int:
        """Return the bucket of a DAG."""
        return bucket_of(dag_id, self.buckets)

    def prove_all(self, home: Path) -> None:
        """Note all rows as proved, so that a publish is not held up by trial builds.

        Only for figures in which trial builds have no part.
        """
        home.mkdir(parents=True, exist_ok=True)
        held = installed_versions()
        proved = {proof_key(row, held): UNKNOWN for row in self.rows()}
        Proofs(home / "proofs.txt").add(proved)

    def publish(self, home: Path) -> Path:
        """Publish the head into a bundle's home and return the folder of its files."""
        self.prove_all(home)
        publisher = Publisher(self.name, home, self.store, pace=_PACE)
        try:
            publisher.refresh()
        finally:
            publisher.close()
        return publisher.folder


def new_foundry(server: Server, folder: Path, entries: int, buckets: int) -> BenchFoundry:
    """Return a foundry that is not merged yet, in a store of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    return BenchFoundry(server.new_store(), folder, entries, buckets)
