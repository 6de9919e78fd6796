"""Prometheus metrics: what is counted, where the numbers live, how they are scraped.

:mod:`.declared` holds every metric, :mod:`.slots` keeps the numbers of processes that
live for a second, :mod:`.exposition` hands them to Prometheus.
"""

from dagfoundry.metrics.declared import (
    dag_failed,
    dag_retired,
    dags_built,
    dags_created,
    dags_held_back,
    factory_reported,
    head_seen,
    placeholders_served,
    plugin_failed,
    plugins_seen,
    refreshed,
    revision_applied,
    revision_served,
    snapshot_confirmed,
    store_failed,
    stream_seen,
)
from dagfoundry.metrics.exposition import render, serve

__all__ = [
    "dag_failed",
    "dag_retired",
    "dags_built",
    "dags_created",
    "dags_held_back",
    "factory_reported",
    "head_seen",
    "placeholders_served",
    "plugin_failed",
    "plugins_seen",
    "refreshed",
    "render",
    "revision_applied",
    "revision_served",
    "serve",
    "snapshot_confirmed",
    "store_failed",
    "stream_seen",
]
