"""Airflow is told that a revision was written, so that it parses the changed files now."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Final

from dagfoundry.names import infrastructure_dag_id
from dagfoundry_airflow.airflow_api import AirflowAccessError
from dagfoundry_airflow.airflow_rest import AirflowRest
from dagfoundry_airflow.login import configured_login
from dagfoundry_airflow.rest_session import Patience

if TYPE_CHECKING:
    from collections.abc import Collection

    from dagfoundry.store import Head, RowState, Store
    from dagfoundry_airflow.airflow_api import AirflowApi, AirflowDag

_FILES: Final = 16
"""How many changed files are asked for; Airflow finds the others by itself."""

_FEW_FILES: Final = 5
_NAMES: Final = 3
"""So many DAGs are tried as the name of each of a few files: one may never have been good."""

_PATIENCE: Final = Patience(answer=5.0, connect=2.0, pauses=(), total=10.0)


def announce(store: Store, head: Head, since: int) -> None:
    """Ask Airflow to take in what a write changed, if its connection is in the environment.

    No other connection is looked at: that would take Airflow's metadata database, which a
    machine that merges need not have, and importing Airflow takes seconds.

    Args:
        store: The store.
        head: Where the foundry stands now.
        since: The revision before; 0 before the first, of which Airflow cannot know yet.

    Raises:
        AirflowAccessError: Airflow cannot be asked, or lists no DAG of the foundry.
        StoreUnavailableError: The store cannot be read.
    """
    login = configured_login()
    if login is None:
        return
    with closing(AirflowRest(login, _PATIENCE)) as api:
        rows = store.changes(head.foundry, after=since, until=head.revision)
        if not ask_to_parse(store, api, head, rows) and since:
            msg = f"Airflow at {login.where} lists no DAG of foundry {head.foundry!r}"
            remedy = "See that its DAG processor runs and serves the foundry."
            raise AirflowAccessError(msg, remedy=remedy)


def ask_to_parse(
    store: Store, api: AirflowApi, head: Head, rows: Collection[RowState]
) -> tuple[AirflowDag, ...]:
    """Ask for the files of changed rows; in Airflow 3 the bundle is refreshed before.

    A file is named by any DAG of it that Airflow knows. When it knows none, in Airflow 3
    that of the infrastructure DAG does: any file of a bundle brings the refresh. Airflow 2
    is asked for nothing else, since of two loader files that are parsed at once only one
    renews the snapshot, and the other may serve the old one.

    Args:
        store: The store.
        api: Airflow.
        head: Where the foundry stands.
        rows: The changed rows.

    Returns:
        The DAGs whose files were asked for; none when Airflow knows none.

    Raises:
        AirflowAccessError: Airflow cannot be asked.
        StoreUnavailableError: The store cannot be read.
    """
    buckets = sorted({row.bucket for row in rows})[:_FILES]
    each = 1 if len(buckets) > _FEW_FILES else _NAMES
    named = [dag_id for bucket in buckets for dag_id in _eldest(store, head, bucket, each)]
    known = api.dags(named)
    if not known:
        known = api.dags([infrastructure_dag_id(head.foundry)])
    one_per_file = {dag.file: dag for dag in known.values()}
    for dag in one_per_file.values():
        api.request_parse(dag)
    return tuple(one_per_file.values())


def _eldest(store: Store, head: Head, bucket: int, count: int) -> list[str]:
    """Return the DAG ids in a bucket that Airflow has most likely seen."""
    rows = store.rows_at(head.foundry, head.revision, bucket=bucket)
    living = [row for row in rows if row.status.in_bucket]
    return [row.dag_id for row in sorted(living, key=lambda row: row.revision)[:count]]
