"""The process that builds rows for trial, so that their errors stay away from Airflow.

It is a fresh interpreter without the metadata database: third-party builders run here
before they run in the DAG processor. Requests and answers are lines of JSON on the
standard streams. A build that takes too long ends the process; where it hung is written
to the pipe named on the command line, as are fatal signals.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import select
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from dagfoundry import metrics, observers
from dagfoundry.logs import get_logger
from dagfoundry.observations import FailedDag, observed_dag

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dagfoundry.plugins import Plugins
    from dagfoundry.store import RowState

IDLE_EXIT: Final = 77
"""Exit code of a process that had nothing to do for too long."""

_PARENT_CHECK_SECONDS: Final = 5.0
_READ_BYTES: Final = 1 << 16
_SAMPLE_SECONDS: Final = 1.0
"""A build that takes longer is not repeated: both must end before the row's deadline."""

_log = get_logger(__name__)


def main() -> int:
    """Answer requests until the parent ends, or nothing is asked for too long."""
    arguments = _arguments()
    requests, answers = _take_streams()
    return serve(
        requests=requests,
        answers=answers,
        trace=arguments.trace,
        start=arguments.start,
        deadline=arguments.deadline,
        idle=arguments.idle,
    )


def serve(
    *, requests: int, answers: int, trace: int, start: float, deadline: float, idle: float
) -> int:
    """Answer requests until the parent ends, or nothing is asked for too long.

    Args:
        requests: Descriptor to read them from.
        answers: Descriptor to write to.
        trace: Descriptor for tracebacks.
        start: Seconds to load Airflow and the plugins.
        deadline: Seconds for one build.
        idle: Seconds without a request.

    Returns:
        The exit code.
    """
    faulthandler.enable(trace, all_threads=False)
    faulthandler.dump_traceback_later(start, exit=True, file=trace)
    plugins = _prepare()
    metrics.plugins_seen(plugins.works())
    faulthandler.cancel_dump_traceback_later()
    _send(answers, {"ready": True})
    sampled: set[str] = set()
    for request in _requests(requests, idle):
        faulthandler.dump_traceback_later(deadline, exit=True, file=trace)
        answer = _answer(request["row"], plugins, sampled)
        faulthandler.cancel_dump_traceback_later()
        _send(answers, {"key": request["key"], **answer})
    return IDLE_EXIT


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trace", type=int, required=True, help="pipe for tracebacks")
    parser.add_argument("--start", type=float, required=True, help="seconds to come up")
    parser.add_argument("--deadline", type=float, required=True, help="seconds per build")
    parser.add_argument("--idle", type=float, required=True, help="seconds without a request")
    return parser.parse_args()


def _take_streams() -> tuple[int, int]:
    """Keep the standard streams for ourselves: what a builder prints must be no answer."""
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, answers


def _prepare() -> Plugins:
    from dagfoundry.plugins import load_plugins
    from dagfoundry_airflow import _compat, build, shape  # noqa: F401 - Airflow is loaded before the first deadline

    return load_plugins()


def _requests(descriptor: int, idle_seconds: float) -> Iterator[dict[str, Any]]:
    """Yield requests; end when there were none for long, or the parent is gone."""
    parent, buffer, until = os.getppid(), b"", time.monotonic() + idle_seconds
    pause = min(idle_seconds, _PARENT_CHECK_SECONDS)
    while os.getppid() == parent and time.monotonic() < until:
        if not select.select([descriptor], [], [], pause)[0]:
            continue
        chunk = os.read(descriptor, _READ_BYTES)
        if not chunk:
            return
        *lines, buffer = (buffer + chunk).split(b"\n")
        yield from map(json.loads, lines)
        until = time.monotonic() + idle_seconds


def _answer(row: dict[str, Any], plugins: Plugins, sampled: set[str]) -> dict[str, Any]:
    from dagfoundry.store import RowState
    from dagfoundry_airflow import build
    from dagfoundry_airflow._compat import check_dag
    from dagfoundry_airflow.problem import problem
    from dagfoundry_airflow.shape import shape_of

    state, started = RowState.from_json(row), time.monotonic()
    try:
        dag = build.build_dag(state, plugins)
        first, shape = check_dag(dag), shape_of(dag, state, plugins)
        is_quick = time.monotonic() - started < _SAMPLE_SECONDS
        if is_quick and state.factory_type not in sampled:
            sampled.add(state.factory_type)
            _compare(state, first, check_dag(build.build_dag(state, plugins)))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a builder raises is the row's verdict
        what, remedy = problem(state, error)
        _tell_of_failure(state, plugins, f"{what}\n  {remedy}")
        return {"what": what, "remedy": remedy}
    return {"shape": shape.to_json()}


def _tell_of_failure(row: RowState, plugins: Plugins, error: str) -> None:
    if row.key:
        failure = FailedDag(dag=observed_dag(row), error=error)
        observers.tell(plugins, "dagfoundry_dag_failed", failure=failure)


def _compare(row: RowState, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Warn of a factory type whose DAGs would make Airflow store version after version.

    One row of a type is built twice, for what is looked for lies in the code, not in the
    row. What differs only between processes is left to the type's own tests.
    """
    if json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True):
        return
    from dagfoundry.testing.difference import first_difference

    _log.warning(
        "two builds of the same row differ, so each parse makes a DAG version",
        dag_id=row.dag_id,
        factory_type=row.factory_type,
        difference=str(first_difference(first.get("dag"), second.get("dag"))),
    )


def _send(descriptor: int, answer: dict[str, Any]) -> None:
    line = json.dumps(answer).encode() + b"\n"
    while line:
        line = line[os.write(descriptor, line) :]


if __name__ == "__main__":
    sys.exit(main())
