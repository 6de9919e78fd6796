"""Checks of the snapshot on this host's disk."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, advice, good, problem
from dagfoundry.settings import ALLOW_DROP_VARIABLE, MAX_SNAPSHOT_AGE_VARIABLE, read_settings
from dagfoundry_airflow.dag_folder import checksums_on_disk
from dagfoundry_airflow.doctor.options import EVERY_AIRFLOW
from dagfoundry_airflow.doctor.place import place_of
from dagfoundry_airflow.notice import HELD_BACK, note_on, shown_files
from dagfoundry_airflow.publish import CURRENT
from dagfoundry_airflow.snapshot_age import confirmed_at
from dagfoundry_airflow.state import StateFile

if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry.doctor import Diagnosis, Subject
    from dagfoundry_airflow.state import State

_ATTEMPTS: Final = 3
_PAUSE_SECONDS: Final = 1.0
_SHOWN: Final = 5
_PARSER: Final = "Normal on a host without a DAG processor; else start it and see its log."


def _fresh(subject: Subject) -> Diagnosis:
    place = place_of(subject)
    if place is None or place.state is None:
        where = f" in {place.home}" if place else ""
        return advice(f"no snapshot{where}", _PARSER)
    state, written = place.state, (place.home / "state.json").stat().st_mtime
    confirmed = confirmed_at(place.home) or written
    found = (
        f"version {state.version}, written {_told(time.time() - written)} ago, "
        f"confirmed by the store {_told(time.time() - confirmed)} ago"
    )
    if time.time() - confirmed > read_settings().max_snapshot_age:
        return problem(found, f"{_PARSER} {MAX_SNAPSHOT_AGE_VARIABLE} is the limit of its age.")
    if subject.fleet is None:
        return good(f"{found}; the store does not say whether it is the newest")
    newest = subject.fleet.head.revision
    if state.revision == newest:
        return good(found)
    return advice(f"{found}; the newest revision is {newest}", _PARSER)


def _told(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 0):.0f} seconds"


def _intact(subject: Subject) -> Diagnosis:
    place = place_of(subject)
    if place is None or place.state is None:
        return advice("not looked at: there is no snapshot", "See snapshot.fresh.")
    wrong = _wrong_files(place.home)
    if wrong:
        remedy = f"Restart the DAG processor, or empty {place.home / CURRENT}: it is made again."
        return problem(", ".join(wrong[:_SHOWN]), remedy)
    return good(f"{len(place.state.files)} files, each as it was written")


def _held_back(subject: Subject) -> Diagnosis:
    place = place_of(subject)
    if place is None or place.state is None:
        return advice("not looked at: there is no snapshot", "See snapshot.fresh.")
    note = note_on(place.home, HELD_BACK)
    if note is None:
        return good("no refresh is held back")
    return problem(f"a refresh that would take {note.count} DAGs out of Airflow", note.report)


def _wrong_files(home: Path) -> list[str]:
    """Compare again after a moment, since a publish may be under way."""
    wrong: list[str] = []
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE_SECONDS)
        state = StateFile(home / "state.json").read()
        wrong = _compare(home, state) if state else ["state.json is damaged"]
        if not wrong:
            break
    return wrong


def _compare(home: Path, state: State) -> list[str]:
    try:
        found = checksums_on_disk(home / CURRENT)
    except OSError as error:
        return [f"{error.filename} cannot be read: {error.strerror}"]
    for name in shown_files(home, state.foundry):
        found.pop(name, None)
    missing = [f"{name} is missing" for name in sorted(state.files.keys() - found.keys())]
    surplus = [f"{name} is too many" for name in sorted(found.keys() - state.files.keys())]
    changed = [
        f"{name} was changed"
        for name in sorted(found.keys() & state.files.keys())
        if found[name] != state.files[name]
    ]
    return missing + surplus + changed


SNAPSHOT_CHECKS: Final = (
    Check(
        id="snapshot.fresh",
        looks_at="the snapshot's version and age, and the newest revision of the store",
        why="A snapshot that stays behind means that nothing on this host follows the store.",
        remedy="Start the DAG processor (on Airflow 2 the scheduler) and see its log.",
        airflow=EVERY_AIRFLOW,
        examine=_fresh,
    ),
    Check(
        id="snapshot.intact",
        looks_at="the checksum of every file of the snapshot",
        why="Airflow parses what stands there, whoever wrote it.",
        remedy="Restart the DAG processor, which makes wrong files again.",
        airflow=EVERY_AIRFLOW,
        examine=_intact,
    ),
    Check(
        id="snapshot.held-back",
        looks_at="whether the snapshot refuses to follow a store that has lost DAGs",
        why="Until that is settled, nothing that is merged arrives in Airflow.",
        remedy=f"Restore the store's history, merge the model, or set {ALLOW_DROP_VARIABLE}.",
        airflow=EVERY_AIRFLOW,
        examine=_held_back,
    ),
)
