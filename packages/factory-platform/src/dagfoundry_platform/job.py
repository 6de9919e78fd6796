"""The job of a stream's DAG, as its task starts it.

python -m dagfoundry_platform.job snapshot-merge
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from dagfoundry import JobResult, run_job
from dagfoundry.errors import JobFailedError
from dagfoundry_platform.ingest import ingest_stream
from dagfoundry_platform.spec import StreamSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

_OPERATION: Final = "snapshot-merge"


def main(arguments: list[str]) -> int:
    """Run the job that the one argument names and return the process's exit code."""
    return run_job(lambda spec: _run(arguments, spec))


def _run(arguments: list[str], spec: Mapping[str, Any]) -> JobResult:
    if arguments != [_OPERATION]:
        msg = f"there is no job {' '.join(arguments)!r}"
        raise JobFailedError(msg, remedy=f"Name {_OPERATION}.")
    return ingest_stream(_read(spec))


def _read(spec: Mapping[str, Any]) -> StreamSpec:
    try:
        return StreamSpec.model_validate(spec)
    except ValidationError as error:
        msg = f"the job's spec is not a stream's: {error}"
        raise JobFailedError(msg, remedy="Merge the model again with this version.") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
