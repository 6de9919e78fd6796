"""Checks of how often and with how many processes Airflow parses the files."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, advice, good, problem
from dagfoundry.factories import Status
from dagfoundry.store import RowKind, RowState
from dagfoundry_airflow.doctor import recommended
from dagfoundry_airflow.doctor.fleet import parsed_fleet
from dagfoundry_airflow.doctor.options import (
    AIRFLOW_3_VERSIONS,
    EVERY_AIRFLOW,
    Option,
    parsing,
)
from dagfoundry_airflow.snapshot import render

if TYPE_CHECKING:
    from dagfoundry.doctor import Diagnosis, Subject

_UPDATE_INTERVAL: Final = Option(section="core", name="min_serialized_dag_update_interval")
_SAFE_MODE: Final = Option(section="core", name="dag_discovery_safe_mode")
_CALLABLE: Final = Option(section="core", name="might_contain_dag_callable")
_BY_TIME: Final = "modified_time"
_ONE_PROCESS_DAGS: Final = 1000
_NO_FLEET: Final = "not looked at: neither a snapshot nor the store could be read"


def _interval(subject: Subject) -> Diagnosis:
    fleet, option = parsed_fleet(subject), parsing("min_file_process_interval")
    if fleet is None:
        return advice(_NO_FLEET, "See store.reachable.")
    seconds = option.number()
    cost = recommended.minute_cost(fleet.dags, fleet.files, seconds)
    fleet_text = f"{fleet.dags:,} DAGs in {fleet.files} files"
    found = f"{seconds:g} s: unchanged, {fleet_text} cost about {cost:.1f} CPU-s a minute"
    if cost <= recommended.BUDGET:
        return good(found)
    wanted = recommended.interval_for(fleet.dags, fleet.files)
    then = recommended.minute_cost(fleet.dags, fleet.files, wanted)
    remedy = f"Raise it; at {wanted} s they cost about {then:.1f}. {_latency()}"
    one_pass = recommended.pass_cost(fleet.dags, fleet.files)
    if one_pass >= seconds * _processes():
        return problem(f"{found}; a pass takes longer than that", remedy, option.to(wanted))
    return advice(found, remedy, option.to(wanted))


def _latency() -> str:
    from dagfoundry_airflow._compat import AIRFLOW_2

    if AIRFLOW_2:
        return (
            "A change is then seen when its loader file is parsed next, which a factory DAG"
            " asks for every five minutes."
        )
    return "A change is found by its file's time, whatever the interval."


def _processes() -> float:
    return max(1.0, min(parsing("parsing_processes").number(), cores()))


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _update_interval(_subject: Subject) -> Diagnosis:
    from dagfoundry_airflow._compat import AIRFLOW_2

    seconds = _UPDATE_INTERVAL.number()
    if seconds == 0:
        return good("0 s")
    setting, remedy = _UPDATE_INTERVAL.to(0), "Set it to 0."
    if AIRFLOW_2:
        return advice(f"{seconds:g} s", remedy, setting)
    return problem(f"{seconds:g} s", remedy, setting)


def _sort_mode(_subject: Subject) -> Diagnosis:
    option = parsing("file_parsing_sort_mode")
    mode = option.text()
    if mode == _BY_TIME:
        return good(mode)
    interval = parsing("min_file_process_interval").number()
    found = f"{mode}: a change waits for min_file_process_interval, {interval:g} s"
    return problem(found, f"Set it to {_BY_TIME}.", option.to(_BY_TIME))


def _process_number(subject: Subject) -> Diagnosis:
    option, fleet, here = parsing("parsing_processes"), parsed_fleet(subject), cores()
    number = int(option.number())
    found = f"{number} on {here} {'core' if here == 1 else 'cores'}"
    if number > here:
        return advice(found, "More than cores slow each other down.", option.to(here))
    if number == 1 < here and fleet and fleet.dags > _ONE_PROCESS_DAGS:
        return advice(found, f"Use two for {fleet.dags:,} DAGs.", option.to(2))
    return good(found)


def _discovery(_subject: Subject) -> Diagnosis:
    from dagfoundry_airflow._compat import dag_files_in

    samples = _samples()
    with tempfile.TemporaryDirectory(prefix="dagfoundry-doctor-") as folder:
        for name, content in samples.items():
            Path(folder, name).write_bytes(content)
        seen = {Path(path).name for path in dag_files_in(folder)}
    unseen = sorted(samples.keys() - seen)
    if unseen:
        default = "airflow.utils.file.might_contain_dag_via_default_heuristic"
        remedy = "It has to accept files with the words dag and airflow."
        return problem(
            f"{_CALLABLE.text()} passes over {', '.join(unseen)}", remedy, _CALLABLE.to(default)
        )
    return good("Airflow's search finds stubs, error files and loader files")


def _samples() -> dict[str, bytes]:
    """Return one file of each kind that Airflow has to find, by name."""
    from dagfoundry_airflow._compat import AIRFLOW_2
    from dagfoundry_airflow.airflow2 import loader_files

    if AIRFLOW_2:
        return {name: text.encode() for name, text in loader_files("Sample", 1).items()}
    row = RowState(
        kind=RowKind.INFRASTRUCTURE,
        foundry="Sample",
        table_name="",
        platform_name="",
        factory_type="",
        key="",
        dag_id="sample",
        bucket=0,
        status=Status.ACTIVE,
        config_json="{}",
        revision=1,
    )
    rendered = render("Sample", [row], {"sample": "a report"})
    return {name: content for name, content in rendered.items() if name.endswith(".py")}


def _files(subject: Subject) -> Diagnosis:
    fleet = parsed_fleet(subject)
    if fleet is None:
        return advice(_NO_FLEET, "See store.reachable.")
    most = len(fleet.biggest.rows)
    found = f"{fleet.dags:,} DAGs in {fleet.buckets} buckets and {fleet.files} files, {most} in one"
    fitting = recommended.buckets_for(fleet.dags)
    if recommended.is_crowded(fleet.dags, fleet.files):
        remedy = f"One change parses {most} DAGs. {_more_files(fitting)}"
        return advice(found, remedy)
    if recommended.is_scattered(fleet.dags, fleet.files):
        remedy = f"{fitting} buckets would do; this number stays, so keep the interval long."
        return advice(found, remedy)
    return good(found)


def _more_files(fitting: int) -> str:
    from dagfoundry_airflow._compat import AIRFLOW_2

    if AIRFLOW_2:
        return "Install more shards with `dagfoundry airflow2 install`, up to the buckets."
    return f"The number stays; begin a new foundry of this size with `buckets: {fitting}`."


PARSING_CHECKS: Final = (
    Check(
        id="parsing.interval",
        looks_at="`min_file_process_interval` of `[dag_processor]`, of `[scheduler]` in 2.x",
        why="So often Airflow parses every file again, though nothing changed.",
        remedy=f"Raise it until that costs at most {recommended.BUDGET:g} CPU-s a minute.",
        airflow=EVERY_AIRFLOW,
        examine=_interval,
    ),
    Check(
        id="parsing.files",
        looks_at="the number of DAGs, of buckets and of the files that hold them",
        why="Each file costs a process, and a change makes Airflow parse its whole file.",
        remedy="Choose `buckets` when the foundry is created; on Airflow 2 choose `--shards`.",
        airflow=EVERY_AIRFLOW,
        examine=_files,
    ),
    Check(
        id="parsing.update-interval",
        looks_at=f"`{_UPDATE_INTERVAL}`",
        why="A second change within it is not stored before the next parse, and on Airflow 3 a "
        "run may be tied to a version whose shape is not stored yet.",
        remedy=f"Set `{_UPDATE_INTERVAL}` to 0.",
        airflow=EVERY_AIRFLOW,
        examine=_update_interval,
    ),
    Check(
        id="parsing.sort-mode",
        looks_at="`[dag_processor] file_parsing_sort_mode`",
        why="Only in one mode does Airflow parse a file again because its time moved.",
        remedy=f"Set it to {_BY_TIME}.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_sort_mode,
    ),
    Check(
        id="parsing.processes",
        looks_at="`parsing_processes` of `[dag_processor]`, of `[scheduler]` in 2.x",
        why="They share the cores with everything else on the host.",
        remedy="Use as many as there are cores to spare, and two from a thousand DAGs on.",
        airflow=EVERY_AIRFLOW,
        examine=_process_number,
    ),
    Check(
        id="parsing.discovery",
        looks_at=f"`{_SAFE_MODE}` and `{_CALLABLE.name}`, by a search of Airflow's own",
        why="A file that Airflow passes over is never parsed, and no error says so.",
        remedy=f"Let `{_CALLABLE}` accept files with the words dag and airflow.",
        airflow=EVERY_AIRFLOW,
        examine=_discovery,
    ),
)
