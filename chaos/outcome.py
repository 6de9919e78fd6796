"""What became of a fault, as a record and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from chaos.runs import Account
    from chaos.watcher import Sample


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one fault on one Airflow.

    Attributes:
        fault: Its name.
        airflow: Version of Airflow.
        showed: What Airflow showed meanwhile.
        dags: The lowest number of DAGs that it listed.
        of: The number of DAGs that it had to list.
        demanded: Number of runs that schedules demanded.
        lost: Runs of those that there are not, or that failed.
        twice: Runs that there are twice, or that were carried out twice.
        seconds: Seconds from the end of the fault until a change made then was served and
            all was well; None when that never was.
        problems: Promises that were broken.
    """

    fault: str
    airflow: str
    showed: str
    dags: int
    of: int
    demanded: int
    lost: int
    twice: int
    seconds: float | None
    problems: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the record that is kept beside the page."""
        seconds = None if self.seconds is None else round(self.seconds, 1)
        return asdict(self) | {"seconds": seconds, "problems": list(self.problems)}


def fewest(samples: Iterable[Sample], expected: frozenset[str]) -> int:
    """Return the lowest number of the expected DAGs that Airflow listed."""
    return min((len(s.dags & expected) for s in samples if s.dags is not None), default=0)


def showed(samples: Sequence[Sample], expected: frozenset[str], restarts: Sequence[str]) -> str:
    """Return in words what Airflow showed."""
    return "; ".join(_words(samples, expected, restarts))


def _words(
    samples: Sequence[Sample], expected: frozenset[str], restarts: Sequence[str]
) -> Iterator[str]:
    lowest = fewest(samples, expected)
    gone = {dag_id for s in samples if s.dags is not None for dag_id in expected - s.dags}
    named = f", without {', '.join(sorted(gone)[:3])}" if gone else ""
    yield f"{lowest} of {len(expected)} DAGs{named}" if gone else "all DAGs"
    if blocked := max((len(sample.blocked) for sample in samples), default=0):
        yield f"up to {blocked} DAGs not scheduled for {_seconds(samples, 'blocked')} s"
    errors = {file for sample in samples for file in sample.errors or ()}
    if errors:
        yield f"{len(errors)} import errors for {_seconds(samples, 'errors')} s"
    else:
        yield "no import error"
    if silent := [sample for sample in samples if sample.listed is None]:
        yield f"no answer of its API {_span(samples, silent)} s"
    for name, number in Counter(restarts).items():
        yield f"{name} ended and was started again" + (f" {number} times" if number > 1 else "")


def _seconds(samples: Sequence[Sample], what: str) -> str:
    return _span(samples, [sample for sample in samples if getattr(sample, what)])


def _span(samples: Sequence[Sample], chosen: Sequence[Sample]) -> str:
    """Return for how many seconds samples were like those that are chosen."""
    moments = [sample.at for sample in samples]
    gaps = {before: after - before for before, after in pairwise(moments)}
    return f"{sum(gaps.get(sample.at, 0.0) for sample in chosen):.0f}"


def broken(
    runs: Account, *, lowest: int, expected: int, seconds: float | None, may_miss: bool
) -> Iterator[str]:
    """Yield each promise that was broken; ``may_miss`` says that runs need not be."""
    if lowest < expected:
        yield f"{expected - lowest} DAGs were lost"
    if seconds is None:
        yield "Airflow did not recover"
    named = {
        "not made": () if may_miss else runs.missing,
        "failed": () if may_miss else runs.failed,
        "not finished": runs.unfinished,
        "made or carried out twice": runs.twice,
    }
    for what, names in named.items():
        if names:
            yield f"{len(names)} runs {what}: {', '.join(names[:5])}"
