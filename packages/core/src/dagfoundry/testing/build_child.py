"""The process that builds rows twice and says what they became."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from dagfoundry.errors import CheckImpossibleError
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowState
from dagfoundry.testing.builds import load_host
from dagfoundry.testing.processes import answer_parent

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def _answer(request: dict[str, Any]) -> list[Any]:
    serialize = load_host()
    rows = [RowState.from_json(row) for row in request["rows"]]
    with _later(request["later_seconds"]):
        plugins = load_plugins()
        rounds = [[asdict(serialize(row, plugins)) for row in rows] for _ in range(2)]
    return list(zip(*rounds, strict=True))


def _later(seconds: float) -> AbstractContextManager[object]:
    if not seconds:
        return nullcontext()
    try:
        import time_machine
    except ImportError:
        msg = "the clock cannot be set: time-machine is not installed in this environment"
        raise CheckImpossibleError(msg, remedy="Run `pip install 'dagfoundry[testing]'`.") from None
    return time_machine.travel(datetime.now(timezone.utc) + timedelta(seconds=seconds))


if __name__ == "__main__":
    answer_parent(_answer)
