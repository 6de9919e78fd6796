"""The jobs of a transformer's DAG, as a task starts them.

python -m dagfoundry_datatransformer.job run-datatransformer
python -m dagfoundry_datatransformer.job ingest-output
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from dagfoundry import JobResult, run_job
from dagfoundry.errors import JobFailedError
from dagfoundry_datatransformer.spec import TransformerSpec
from dagfoundry_datatransformer.transform.run import ingest_output, run_transformer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_JOBS: Final[Mapping[str, Callable[[TransformerSpec], JobResult]]] = {
    "run-datatransformer": run_transformer,
    "ingest-output": ingest_output,
}


def main(arguments: list[str]) -> int:
    """Run the job that the one argument names and return the process's exit code."""
    return run_job(lambda spec: _job(arguments)(_read(spec)))


def _job(arguments: list[str]) -> Callable[[TransformerSpec], JobResult]:
    try:
        (name,) = arguments
        return _JOBS[name]
    except (KeyError, ValueError):
        msg = f"there is no job {' '.join(arguments)!r}"
        raise JobFailedError(msg, remedy=f"Name one of {', '.join(_JOBS)}.") from None


def _read(spec: Mapping[str, Any]) -> TransformerSpec:
    try:
        return TransformerSpec.model_validate(spec)
    except ValidationError as error:
        msg = f"the job's spec is not a transformer's: {error}"
        raise JobFailedError(msg, remedy="Merge the model again with this version.") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
