"""A process that has imported everything and forks a child for each merge it is asked for.

Each line on stdin is JSON: ``url``, ``model`` (a file), and for a child that is to be
killed ``at`` (the number of a step) and ``when``: ``before``, ``after``, or ``during`` with
a number of seconds. The steps are the statements of all connections, and the commits. The
answer is a line of JSON: ``signal``, or what the child wrote.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from conftest import GREETING_TYPE, installed
from sqlalchemy import event

from dagfoundry.connections import parse_url
from dagfoundry.errors import FoundryError
from dagfoundry.merge import Guards, merge
from dagfoundry.model import load_model
from dagfoundry.store import Source, open_store
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from dagfoundry.store import Store

PLUGINS = installed(GREETING_TYPE)


class Killer:
    """Ends this process before, during or after its n-th step."""

    def __init__(self, at: int, when: str) -> None:
        self.steps = 0
        self.commits: list[int] = []
        self._at = at
        self._when = when

    def before(self, *_: object) -> None:
        """Count a step, and end before it if it is the one."""
        self.steps += 1
        if (self.steps, self._when) == (self._at, "before"):
            _die()

    def after(self, *_: object) -> None:
        """End after the step if it is the one."""
        if (self.steps, self._when) == (self._at, "after"):
            _die()

    def watch(self, store: Store) -> None:
        """Listen to a store's statements and commits."""
        event.listen(store.engine, "before_cursor_execute", self.before)
        event.listen(store.engine, "after_cursor_execute", self.after)
        commit = store.engine.dialect.do_commit

        def committing(connection: Any) -> None:  # noqa: ANN401 - a DBAPI connection
            self.before()
            self.commits.append(self.steps)
            if self.steps == self._at and self._when.startswith("during"):
                delay = float(self._when.removeprefix("during "))
                threading.Thread(target=_die_soon, args=(delay,)).start()
            commit(connection)
            self.after()

        store.engine.dialect.do_commit = committing  # type: ignore[method-assign]


def _die_soon(seconds: float) -> None:
    time.sleep(seconds)
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Merge, and return what became of it."""
    store = open_store(parse_url(request["url"], "the request"), timeout_seconds=60)
    killer = Killer(request.get("at", 0), request.get("when", ""))
    killer.watch(store)
    try:
        model = load_model([Path(request["model"])], PLUGINS)
        origin = Origin(author="Ada", message=request["model"], source=Source.MERGE)
        guards = Guards(allow_prune=True)
        done = merge(store, model, PLUGINS, origin=origin, guards=guards)
    except FoundryError as error:
        return {"error": str(error)}
    return {
        "revision": done.head.revision,
        "changes": len(done.plan.changes),
        "steps": killer.steps,
        "commits": killer.commits,
    }


def in_child(request: dict[str, Any]) -> dict[str, Any]:
    """Run a request in a child process of its own."""
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writable, json.dumps(run(request)).encode())
        os._exit(0)
    os.close(writable)
    with os.fdopen(readable) as answer:
        text = answer.read()
    _, status = os.waitpid(child, 0)
    return json.loads(text) if text else {"signal": os.WTERMSIG(status), "status": status}


if __name__ == "__main__":
    print("ready", flush=True)  # noqa: T201 - the answer to whoever started it
    for line in sys.stdin:
        print(json.dumps(in_child(json.loads(line))), flush=True)  # noqa: T201 - see above
