"""How far the DAGs of a revision are on their way into Airflow's list."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import NotReadyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dagfoundry.factories import Status

_NAMED: Final = 10
"""How many DAGs an error names before it only counts them."""


class DagState(str, Enum):
    """Where a DAG's newest row has got to, in this order; the last two end a way."""

    STORED = "stored"
    """The row is in the store; no DAG processor has proved it."""
    PROVED = "proved"
    """A recorded version serves it, or leaves it out; Airflow shows an older state."""
    PARSED = "parsed"
    """Airflow's DAG shows that revision."""
    SCHEDULABLE = "schedulable"
    """Airflow lists it, its file has no import error, and its row is active."""
    REMOVED = "removed"
    """It was to go and Airflow lists it no more."""
    BROKEN = "broken"
    """It cannot be built; Airflow keeps its last good definition or a placeholder, if it can."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedDag:
    """One DAG that a revision changed.

    Attributes:
        dag_id: DAG id.
        status: What its row asks for.
        revision: Revision of that row.
        state: How far it is.
        is_ready: Whether there is nothing left to wait for.
        next_run: When Airflow starts its next run, as ISO 8601 text; None without one.
        note: What else a person should know, in a few words.
        report: What is wrong with it, when it is broken.
    """

    dag_id: str
    status: Status
    revision: int
    state: DagState
    is_ready: bool = False
    next_run: str | None = None
    note: str = ""
    report: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Readiness:
    """How far Airflow is with a revision.

    Attributes:
        foundry: Name of the foundry.
        revision: The revision.
        since: The revision that it is compared with.
        published: The newest revision that a DAG processor has taken in; 0 for none.
        dags: The DAGs that changed since, sorted by DAG id.
    """

    foundry: str
    revision: int
    since: int
    published: int
    dags: tuple[ServedDag, ...]

    @property
    def is_ready(self) -> bool:
        """Whether Airflow serves all of it."""
        return self.published >= self.revision and all(dag.is_ready for dag in self.dags)

    @property
    def is_decided(self) -> bool:
        """Whether waiting any longer is of no use: ready, or broken and the rest is proved."""
        return self.is_ready or (bool(self.broken) and not self._has(DagState.STORED))

    @property
    def broken(self) -> tuple[ServedDag, ...]:
        """The DAGs that cannot be built."""
        return tuple(dag for dag in self.dags if dag.state is DagState.BROKEN)

    @property
    def lagging(self) -> tuple[ServedDag, ...]:
        """The DAGs that are still to be waited for."""
        return tuple(d for d in self.dags if not d.is_ready and d.state is not DagState.BROKEN)

    @property
    def counts(self) -> Mapping[DagState, int]:
        """How many DAGs are in each state."""
        return Counter(dag.state for dag in self.dags)

    def __str__(self) -> str:
        """Return it in one line, such as ``Shop revision 8: 3 of 5 DAGs ready (2 proved)``."""
        left = Counter(dag.state for dag in self.dags if not dag.is_ready)
        parts = ", ".join(f"{left[state]} {state.value}" for state in DagState if left[state])
        ready = sum(dag.is_ready for dag in self.dags)
        text = f"{self.foundry} revision {self.revision}: {ready} of {len(self.dags)} DAGs ready"
        return f"{text} ({parts})" if parts else text

    def _has(self, state: DagState) -> bool:
        return any(dag.state is state for dag in self.dags)


def not_ready(readiness: Readiness, *, timeout_seconds: float) -> NotReadyError:
    """Return the error for a revision that Airflow does not serve.

    Args:
        readiness: How far it got.
        timeout_seconds: How long was waited at most.
    """
    what = f"revision {readiness.revision} of foundry {readiness.foundry!r}"
    if readiness.broken:
        return _broken(what, readiness.broken)
    lagging = readiness.lagging
    named = _named(f"{dag.dag_id} ({_where(dag)})" for dag in lagging)
    behind = named or f"revision {readiness.published} is the last that is published"
    msg = f"{what} is not served after {timeout_seconds:g} s: {behind}"
    return NotReadyError(msg, remedy=_remedy(readiness))


def _broken(what: str, broken: tuple[ServedDag, ...]) -> NotReadyError:
    reports = "\n".join(dag.report for dag in broken[:_NAMED])
    count = "1 DAG is" if len(broken) == 1 else f"{len(broken)} DAGs are"
    msg = f"{what} is not served: {count} broken\n{reports}"
    return NotReadyError(msg, remedy="Mend what the report names; until then waiting is of no use.")


def _named(texts: Iterable[str]) -> str:
    every = list(texts)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(every[:_NAMED]) + more


def _where(dag: ServedDag) -> str:
    return f"{dag.state.value}, {dag.note}" if dag.note else dag.state.value


def _remedy(readiness: Readiness) -> str:
    """Say what to look at, by the states of what lags."""
    states = {dag.state for dag in readiness.lagging}
    advice = []
    if DagState.STORED in states or not states:
        advice.append(
            f"The last published revision is {readiness.published}: check that a DAG processor"
            " runs, that it uses this store, and its log."
        )
    if DagState.PROVED in states:
        advice.append("What is proved waits for a parse: check the DAG processor's load and log.")
    if DagState.PARSED in states:
        advice.append("What is parsed but not ready: look at Airflow's import errors.")
    return " ".join(advice)
