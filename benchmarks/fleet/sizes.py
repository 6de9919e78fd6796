"""How much is measured: all of it, or as much as fits into some minutes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

_MANY: Final = 10_000
_MOST_LARGE_BUILDS: Final = 3

BUCKET_COUNTS: Final = (16, 32, 64, 128, 256)
"""Numbers of buckets that are compared; 256 is the most that there may be."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured.

    Attributes:
        entries: The foundries' numbers of entries for what runs in this process.
        live_entries: The same for what needs a DAG processor.
        repeats: How often a build is repeated.
        starts: How many task starts are timed.
        passes: How many first passes are made of each contender.
        idle_seconds: For how long an unchanged fleet is watched.
        rival_seconds: For how long the one file for all is watched.
        changes: How many changes are timed.
        bucket_entries: The foundries' numbers of entries for the number of buckets.
        bucket_counts: The numbers of buckets that each of them is divided into.
        dag_factory: Where dag-factory is installed; None leaves it out.
    """

    entries: tuple[int, ...]
    live_entries: tuple[int, ...]
    repeats: int
    starts: int
    passes: int
    idle_seconds: float
    rival_seconds: float
    changes: int
    bucket_entries: tuple[int, ...] = ()
    bucket_counts: tuple[int, ...] = BUCKET_COUNTS
    dag_factory: Path | None = None

    def build_repeats(self, entries: int) -> int:
        """Return how often a build of so many entries is repeated."""
        return self.repeats if entries < _MANY else min(self.repeats, _MOST_LARGE_BUILDS)


FULL: Final = Size(
    entries=(100, 1_000, 10_000),
    live_entries=(100, 1_000, 10_000),
    repeats=5,
    starts=30,
    passes=2,
    idle_seconds=60,
    rival_seconds=90,
    changes=20,
    bucket_entries=(20, 1_000, 10_000, 50_000),
)
QUICK: Final = Size(
    entries=(100, 1_000),
    live_entries=(100,),
    repeats=3,
    starts=10,
    passes=1,
    idle_seconds=15,
    rival_seconds=45,
    changes=5,
    bucket_entries=(100,),
    bucket_counts=(16,),
)
TINY: Final = Size(
    entries=(5,),
    live_entries=(),
    repeats=1,
    starts=2,
    passes=0,
    idle_seconds=0,
    rival_seconds=0,
    changes=0,
    bucket_entries=(5,),
    bucket_counts=(16,),
)
"""A trial of the benchmark itself."""
