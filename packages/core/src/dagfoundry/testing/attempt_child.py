"""The process that builds rows one by one and says what is wrong with each."""

from __future__ import annotations

import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import BuildFailedError, FoundryError, WrongDagError
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowState
from dagfoundry.testing.builds import load_host
from dagfoundry.testing.processes import answer_parent

if TYPE_CHECKING:
    from collections.abc import Callable

_FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    SystemExit,
    TypeError,
    WrongDagError,
)
"""What a builder must not end with: it says nothing to whoever wrote the row."""


def _answer(question: dict[str, Any]) -> list[dict[str, Any]]:
    serialize, plugins = load_host(), load_plugins()
    rows = [RowState.from_json(row) for row in question["rows"]]
    return [_attempt(partial(serialize, row, plugins), question["timed"]) for row in rows]


def _attempt(build: Callable[[], object], timed: int) -> dict[str, Any]:
    try:
        build()
    except FoundryError as error:
        return {"error": str(error), "fault": _fault(error)}
    return {"cpu_ms": median(_cpu_ms(build) for _ in range(timed)) if timed else 0.0}


def _fault(error: BaseException) -> str:
    """Return the name of what the host's error was made of, if that is a fault."""
    while isinstance(error, BuildFailedError) and error.__cause__ is not None:
        error = error.__cause__
    return type(error).__name__ if isinstance(error, _FAULTS) else ""


def _cpu_ms(build: Callable[[], object]) -> float:
    before = time.process_time()
    build()
    return (time.process_time() - before) * 1000


if __name__ == "__main__":
    answer_parent(_answer)
