"""What a check is, what it is given and what it says."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.errors import FoundryError
    from dagfoundry.store import Head, RowState, Store, VersionRecord


class Verdict(str, Enum):
    """What a check thinks of what it found; only a problem fails the command."""

    OK = "ok"
    ADVICE = "advice"
    PROBLEM = "problem"


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A value to set.

    Attributes:
        variable: The environment variable.
        value: What to set it to; none where only the reader can know.
        option: The same setting in a configuration file, such as ``[core] option``.
    """

    variable: str
    value: str | None = None
    option: str = ""

    def __str__(self) -> str:
        """Return the assignment, and where it stands in a configuration file."""
        assignment = f"{self.variable}={self.value if self.value is not None else '...'}"
        return f"{assignment} ({self.option})" if self.option else assignment


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """What a check found.

    Attributes:
        verdict: What it thinks of it.
        found: The value found, in a few words.
        remedy: What to do, in one sentence; empty when nothing is to be done.
        settings: What to set, exactly.
    """

    verdict: Verdict
    found: str
    remedy: str = ""
    settings: tuple[Setting, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Fleet:
    """What a foundry wants to have served.

    Attributes:
        head: Where the foundry stands.
        rows: Every row as of the head, of any status.
        version: The newest version that a DAG processor recorded, if any.
    """

    head: Head
    rows: tuple[RowState, ...]
    version: VersionRecord | None

    @property
    def dags(self) -> int:
        """Number of DAGs that Airflow is to see."""
        return sum(row.status.in_bucket for row in self.rows)


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Subject:
    """What is examined.

    Attributes:
        foundry: Name of the foundry; none when the store does not say and nobody named it.
        store: The store; none when the environment names none that could be used.
        fleet: What is to be served; none when the store could not be read.
        trouble: Why there is no fleet.
    """

    foundry: str | None
    store: Store | None = None
    fleet: Fleet | None = None
    trouble: FoundryError | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing to look at.

    Attributes:
        id: Its name, ``area.what``; keeps its meaning.
        looks_at: What it looks at.
        why: Why that matters.
        remedy: What to do when it is wrong, whatever was found.
        airflow: The Airflow versions it holds for; none for one without Airflow.
        examine: Looks; whatever it raises makes it a failed check of its own.
    """

    id: str
    looks_at: str
    why: str
    remedy: str
    airflow: tuple[str, ...] = ()
    examine: Callable[[Subject], Diagnosis] = field(repr=False)

    @property
    def area(self) -> str:
        """What it belongs to."""
        return self.id.partition(".")[0]


def good(found: str) -> Diagnosis:
    """Return the diagnosis of a value that is as it should be."""
    return Diagnosis(verdict=Verdict.OK, found=found)


def advice(found: str, remedy: str, *settings: Setting) -> Diagnosis:
    """Return the diagnosis of a value that works and could be better."""
    return Diagnosis(verdict=Verdict.ADVICE, found=found, remedy=remedy, settings=settings)


def problem(found: str, remedy: str, *settings: Setting) -> Diagnosis:
    """Return the diagnosis of a value that has to change."""
    return Diagnosis(verdict=Verdict.PROBLEM, found=found, remedy=remedy, settings=settings)
