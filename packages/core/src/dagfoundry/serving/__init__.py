"""Those who serve a foundry's DAGs: told of new revisions, and asked how far they are.

A distribution offers a :class:`DagServer` under the entry-point group ``dagfoundry.serving``.
Core itself never imports Airflow.
"""

from __future__ import annotations

from dagfoundry.serving.readiness import DagState, Readiness, ServedDag, not_ready
from dagfoundry.serving.servers import DagServer, Watch, announce, dag_servers
from dagfoundry.serving.wait import wait_until_ready

__all__ = [
    "DagServer",
    "DagState",
    "Readiness",
    "ServedDag",
    "Watch",
    "announce",
    "dag_servers",
    "not_ready",
    "wait_until_ready",
]
