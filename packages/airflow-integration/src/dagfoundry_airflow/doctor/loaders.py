"""Checks of the loader files of Airflow 2."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, advice, good, problem
from dagfoundry.names import python_name
from dagfoundry_airflow.doctor.options import AIRFLOW_2_VERSIONS, Option, parsing

if TYPE_CHECKING:
    from dagfoundry.doctor import Diagnosis, Subject

DEFAULT_SHARDS: Final = 16
_DAGS_FOLDER: Final = Option(section="core", name="dags_folder")
_SHARDS: Final = re.compile(r"load_shard\(.+, \d+, (\d+)\)")
_SHOWN: Final = 5
_LIST_INTERVAL: Final = 300


def loader_folders(foundry: str) -> dict[Path, set[str]]:
    """Return the folders that hold loader files of a foundry, with their names."""
    root, prefix = Path(_DAGS_FOLDER.text()), f"dagfoundry_{python_name(foundry)}"
    ours = re.compile(rf"{prefix}_(shard_[0-9a-f]{{2}}|errors)\.py")
    found: defaultdict[Path, set[str]] = defaultdict(set)
    for path in root.rglob(f"{prefix}_*.py"):
        if ours.fullmatch(path.name):
            found[path.parent].add(path.name)
    return dict(found)


def shards_of(foundry: str) -> int:
    """Return the number of loader files that share the DAGs of a foundry."""
    numbers = [number for folder in loader_folders(foundry) for number in _numbers(folder, foundry)]
    return max(numbers, default=DEFAULT_SHARDS)


def _numbers(folder: Path, foundry: str) -> set[int]:
    texts = [path.read_text("utf-8") for path in _shard_files(folder, foundry)]
    return {int(found[1]) for text in texts for found in _SHARDS.finditer(text)}


def _shard_files(folder: Path, foundry: str) -> list[Path]:
    return sorted(folder.glob(f"dagfoundry_{python_name(foundry)}_shard_[0-9a-f][0-9a-f].py"))


def _installed(subject: Subject) -> Diagnosis:
    if subject.foundry is None:
        return advice("not looked at: no foundry is known", "See store.foundry.")
    folders = loader_folders(subject.foundry)
    root = Path(_DAGS_FOLDER.text())
    command = f"`dagfoundry airflow2 install {root} --foundry {subject.foundry}`"
    if not folders:
        return problem(f"no loader file of {subject.foundry} below {root}", f"Run {command}.")
    if len(folders) > 1:
        places = " and ".join(map(str, sorted(folders)))
        remedy = "Keep those of one folder: both own the same DAG ids."
        return problem(f"loader files stand in {places}", remedy)
    folder, names = next(iter(folders.items()))
    wrong = _wrong_files(folder, names, subject.foundry)
    if wrong:
        return problem(f"in {folder}: {', '.join(wrong[:_SHOWN])}", f"Run {command} again.")
    return good(f"{len(names)} files in {folder}")


def _wrong_files(folder: Path, names: set[str], foundry: str) -> list[str]:
    from dagfoundry_airflow.airflow2 import loader_files

    numbers = _numbers(folder, foundry)
    if len(numbers) != 1:
        return [f"files for {' and '.join(map(str, sorted(numbers))) or 'no'} shards"]
    wanted = loader_files(foundry, numbers.pop())
    missing = [f"{name} is missing" for name in sorted(wanted.keys() - names)]
    surplus = [f"{name} is too many" for name in sorted(names - wanted.keys())]
    stale = [
        f"{name} is of another release or foundry"
        for name in sorted(names & wanted.keys())
        if (folder / name).read_text("utf-8") != wanted[name]
    ]
    return missing + surplus + stale


def _found(subject: Subject) -> Diagnosis:
    from dagfoundry_airflow._compat import dag_files_in

    folders = loader_folders(subject.foundry) if subject.foundry else {}
    ours = {str(folder / name) for folder, names in folders.items() for name in names}
    if not ours:
        return advice("not looked at: there are no loader files", "See loader.installed.")
    unseen = sorted(ours.difference(dag_files_in(_DAGS_FOLDER.text())))
    if unseen:
        remedy = "Take them out of .airflowignore, or correct `might_contain_dag_callable`."
        return problem(f"Airflow passes over {', '.join(unseen[:_SHOWN])}", remedy)
    return good(f"Airflow finds all {len(ours)} files")


def _list_interval(_subject: Subject) -> Diagnosis:
    option = parsing("dag_dir_list_interval")
    seconds = option.number()
    if seconds <= 2 * _LIST_INTERVAL:
        return good(f"{seconds:g} s")
    remedy = "Lower it, or expect the first DAGs only after so long."
    return advice(f"{seconds:g} s", remedy, option.to(_LIST_INTERVAL))


LOADER_CHECKS: Final = (
    Check(
        id="loader.installed",
        looks_at="the loader files in `[core] dags_folder`: all of one number, none altered",
        why="A shard without its file hides all its DAGs; two sets of files fight over them.",
        remedy="Run `dagfoundry airflow2 install DIR --foundry NAME`.",
        airflow=AIRFLOW_2_VERSIONS,
        examine=_installed,
    ),
    Check(
        id="loader.found",
        looks_at="whether Airflow's own search finds them (`.airflowignore`, safe mode)",
        why="A file that Airflow passes over is never parsed, and no error says so.",
        remedy="Take the files out of `.airflowignore`.",
        airflow=AIRFLOW_2_VERSIONS,
        examine=_found,
    ),
    Check(
        id="loader.list-interval",
        looks_at="`[scheduler] dag_dir_list_interval`",
        why="So long Airflow may take to see loader files that were just installed.",
        remedy=f"Keep Airflow's default of {_LIST_INTERVAL} seconds.",
        airflow=AIRFLOW_2_VERSIONS,
        examine=_list_interval,
    ),
)
