"""From files on a disk to DAGs in Airflow's bag: ours, by hand, and dag-factory's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet import contenders, dag_factory, handwritten
from fleet.airflows import AIRFLOW, AIRFLOW_2, bag
from fleet.forked import forked
from fleet.foundry import BenchFoundry
from measuring import Sample
from results import Result

from dagfoundry.plugins import load_plugins
from dagfoundry.store import RowKind, RowState
from dagfoundry_airflow.build import build_dag
from dagfoundry_airflow.doctor.recommended import buckets_for
from dagfoundry_airflow.publish import Publisher
from dagfoundry_airflow.snapshot import all_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from types import CodeType

    from fleet.database import Server
    from fleet.forked import Fork
    from fleet.sizes import Size


def builds(server: Server, folder: Path, entries: int, size: Size) -> Iterator[Result]:
    """Measure a build of all DAGs, in forks in which everything is imported."""
    foundry = BenchFoundry(server.new_store(), folder, entries, buckets_for(entries))
    foundry.merge()
    files = contenders.publish_here(foundry, folder)
    written = contenders.write_handwritten(foundry, folder / "handwritten")
    for file in every_kind(foundry, files) | {written[0]}:
        bag(file)
    forked(lambda: handwritten.require_equal(_bag_all(files), _bag_all(written)))
    sidecars = sorted((contenders.our_home(folder, foundry) / "current").glob("*.json"))
    codes = [compile(file.read_text(encoding="utf-8"), file, "exec") for file in written]
    calls: dict[str, Callable[[], object]] = {
        "ours": lambda: _bag_without_question(files),
        "written": lambda: _bag_all(written),
        "our objects": lambda: [_our_objects(sidecar) for sidecar in sidecars],
        "written objects": lambda: [_run(code) for code in codes],
    }
    if AIRFLOW_2:
        calls["ours and question"] = lambda: _bag_all(files)
    if size.dag_factory is not None:
        calls["dag-factory"] = _dag_factory(foundry, folder, size.dag_factory)
    taken = _together(calls, size.build_repeats(entries))
    of = _Figures(entries, taken)
    yield of.result("full build, files to DAGs in a bag / hand-written", "ours", "written", 1.1)
    if AIRFLOW_2:
        name = "the same with each parse's question to the store / hand-written"
        yield of.result(name, "ours and question", "written", None)
    name = "build alone, read files to DAG objects / hand-written"
    yield of.result(name, "our objects", "written objects", None)
    if size.dag_factory is not None:
        yield of.result("full build / dag-factory from YAML", "ours", "dag-factory", None)


def every_kind(foundry: BenchFoundry, files: Sequence[Path]) -> set[Path]:
    """Return files that together hold a DAG of each kind, so that all is imported with them."""
    buckets = {row.kind: f"_{row.bucket:02x}" for row in foundry.rows()}
    return {file for file in files if file.stem.endswith(tuple(buckets.values()))}


class _Figures:
    """Figures of one number of entries."""

    def __init__(self, entries: int, taken: Mapping[str, list[Fork]]) -> None:
        self._entries = entries
        self._taken = taken

    def result(self, name: str, ours: str, theirs: str, budget: float | None) -> Result:
        """Return two sides beside each other, in milliseconds for a DAG."""
        return Result(
            name=name,
            ours=self._sample(ours),
            reference=self._sample(theirs),
            unit="ms CPU a DAG",
            budget=budget,
            entries=self._entries,
            airflow=AIRFLOW,
        )

    def _sample(self, side: str) -> Sample:
        return Sample.of([fork.cpu for fork in self._taken[side]], 1000 / self._entries)


def _together(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[Fork]]:
    """Make the calls in turn, each in a fork of its own, so that none finds a fuller heap."""
    taken: dict[str, list[Fork]] = {name: [] for name in calls}
    for _ in range(repeats):
        for name, call in calls.items():
            taken[name].append(forked(lambda call=call: _drop(call())))
    return taken


def _drop(made: object) -> None:
    """Take what was made, all of which was alive until now."""


def _bag_all(files: list[Path]) -> dict[str, Any]:
    return {dag_id: dag for file in files for dag_id, dag in bag(file).items()}


def _bag_without_question(files: list[Path]) -> dict[str, Any]:
    """Take files into the bag as they are; on Airflow 3 no parse asks the store."""
    if AIRFLOW_2:
        Publisher.refresh = lambda _self: None  # type: ignore[method-assign] - in this fork alone
    return _bag_all(files)


def _our_objects(sidecar: Path) -> dict[str, Any]:
    from dagfoundry_airflow.loader import build_rows

    rows = all_rows(sidecar.read_bytes())
    return build_rows(map(RowState.from_json, rows), load_plugins())


def _run(code: CodeType) -> dict[str, Any]:
    found: dict[str, Any] = {"__name__": "handwritten"}
    exec(code, found)  # noqa: S102 - our own text
    return found


def _dag_factory(foundry: BenchFoundry, folder: Path, place: Path) -> Callable[[], object]:
    """Write the YAML and return what dag-factory makes of it."""
    file = folder / "dag_factory.yaml"
    forked(lambda: _write_yaml(foundry, file))
    found = forked(lambda: _tasks(dag_factory.load(place, file))).value
    if found != forked(lambda: _tasks(_streams(foundry))).value:
        raise handwritten.DifferentDagError("dag-factory makes other tasks of the YAML")
    return lambda: dag_factory.load(place, file)


def _write_yaml(foundry: BenchFoundry, file: Path) -> None:
    text = dag_factory.write(_streams(foundry).values(), is_airflow_2=AIRFLOW_2)
    file.write_text(text, encoding="utf-8")


def _streams(foundry: BenchFoundry) -> dict[str, Any]:
    rows = [row for row in foundry.rows() if row.kind is RowKind.ENTRY]
    return {row.dag_id: build_dag(row, load_plugins()) for row in rows}


def _tasks(dags: Mapping[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Return the tasks of DAGs and what follows each."""
    return {
        dag_id: {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks}
        for dag_id, dag in dags.items()
    }
