"""Every metric of DAG Foundry, and the one function that counts each.

The label ``factory_type`` is the type of an entry DAG, ``factory`` for a factory DAG and
``infrastructure`` for the infrastructure DAG.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.metrics.instruments import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DAGS_CREATED: Final = Counter(
    name="dagfoundry_dags_created",
    help="DAGs that appeared for the first time.",
    labels=("factory_type",),
)
_DAG_BUILDS: Final = Counter(
    name="dagfoundry_dag_builds",
    help="Builds of a DAG from its row, by outcome.",
    labels=("factory_type", "outcome"),
)
_DAG_BUILD_SECONDS: Final = Histogram(
    name="dagfoundry_dag_build_seconds",
    help="Seconds that building one DAG took.",
    labels=("factory_type",),
    bounds=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0),
)
_REFRESH_SECONDS: Final = Histogram(
    name="dagfoundry_refresh_seconds",
    help="Seconds that one refresh of the bundle took.",
    labels=("foundry",),
    bounds=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
_STORE_ERRORS: Final = Counter(
    name="dagfoundry_store_errors",
    help="Refreshes that could not read the store.",
    labels=("foundry",),
)
_HEAD_REVISION: Final = Gauge(
    name="dagfoundry_head_revision",
    help="Newest revision that the store was seen to hold.",
    labels=("foundry",),
)
_SERVED_REVISION: Final = Gauge(
    name="dagfoundry_served_revision",
    help="Revision that the bundle serves.",
    labels=("foundry",),
)
_SNAPSHOT_CONFIRMED: Final = Gauge(
    name="dagfoundry_snapshot_confirmed_timestamp_seconds",
    help="When the store last said what it holds, in seconds since the epoch.",
    labels=("foundry",),
)
_DAGS_HELD_BACK: Final = Gauge(
    name="dagfoundry_dags_held_back",
    help="DAGs that stay although the store has lost them; 0 where a refresh is not held back.",
    labels=("foundry",),
)
_FACTORY_DAGS: Final = Gauge(
    name="dagfoundry_factory_dags",
    help="DAGs in the last report of a factory DAG, by what it says of them.",
    labels=("foundry", "factory", "said"),
)
_PLACEHOLDERS: Final = Gauge(
    name="dagfoundry_placeholders",
    help="DAGs for which a placeholder stands, since their plugin is missing or broken.",
    labels=("foundry",),
)
_REVISIONS_APPLIED: Final = Counter(
    name="dagfoundry_revisions_applied",
    help="Revisions that were written, by what made them.",
    labels=("foundry", "source"),
)
_DAG_FAILURES: Final = Counter(
    name="dagfoundry_dag_failures",
    help="Trial builds of changed rows that failed.",
    labels=("factory_type",),
)
_DAGS_RETIRED: Final = Counter(
    name="dagfoundry_dags_retired",
    help="Entries whose DAGs ran out and left Airflow.",
    labels=("factory_type",),
)
_PLUGIN_UP: Final = Gauge(
    name="dagfoundry_plugin_up",
    help="1 where a distribution's plugins work, 0 where one is broken.",
    labels=("distribution",),
)
_PLUGIN_ERRORS: Final = Counter(
    name="dagfoundry_plugin_errors",
    help="Observers among the plugins that raised or took too long.",
    labels=("distribution", "version"),
)
_STREAM_ROWS: Final = Gauge(
    name="dagfoundry_stream_rows",
    help="Rows that a stream's last successful batch read.",
    labels=("platform", "stream"),
)
_STREAM_LAG: Final = Gauge(
    name="dagfoundry_stream_lag_seconds",
    help="Seconds from a stream's last success to the time at which it was looked at.",
    labels=("platform", "stream"),
)
_STREAM_SUCCESS: Final = Gauge(
    name="dagfoundry_stream_last_success_timestamp_seconds",
    help="When a stream's last successful batch ended, in seconds since the epoch.",
    labels=("platform", "stream"),
)


def dags_created(factory_type: str, n: int = 1) -> None:
    """Count DAGs that appear for the first time."""
    _DAGS_CREATED.add(factory_type, amount=n)


def dags_built(factory_type: str, outcome: str, seconds: Sequence[float]) -> None:
    """Count builds of DAGs, those of a file at once.

    Args:
        factory_type: See the module.
        outcome: ``ok``, ``placeholder`` or ``failed``.
        seconds: How long each took.
    """
    _DAG_BUILDS.add(factory_type, outcome, amount=len(seconds))
    _DAG_BUILD_SECONDS.observe(factory_type, seconds=seconds)


def refreshed(foundry: str, seconds: float) -> None:
    """Count one refresh of a bundle."""
    _REFRESH_SECONDS.observe(foundry, seconds=[seconds])


def store_failed(foundry: str) -> None:
    """Count a refresh that could not read the store."""
    _STORE_ERRORS.add(foundry)


def head_seen(foundry: str, revision: int) -> None:
    """Show the newest revision that the store holds."""
    _HEAD_REVISION.set(foundry, value=revision)


def revision_served(foundry: str, revision: int) -> None:
    """Show the revision that a bundle serves."""
    _SERVED_REVISION.set(foundry, value=revision)


def snapshot_confirmed(foundry: str, moment: float) -> None:
    """Show when the store last said what it holds, in seconds since the epoch."""
    _SNAPSHOT_CONFIRMED.set(foundry, value=moment)


def dags_held_back(foundry: str, count: int) -> None:
    """Show how many DAGs stay although the store has lost them."""
    _DAGS_HELD_BACK.set(foundry, value=count)


def factory_reported(foundry: str, factory: str, counts: Mapping[str, int]) -> None:
    """Show how many DAGs a factory DAG's report names, by what it says of them."""
    for said, number in counts.items():
        _FACTORY_DAGS.set(foundry, factory, said, value=number)


def placeholders_served(foundry: str, count: int) -> None:
    """Show for how many DAGs a placeholder stands."""
    _PLACEHOLDERS.set(foundry, value=count)


def revision_applied(foundry: str, source: str) -> None:
    """Count a revision that was written."""
    _REVISIONS_APPLIED.add(foundry, source)


def dag_failed(factory_type: str) -> None:
    """Count a trial build that failed."""
    _DAG_FAILURES.add(factory_type)


def dag_retired(factory_type: str) -> None:
    """Count an entry that was retired."""
    _DAGS_RETIRED.add(factory_type)


def plugins_seen(works: Mapping[str, bool]) -> None:
    """Show which distributions' plugins work."""
    for distribution, is_up in works.items():
        _PLUGIN_UP.set(distribution, value=float(is_up))


def plugin_failed(distribution: str, version: str) -> None:
    """Count an observer that failed."""
    _PLUGIN_ERRORS.add(distribution, version)


def stream_seen(
    platform: str, stream: str, *, rows: int, lag_seconds: float, last_success: float
) -> None:
    """Show how a stream does.

    Args:
        platform: Name of the platform.
        stream: Key of the stream in the batch tables.
        rows: Rows that its last successful batch read.
        lag_seconds: Seconds since that batch ended.
        last_success: When it ended, in seconds since the epoch.
    """
    _STREAM_ROWS.set(platform, stream, value=rows)
    _STREAM_LAG.set(platform, stream, value=lag_seconds)
    _STREAM_SUCCESS.set(platform, stream, value=last_success)
