"""What one run of a factory DAG leaves to the next: a small text kept in Airflow.

It is kept there because that is what it is about: which DAGs are paused, and by whom.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def memory_key(factory_dag_id: str) -> str:
    """Return the name of the Variable that holds a factory DAG's memory."""
    return f"dagfoundry_reconciled_{factory_dag_id}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Memory:
    """What the last run left.

    Attributes:
        revision: Revision up to which the factory is reconciled.
        paused: DAG ids that DAG Foundry paused, and no person.
    """

    revision: int = 0
    paused: frozenset[str] = field(default_factory=frozenset)

    def adopt(self, dag_ids: Iterable[str]) -> Memory:
        """Return a memory in which these DAGs were paused by us."""
        return replace(self, paused=self.paused | frozenset(dag_ids))

    def forget(self, dag_ids: Iterable[str]) -> Memory:
        """Return a memory in which we have nothing to do with these DAGs' pause."""
        return replace(self, paused=self.paused - frozenset(dag_ids))

    def to_text(self) -> str:
        """Return the memory as JSON."""
        return json.dumps({"revision": self.revision, "paused": sorted(self.paused)})

    @classmethod
    def from_text(cls, text: str | None) -> Memory:
        """Return what :meth:`to_text` wrote; an empty memory for None."""
        values = json.loads(text) if text else {}
        return cls(revision=values.get("revision", 0), paused=frozenset(values.get("paused", ())))
