"""Warns of factory types whose DAGs take long to build: Airflow waits for them at each parse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry import hookimpl
from dagfoundry.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dagfoundry import BuiltDag

SLOW_SECONDS: Final = 1.0
"""A build is slow from here on; one of four tasks takes about a millisecond."""

_log = get_logger(__name__)


@hookimpl
def dagfoundry_dags_built(dags: Sequence[BuiltDag]) -> None:
    """Log the slowest DAG of a file, if it is slow."""
    slowest = max(dags, key=lambda built: built.seconds)
    if slowest.seconds >= SLOW_SECONDS:
        _log.warning(
            "a DAG takes long to build, in every parse and at each start of its tasks",
            dag_id=slowest.dag.dag_id,
            factory_type=slowest.dag.factory_type,
            seconds=round(slowest.seconds, 2),
        )
