"""Prometheus metrics: what is counted, where the numbers live, how they are scraped.

:mod:`.declared` holds every metric, :mod:`.slots` keeps the numbers of processes that
live for a second, :mod:`.exposition` hands them to Prometheus.
"""

from dagfoundry.metrics.declared import (
    dags_built,
    dags_created,
    dags_held_back,
    factory_reported,
    head_seen,
    placeholders_served,
    refreshed,
    revision_served,
    snapshot_confirmed,
    store_failed,
    stream_seen,
)
from dagfoundry.metrics.exposition import render, serve

__all__ = [
    "dags_built",
    "dags_created",
    "dags_held_back",
    "factory_reported",
    "head_seen",
    "placeholders_served",
    "refreshed",
    "render",
    "revision_served",
    "serve",
    "snapshot_confirmed",
    "store_failed",
    "stream_seen",
]
