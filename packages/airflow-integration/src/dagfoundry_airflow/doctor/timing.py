"""Measures how long the biggest file takes to parse on this machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import BuildFailedError
from dagfoundry_airflow.doctor.fleet import parsed_fleet
from dagfoundry_airflow.trial_start import child_environment

if TYPE_CHECKING:
    from dagfoundry.doctor import Subject
    from dagfoundry_airflow.doctor.fleet import ParsedFile

_MODULE: Final = "dagfoundry_airflow.doctor.timing_child"
_LONGEST_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Timing:
    """How long a file took, in seconds, with Airflow already imported.

    Attributes:
        file: The file.
        dags: Number of DAGs that could be built.
        import_seconds: To load the plugins and build the DAGs; what
            ``dagbag_import_timeout`` limits.
        whole_seconds: The same, and to check and serialise them; what
            ``dag_file_processor_timeout`` limits.
    """

    file: ParsedFile
    dags: int
    import_seconds: float
    whole_seconds: float


@cache
def timing_of(subject: Subject) -> Timing | None:
    """Build the biggest file of the fleet in a process of its own; None when there is none.

    Raises:
        BuildFailedError: The process failed, or took longer than five minutes.
    """
    fleet = parsed_fleet(subject)
    if fleet is None:
        return None
    values = _measure(fleet.biggest)
    return Timing(
        file=fleet.biggest,
        dags=int(values["dags"]),
        import_seconds=values["import_seconds"],
        whole_seconds=values["whole_seconds"],
    )


def _measure(file: ParsedFile) -> dict[str, float]:
    what = f"{file.name} with its {len(file.rows)} DAGs"
    try:
        done = subprocess.run(
            [sys.executable, "-m", _MODULE],
            input=json.dumps({"rows": file.rows}),
            env=child_environment(os.environ),
            timeout=_LONGEST_SECONDS,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
    except subprocess.TimeoutExpired:
        msg = f"{what} was not built within {_LONGEST_SECONDS:g} s"
        raise BuildFailedError(msg, remedy="Look for a builder that waits.") from None
    if done.returncode:
        remedy = "Build its DAGs one by one, to see which it is."
        msg = f"{what} could not be built: {_reason(done.returncode, done.stderr)}"
        raise BuildFailedError(msg, remedy=remedy)
    values: dict[str, float] = json.loads(done.stdout)
    return values


def _reason(code: int, stderr: str) -> str:
    """Return why a process failed; what it wrote last may be no more than a warning."""
    if "Traceback (most recent call last)" in stderr:
        return stderr.strip().splitlines()[-1]
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
