"""Building rows in fresh processes that differ in all that a DAG must not depend on.

What a DAG is, only its host can say: a distribution offers a function under the
entry-point group ``dagfoundry.testing`` that takes a row and the installed plugins and
returns a :class:`SerializedDag`. Core itself never imports Airflow.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import CheckImpossibleError
from dagfoundry.testing.processes import ask_process

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState

TESTING_GROUP: Final = "dagfoundry.testing"
"""Entry-point group: a host's name, to a function of a row and the installed plugins."""

_MODULE: Final = "dagfoundry.testing.build_child"
_LATER_SECONDS: Final = 400 * 24 * 3600 + 5 * 3600 + 17 * 60 + 11
"""How far ahead the clock of a process is set: no part of a date or time stays the same."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SerializedDag:
    """A DAG as its host stores it.

    Attributes:
        hash: What decides whether the host stores a new version of the DAG.
        content: The JSON values that the hash is made of.
    """

    hash: str
    content: Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Build:
    """What one process made of one row.

    Attributes:
        process: Number of the process, from 1.
        first: The DAG.
        second: The DAG, built once more in the same process.
    """

    process: int
    first: SerializedDag
    second: SerializedDag


def build_everywhere(rows: Sequence[RowState], processes: int) -> list[list[Build]]:
    """Build rows in several fresh processes, twice in each.

    Each process has its own PYTHONHASHSEED and working directory; every second one
    believes that it runs a year later.

    Args:
        rows: What to build.
        processes: How many processes; they run at once.

    Returns:
        For each row what each process made of it.

    Raises:
        CheckImpossibleError: Something is not installed, or a row cannot be built.
    """
    require_host()
    with ThreadPoolExecutor(processes) as pool:
        answers = list(pool.map(lambda n: _build(rows, n), range(1, processes + 1)))
    return [list(builds) for builds in zip(*answers, strict=True)]


def require_host() -> None:
    """Refuse to go on where nothing can build a DAG.

    Raises:
        CheckImpossibleError: No distribution offers a host.
    """
    if not entry_points(group=TESTING_GROUP):
        msg = "DAGs cannot be built: dagfoundry-airflow is not installed in this environment"
        raise CheckImpossibleError(msg, remedy="Run `pip install dagfoundry-airflow`.")


def load_host() -> Callable[[RowState, Plugins], SerializedDag]:
    """Return the function that builds a row; it imports the host, so call it in a child."""
    (host, *_) = entry_points(group=TESTING_GROUP)
    serialize: Callable[[RowState, Plugins], SerializedDag] = host.load()
    return serialize


def _build(rows: Sequence[RowState], process: int) -> list[Build]:
    request = {
        "rows": [row.to_json() for row in rows],
        "later_seconds": _LATER_SECONDS if process % 2 == 0 else 0,
    }
    built = ask_process(_MODULE, request, task="builds DAGs", hash_seed=process)
    return [_read(process, *row) for row in built]


def _read(process: int, first: dict[str, Any], second: dict[str, Any]) -> Build:
    return Build(process=process, first=SerializedDag(**first), second=SerializedDag(**second))
