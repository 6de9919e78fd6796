"""Checks of the store: can it be read, is it of this release, is it served."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final

from dagfoundry.connections import shown_url
from dagfoundry.doctor.records import Check, advice, good, problem
from dagfoundry.errors import (
    FoundryMissingError,
    SchemaMismatchError,
    SettingInvalidError,
    StoreUnavailableError,
)
from dagfoundry.settings import STORE_URL_VARIABLE
from dagfoundry.store.schema_version import require_current

if TYPE_CHECKING:
    from dagfoundry.doctor.records import Diagnosis, Fleet, Subject

_SHOWN: Final = 5
_PUBLISH_SECONDS: Final = 120
"""How long a DAG processor may take to publish a revision before that is a problem."""


def _unread() -> Diagnosis:
    return advice("not looked at: the foundry cannot be read", "See store.foundry.")


def _reachable(subject: Subject) -> Diagnosis:
    if isinstance(subject.trouble, (StoreUnavailableError, SettingInvalidError)):
        return problem(subject.trouble.what, subject.trouble.remedy)
    where = shown_url(subject.store.url) if subject.store else "the store"
    return good(f"{where} answers")


def _schema(subject: Subject) -> Diagnosis:
    if subject.store is None:
        return _unread()
    try:
        versions = subject.store.schema_versions()
        require_current(versions)
    except StoreUnavailableError:
        return _unread()
    except SchemaMismatchError as error:
        return problem(error.what, error.remedy)
    if not versions:
        return problem("the store has no tables", "Create them with `dagfoundry merge MODEL`.")
    return good(", ".join(f"{each.scope.name} at {each.migration}" for each in versions))


def _foundry(subject: Subject) -> Diagnosis:
    if isinstance(subject.trouble, FoundryMissingError):
        return problem(subject.trouble.what, subject.trouble.remedy)
    fleet = subject.fleet
    if fleet is None:
        return advice("not looked at: the store cannot be read", "See store.reachable.")
    head = fleet.head
    return good(
        f"{head.foundry}: {fleet.dags} DAGs at revision {head.revision} in {head.buckets} buckets"
    )


def _history(subject: Subject) -> Diagnosis:
    fleet = subject.fleet
    if fleet is None or subject.store is None:
        return _unread()
    lost = sorted(subject.store.unrecorded(fleet.head.foundry))
    if lost:
        named = ", ".join(lost[:_SHOWN])
        found = f"history knows nothing of {len(lost)} DAGs that were in it, such as {named}"
        return problem(found, "Restore the tables of the foundry's changes and revisions.")
    return good("every DAG that the store ever had is in its history")


def _published(subject: Subject) -> Diagnosis:
    fleet = subject.fleet
    if fleet is None:
        return _unread()
    start = "Start Airflow's DAG processor with the foundry, and see its log."
    if fleet.version is None:
        return advice(f"no version of revision {fleet.head.revision} or any other", start)
    behind = fleet.head.revision - fleet.version.revision
    found = f"version {fleet.version.version} of revision {fleet.version.revision}"
    if behind <= 0:
        return good(found)
    found += f", the newest is {fleet.head.revision}"
    return problem(found, start) if _is_late(subject, fleet) else advice(found, "Look again soon.")


def _is_late(subject: Subject, fleet: Fleet) -> bool:
    """Return whether the first unpublished revision has waited for too long."""
    if subject.store is None or fleet.version is None:
        return False
    first = subject.store.revision(fleet.head.foundry, fleet.version.revision + 1)
    if first is None:
        return True
    made = first.created_at
    made = made if made.tzinfo else made.replace(tzinfo=timezone.utc)
    return datetime.now(timezone.utc) - made > timedelta(seconds=_PUBLISH_SECONDS)


def _broken(subject: Subject) -> Diagnosis:
    if subject.fleet is None:
        return _unread()
    version = subject.fleet.version
    if version is None:
        return good("no version is published yet")
    errors = {dag_id: report.splitlines()[0] for dag_id, report in version.errors.items()}
    if errors:
        shown = [f"{dag_id}: {line}" for dag_id, line in sorted(errors.items())[:_SHOWN]]
        more = [f"and {len(errors) - _SHOWN} more"] if len(errors) > _SHOWN else []
        remedy = "Mend the model or the plugin; Airflow's import errors hold the whole reports."
        return problem("; ".join([*shown, *more]), remedy)
    waiting = [dag_id for dag_id in version.held if dag_id not in version.errors]
    if waiting:
        return advice(f"{len(waiting)} DAGs wait for their trial build", "Look again soon.")
    return good(f"every DAG of version {version.version} is served as it stands in the store")


STORE_CHECKS: Final = (
    Check(
        id="store.reachable",
        looks_at=f"{STORE_URL_VARIABLE}, and whether the database answers",
        why="Without the store Airflow goes on with what is on its disk, and no change arrives.",
        remedy=f"Correct {STORE_URL_VARIABLE}, start the database, grant the role its rights.",
        examine=_reachable,
    ),
    Check(
        id="store.schema",
        looks_at="the migrations of the store's tables",
        why="Tables of another release are not written, and may be read wrongly.",
        remedy="Run `dagfoundry db upgrade`, or install the release that migrated them.",
        examine=_schema,
    ),
    Check(
        id="store.foundry",
        looks_at="the foundry that is named, or the only one of the store",
        why="A bundle or a loader of a foundry that is not there shows no DAG.",
        remedy="Merge the model, or name the right foundry with `--foundry`.",
        examine=_foundry,
    ),
    Check(
        id="store.history",
        looks_at="the store's list of DAG ids, and the tables of changes and revisions",
        why="A DAG that history has lost cannot be made again: not on a fresh disk, nor for a run.",
        remedy="Restore the tables from a backup.",
        examine=_history,
    ),
    Check(
        id="store.published",
        looks_at="the newest version that a DAG processor recorded, and the newest revision",
        why="A revision that no DAG processor publishes is seen by nobody.",
        remedy="Start the DAG processor with this store, and see its log.",
        examine=_published,
    ),
    Check(
        id="store.broken",
        looks_at="the entries that the newest version holds at an older revision",
        why="Their newest definition does not run; the last good one does, if there was one.",
        remedy="Mend the model or the plugin, and merge.",
        examine=_broken,
    ),
)
