"""Checks of Airflow's time limits against what the biggest file really takes here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, Verdict, advice, good, problem
from dagfoundry_airflow.doctor.options import EVERY_AIRFLOW, Option, parsing
from dagfoundry_airflow.doctor.recommended import IMPORT_TIMEOUT, PROCESSOR_TIMEOUT
from dagfoundry_airflow.doctor.timing import timing_of

if TYPE_CHECKING:
    from dagfoundry.doctor import Diagnosis, Subject
    from dagfoundry_airflow.doctor.timing import Timing

_ROOM: Final = 3.0
"""A busy machine takes some times as long as an idle one."""

_NARROW: Final = 1.5
_TRIAL_SECONDS_2: Final = 15.0
"""So long a parse on Airflow 2 may wait for trial builds (``airflow2.py``)."""

_IMPORT: Final = Option(section="core", name="dagbag_import_timeout")
_NOT_MEASURED: Final = "not measured: neither a snapshot nor the store could be read"


def _import_timeout(subject: Subject) -> Diagnosis:
    limit = _effective_import_timeout()
    timing = timing_of(subject)
    if timing is None:
        return advice(f"{limit:g} s; {_NOT_MEASURED}", "See store.reachable.")
    if limit <= 0:
        return advice("no limit", "Set one: a builder that hangs ends nothing.", _IMPORT.to(30))
    return _judge(
        _Limit(option=_IMPORT, seconds=limit, least=IMPORT_TIMEOUT), timing, timing.import_seconds
    )


def _effective_import_timeout() -> float:
    """Return the limit for a file of ours; local settings may have a say."""
    from airflow.settings import get_dagbag_import_timeout

    return float(get_dagbag_import_timeout("dagfoundry_sample_00.py"))


def _processor_timeout(subject: Subject) -> Diagnosis:
    option = parsing("dag_file_processor_timeout")
    limit, importing = option.number(), _effective_import_timeout()
    timing = timing_of(subject)
    if timing is None:
        return advice(f"{limit:g} s; {_NOT_MEASURED}", "See store.reachable.")
    allowed = _Limit(option=option, seconds=limit, least=PROCESSOR_TIMEOUT)
    diagnosis = _judge(allowed, timing, timing.whole_seconds)
    if diagnosis.verdict is Verdict.OK and 0 < limit <= importing:
        remedy = f"Keep it above {_IMPORT}, or a slow file is killed and shows no error."
        return advice(
            f"{limit:g} s, not above the import's {importing:g} s",
            remedy,
            option.to(round(importing + PROCESSOR_TIMEOUT - IMPORT_TIMEOUT)),
        )
    return diagnosis


@dataclass(frozen=True, kw_only=True, slots=True)
class _Limit:
    """A time limit of Airflow: the option, its value and the least to set, in seconds."""

    option: Option
    seconds: float
    least: int


def _judge(limit: _Limit, timing: Timing, taken: float) -> Diagnosis:
    waiting = _waiting()
    file = timing.file
    found = (
        f"{limit.seconds:g} s; {file.name} of {file.source} with {timing.dags} DAGs"
        f" took {taken:.2f} s here"
    )
    setting = limit.option.to(_rounded(max(limit.least, _ROOM * taken + waiting)))
    if limit.seconds < _NARROW * taken:
        return problem(found, "Raise it: the file will be cut off.", setting)
    if limit.seconds < _ROOM * taken + waiting:
        return advice(found, "Raise it: a busy machine takes some times as long.", setting)
    return good(found)


def _rounded(seconds: float) -> int:
    return math.ceil(seconds / 10) * 10


def _waiting() -> float:
    from dagfoundry_airflow._compat import AIRFLOW_2

    return _TRIAL_SECONDS_2 if AIRFLOW_2 else 0.0


TIMEOUT_CHECKS: Final = (
    Check(
        id="parsing.import-timeout",
        looks_at=f"`{_IMPORT}`, and how long the biggest file takes to build here",
        why="A file that takes longer shows an import error instead of its DAGs.",
        remedy=f"Allow {_ROOM:g} times what was measured, and {IMPORT_TIMEOUT} s at least.",
        airflow=EVERY_AIRFLOW,
        examine=_import_timeout,
    ),
    Check(
        id="parsing.processor-timeout",
        looks_at="`dag_file_processor_timeout` of `[dag_processor]`, of `[core]` in 2.x, and how "
        "long the biggest file takes to build and serialise here",
        why="A parse that takes longer is killed; on Airflow 3 no DAG and no error shows.",
        remedy=f"Allow {_ROOM:g} times what was measured, and {PROCESSOR_TIMEOUT} s at least.",
        airflow=EVERY_AIRFLOW,
        examine=_processor_timeout,
    ),
)
