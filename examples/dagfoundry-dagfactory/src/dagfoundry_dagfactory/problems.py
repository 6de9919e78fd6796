"""What is wrong with a DAG, and how it is told."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    Path = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong with a DAG.

    Attributes:
        path: Where, as keys from the DAG inwards.
        what: The problem in one clause.
        remedy: What to do, in one sentence.
    """

    path: Path
    what: str
    remedy: str


def unknown(path: Path, kind: str, name: str, known: Iterable[str]) -> Problem:
    """Return that a DAG has no task or group of this name."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(names) or "none"
    return Problem(path=path, what=f"unknown {kind} {name!r}", remedy=f"{hint}There is: {listed}.")


def not_allowed(
    path: Path, what: str, *, known: Iterable[str], group: str, failures: Iterable[str]
) -> Problem:
    """Return that this installation does not allow something, and what it does."""
    short = sorted(name for name in known if not name.startswith("airflow."))
    failed = "".join(f" Failed to load: {failure}" for failure in failures)
    return Problem(
        path=path,
        what=f"{what} is not allowed in this installation",
        remedy=(
            f"Allowed: {', '.join(short) or 'none'}. The platform's owner allows more by "
            f"installing a distribution that offers it in entry-point group {group!r}.{failed}"
        ),
    )
