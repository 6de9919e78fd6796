"""Checks of how soon Airflow drops a DAG that is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, advice, good, problem
from dagfoundry_airflow.doctor.options import EVERY_AIRFLOW, Option, parsing
from dagfoundry_airflow.doctor.recommended import CLEANUP_INTERVAL, STALE_THRESHOLD

if TYPE_CHECKING:
    from dagfoundry.doctor import Diagnosis, Subject

_CLEANUP: Final = Option(section="scheduler", name="parsing_cleanup_interval")
_SHORTEST: Final = 5
_LONGEST: Final = 300


def _stale_threshold(_subject: Subject) -> Diagnosis:
    option = parsing("stale_dag_threshold")
    seconds, setting = option.number(), option.to(STALE_THRESHOLD)
    if seconds < _SHORTEST:
        remedy = "Raise it: a DAG whose parse ends a little after its neighbour's would vanish."
        return problem(f"{seconds:g} s", remedy, setting)
    if seconds > _LONGEST:
        return advice(f"{seconds:g} s", "Lower it: so long a removed DAG stays listed.", setting)
    return good(f"{seconds:g} s")


def _cleanup_interval(_subject: Subject) -> Diagnosis:
    seconds, setting = _CLEANUP.number(), _CLEANUP.to(CLEANUP_INTERVAL)
    if seconds > _LONGEST:
        return advice(f"{seconds:g} s", "Lower it: so long a removed DAG stays listed.", setting)
    return good(f"{seconds:g} s")


REMOVAL_CHECKS: Final = (
    Check(
        id="removal.stale-threshold",
        looks_at="`stale_dag_threshold` of `[dag_processor]`, of `[scheduler]` in 2.x",
        why="Airflow believes for so long in a DAG that its file no longer holds.",
        remedy=f"Keep Airflow's default of {STALE_THRESHOLD} seconds.",
        airflow=EVERY_AIRFLOW,
        examine=_stale_threshold,
    ),
    Check(
        id="removal.cleanup-interval",
        looks_at=f"`{_CLEANUP}`",
        why="So often Airflow looks for DAGs that are gone.",
        remedy=f"Keep Airflow's default of {CLEANUP_INTERVAL} seconds.",
        airflow=EVERY_AIRFLOW,
        examine=_cleanup_interval,
    ),
)
