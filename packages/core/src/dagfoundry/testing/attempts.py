"""Building rows of which some cannot be built, one by one in a process of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry.testing.builds import require_host
from dagfoundry.testing.processes import ask_process

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry.store.records import RowState

_MODULE: Final = "dagfoundry.testing.attempt_child"


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What became of one row.

    Attributes:
        error: Why it cannot be built; empty when it was.
        fault: Name of the exception, where that is one that says nothing to a user, such
            as a KeyError, or that of another DAG than the row's.
        cpu_ms: CPU time in milliseconds of a build, the median of several.
    """

    error: str = ""
    fault: str = ""
    cpu_ms: float = 0.0


def attempt_builds(rows: Sequence[RowState], *, timed: int = 0) -> list[Attempt]:
    """Build and serialise rows in one fresh process, and go on after each that fails.

    Args:
        rows: What to build.
        timed: How often each row that can be built is built again for its CPU time.

    Raises:
        CheckImpossibleError: Nothing can be built, or a row ended the process.
    """
    require_host()
    question = {"rows": [row.to_json() for row in rows], "timed": timed}
    answers = ask_process(_MODULE, question, task="builds DAGs")
    return [Attempt(**answer) for answer in answers]
