"""The contract between a task and the job it starts.

A job is a command line. The runner names two files in the environment: the job reads
what to do from ``DAGFOUNDRY_JOB_SPEC`` (JSON) and writes its result to
``DAGFOUNDRY_JOB_RESULT`` (JSON). The branch task reads that result, never a log file
(defects D12 to D14). The last line of the output, ``DATASURFACE_RESULT_CODE=n``, is
kept for those who parse it. A job that fails exits with 1 and writes no result.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import FoundryError, JobFailedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SPEC_VARIABLE: Final = "DAGFOUNDRY_JOB_SPEC"
RESULT_VARIABLE: Final = "DAGFOUNDRY_JOB_RESULT"


class JobStatus(str, Enum):
    """What a job says about the work that is left."""

    DONE = "DONE"
    KEEP_WORKING = "KEEP_WORKING"


_RESULT_CODES: Final = {JobStatus.DONE: 0, JobStatus.KEEP_WORKING: 1}
_FAILED_CODE: Final = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class JobResult:
    """What a job did.

    Attributes:
        status: Whether the DAG is done or is to run again at once.
        rows_inserted: Rows new in the merge store.
        rows_updated: Rows that changed there.
        rows_deleted: Rows that went away there.
        rows_total: Rows read from the source.
    """

    status: JobStatus = JobStatus.DONE
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_deleted: int = 0
    rows_total: int = 0


def run_job(work: Callable[[Mapping[str, Any]], JobResult]) -> int:
    """Run ``work`` under the contract above and return the process's exit code.

    Args:
        work: Takes the spec, does the job and returns its result. A
            :class:`~dagfoundry.errors.FoundryError` is printed as one clear error;
            anything else shows its traceback.
    """
    try:
        result = work(_read_spec())
    except FoundryError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201 - the job's output is its log
        print(f"DATASURFACE_RESULT_CODE={_FAILED_CODE}")  # noqa: T201 - part of the contract
        return 1
    write_result(result)
    print(f"DATASURFACE_RESULT_CODE={_RESULT_CODES[result.status]}")  # noqa: T201 - part of the contract
    return 0


def write_result(result: JobResult) -> None:
    """Write a result where the runner asked for it; do nothing when no runner did."""
    target = os.environ.get(RESULT_VARIABLE)
    if target:
        Path(target).write_text(json.dumps(asdict(result)), encoding="utf-8")


def _read_spec() -> Mapping[str, Any]:
    source = os.environ.get(SPEC_VARIABLE)
    if not source:
        msg = f"environment variable {SPEC_VARIABLE} is not set"
        raise JobFailedError(msg, remedy="Start the job through a task, or name its spec file.")
    spec = json.loads(Path(source).read_text(encoding="utf-8"))
    if not isinstance(spec, dict):
        msg = f"{source} holds no JSON object"
        raise JobFailedError(msg, remedy="Write the spec as `dagfoundry render` prints it.")
    return spec
