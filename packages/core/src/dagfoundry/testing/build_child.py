"""The process that builds rows twice and says what they became.

It reads a request from its standard input and writes the answer to the file that its
argument names; what a builder prints goes where the parent sees it.
"""

from __future__ import annotations

import json
import sys
from contextlib import nullcontext
from dataclasses import asdict
from datetime import datetime, timedelta, timezone
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagfoundry.errors import CheckImpossibleError, FoundryError
from dagfoundry.plugins import load_plugins
from dagfoundry.store.records import RowState
from dagfoundry.testing.builds import TESTING_GROUP

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def main() -> None:
    """Answer one request."""
    request = json.load(sys.stdin)
    try:
        answer = _answer(request)
    except FoundryError as error:
        answer = {"what": error.what, "remedy": error.remedy}
    Path(sys.argv[1]).write_text(json.dumps(answer), encoding="utf-8")


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    (host, *_) = entry_points(group=TESTING_GROUP)
    serialize = host.load()
    rows = [RowState.from_json(row) for row in request["rows"]]
    with _later(request["later_seconds"]):
        plugins = load_plugins()
        rounds = [[asdict(serialize(row, plugins)) for row in rows] for _ in range(2)]
    return {"rows": list(zip(*rounds, strict=True))}


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
    main()
