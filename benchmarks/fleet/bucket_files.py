"""How many buckets: what the fullest file costs, and what all of them do.

Processes are left out: each file costs one more, whose price the live figures show.
"""

from __future__ import annotations

import shutil
from collections import Counter
from statistics import mean
from typing import TYPE_CHECKING, Final

from fleet import contenders
from fleet.airflows import AIRFLOW, AIRFLOW_2, bag, serialized
from fleet.builds import every_kind
from fleet.forked import forked
from fleet.foundry import BenchFoundry
from fleet.settings import of_buckets
from fleet.start import Start
from measuring import Sample
from results import Result

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from fleet.database import Server
    from fleet.forked import Fork
    from fleet.sizes import Size

_REPEATS: Final = 3
_SAMPLED_FILES: Final = 8


def bucket_files(server: Server, folder: Path, entries: int, size: Size) -> Iterator[Result]:
    """Measure one number of entries in each of several numbers of buckets."""
    for buckets in size.bucket_counts:
        name = of_buckets(buckets)
        foundry = BenchFoundry(server.new_store(), folder, entries, buckets, name=name)
        foundry.merge()
        files = contenders.publish_here(foundry, folder)
        for file in every_kind(foundry, files):
            bag(file)
        yield from _files(foundry, files)
        if not AIRFLOW_2:
            yield _empty_disk(foundry, folder)
        foundry.store.close()


def _files(foundry: BenchFoundry, files: Sequence[Path]) -> Iterator[Result]:
    fullest = _fullest(foundry, files)
    parses = [forked(lambda: _parse(fullest)) for _ in range(_REPEATS)]
    seconds = Sample.of([parse.cpu for parse in parses])
    yield _result(foundry, "parse of the fullest of {} buckets", seconds, "CPU-s")
    memory = Sample.of([parse.peak_mb for parse in parses])
    yield _result(foundry, "peak memory of it, {} buckets", memory, "MB")
    step = max(1, len(files) // _SAMPLED_FILES)
    sampled = [forked(lambda file=file: _parse(file)) for file in files[::step]]
    yield _result(foundry, "parse of all of {} buckets", _of_all(sampled, len(files)), "CPU-s")


def _fullest(foundry: BenchFoundry, files: Sequence[Path]) -> Path:
    dag_ids = map(foundry.dag_id, range(foundry.entries))
    ((bucket, _),) = Counter(map(foundry.bucket, dag_ids)).most_common(1)
    return next(file for file in files if file.stem.endswith(f"_{bucket:02x}"))


def _parse(file: Path) -> int:
    """Do what a parse does with a file but for writing to the database."""
    return len([serialized(dag) for dag in bag(file).values()])


def _of_all(sampled: Sequence[Fork], files: int) -> Sample:
    return Sample.of([files * mean(fork.cpu for fork in sampled)])


def _empty_disk(foundry: BenchFoundry, folder: Path) -> Result:
    start = Start.of(foundry, folder)
    versions = contenders.our_home(folder, foundry) / "versions"
    starts = []
    for _ in range(_REPEATS):
        shutil.rmtree(versions, ignore_errors=True)
        starts.append(forked(start.run).wall)
    taken = Sample.of(starts, 1000)
    return _result(foundry, "task start on an empty disk, {} buckets", taken, "ms")


def _result(foundry: BenchFoundry, name: str, ours: Sample, unit: str) -> Result:
    return Result(
        name=name.format(foundry.buckets),
        ours=ours,
        unit=unit,
        entries=foundry.entries,
        airflow=AIRFLOW,
    )
