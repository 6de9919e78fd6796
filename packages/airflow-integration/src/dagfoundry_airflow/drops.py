"""Whether a step takes DAGs out of Airflow that no revision removed.

Every revision passed a guard when it was written: a merge and a rollback those of
``--allow-prune``, hand edits that of ``drift --record``, and the lifecycle only ends what
one of these began. So a DAG whose row left in a revision may leave Airflow. One that is
gone without is a loss of the store's: it was restored from a backup, emptied or torn.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from dagfoundry.settings import DEFAULT_MAX_DROP
from dagfoundry.store import RowKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dagfoundry.settings import Settings
    from dagfoundry.store import RowState

FEWEST: Final = 2
"""Number of lost DAGs below which neither the share nor the factory matters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DropLimit:
    """How many DAGs may leave Airflow although no revision removed them.

    Attributes:
        share: Share of a foundry's DAGs, from 0 to 1.
        allowed: Foundries and revisions, ``<foundry>@<revision>``, with which any may.
    """

    share: float = DEFAULT_MAX_DROP
    allowed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> DropLimit:
        """Return the limit that the environment sets."""
        return cls(share=settings.max_drop, allowed=settings.allow_drop)

    def allows(self, foundry: str, revision: int) -> bool:
        """Return whether somebody said that a foundry may lose DAGs at this revision."""
        wanted = allowance(foundry, revision).lower()
        return any(wanted == allowed.lower() for allowed in self.allowed)


def allowance(foundry: str, revision: int) -> str:
    """Return the text that allows what is held back."""
    return f"{foundry}@{revision}"


class ServedDag(NamedTuple):
    """A DAG that Airflow has.

    Attributes:
        dag_id: DAG id.
        factory: The factory of an entry's DAG, as a person is told; empty for other DAGs.
        revision: Revision of the row that is served.
    """

    dag_id: str
    factory: str
    revision: int

    @classmethod
    def of(cls, row: RowState) -> ServedDag:
        """Return the DAG of a row."""
        factory = f"factory {row.factory_type!r} of platform {row.platform_name!r}"
        return cls(row.dag_id, factory if row.kind is RowKind.ENTRY else "", row.revision)


@dataclass(frozen=True, kw_only=True, slots=True)
class FactoryLoss:
    """What happens to the DAGs of one factory; its name is empty for other DAGs.

    Attributes:
        factory: The factory.
        had: How many DAGs are served.
        lost: How many of them would go without a revision that removed them.
        left: How many would stay.
    """

    factory: str
    had: int
    lost: int
    left: int

    @property
    def is_emptied(self) -> bool:
        """Whether a factory would be left without any of its entries."""
        return bool(self.factory) and self.left == 0 and self.lost >= FEWEST


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """The DAGs that would go without a revision that removed them.

    Attributes:
        dag_ids: They.
        had: How many DAGs are served.
        factories: What happens to each factory, by its name.
    """

    dag_ids: frozenset[str]
    had: int
    factories: tuple[FactoryLoss, ...]

    def exceeds(self, share: float) -> bool:
        """Return whether so many may not go unasked.

        Args:
            share: Share of all DAGs, from 0 to 1.
        """
        if len(self.dag_ids) < FEWEST:
            return False
        return len(self.dag_ids) > share * self.had or any(f.is_emptied for f in self.factories)


def find_loss(
    served: Iterable[ServedDag], dropped: Collection[str], newest: Mapping[str, RowState]
) -> Loss:
    """Return which DAGs would go without a revision that removed them.

    Args:
        served: All DAGs that Airflow has.
        dropped: Those that would go.
        newest: DAG id to the newest row in the store's history, of any status.
    """
    served = tuple(served)
    lost = [
        dag
        for dag in served
        if dag.dag_id in dropped and not _was_removed(dag, newest.get(dag.dag_id))
    ]
    return Loss(
        dag_ids=frozenset(dag.dag_id for dag in lost),
        had=len(served),
        factories=tuple(_by_factory(served, dropped, lost)),
    )


def _was_removed(dag: ServedDag, newest: RowState | None) -> bool:
    """Return whether a revision later than what is served removed the DAG.

    An earlier one removed it before it came back: it shows in a store that was restored.
    """
    return newest is not None and not newest.status.in_bucket and newest.revision > dag.revision


def _by_factory(
    served: Iterable[ServedDag], dropped: Collection[str], lost: Iterable[ServedDag]
) -> Iterable[FactoryLoss]:
    had = Counter(dag.factory for dag in served)
    left = Counter(dag.factory for dag in served if dag.dag_id not in dropped)
    missing = Counter(dag.factory for dag in lost)
    for factory in sorted(had):
        yield FactoryLoss(
            factory=factory, had=had[factory], lost=missing[factory], left=left[factory]
        )
