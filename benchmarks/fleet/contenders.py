"""The ways to show many DAGs, each as the settings and files of a DAG processor."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from fleet import handwritten, reference_pattern, settings
from fleet.airflows import AIRFLOW_2
from fleet.forked import forked

from dagfoundry.names import bucket_file, python_name
from dagfoundry.plugins import load_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from fleet.foundry import BenchFoundry

ALL_FROM_THE_TABLE: Final = "all_from_the_table.py"
"""Name of the one file that builds all DAGs."""

_EMPTY: Final = "# an airflow dag file without a DAG\n"
_BROKEN: Final = "# an airflow dag file whose error shows that files are parsed\nraise ValueError\n"


def our_settings(foundry: BenchFoundry) -> dict[str, str]:
    """Return the recommended settings, for a foundry's store."""
    return settings.ours(foundry.name) | {"DAGFOUNDRY_STORE_URL": foundry.url}


def our_home(home: Path, foundry: BenchFoundry) -> Path:
    """Return where a bundle (Airflow 2: its loader files) keeps everything."""
    if AIRFLOW_2:
        return home / "dagfoundry" / python_name(foundry.name)
    return home / "bundles" / settings.bundle_name(foundry.name)


def install_loaders(home: Path, foundry: BenchFoundry) -> None:
    """Write the loader files that Airflow 2 needs; Airflow 3 needs none."""
    if AIRFLOW_2:
        from dagfoundry_airflow.airflow2 import install

        (home / "dags").mkdir(parents=True, exist_ok=True)
        install(home / "dags", foundry.name, foundry.buckets)


def publish_here(foundry: BenchFoundry, home: Path) -> list[Path]:
    """Publish a foundry for the Airflow of this process and return the files to parse.

    Args:
        foundry: What is published.
        home: This process's ``AIRFLOW_HOME``.
    """
    os.environ["DAGFOUNDRY_STORE_URL"] = foundry.url
    install_loaders(home, foundry)
    foundry.publish(our_home(home, foundry))
    return [file for file in our_files(home, foundry) if "_errors" not in file.name]


def our_files(home: Path, foundry: BenchFoundry) -> list[Path]:
    """Return the files that Airflow parses for us."""
    folder = home / "dags" if AIRFLOW_2 else our_home(home, foundry) / "current"
    return sorted(folder.glob(f"dagfoundry_{python_name(foundry.name)}_*.py"))


def touch(files: Iterable[Path]) -> None:
    """Have files parsed again, as Airflow does by itself once in its interval."""
    for file in files:
        os.utime(file)


def write_broken(folder: Path, names: Iterable[str]) -> None:
    """Write a file with an import error into a folder, and files without a DAG yet.

    Airflow knows of files as they come only once it lists its folder again (2.x: every 300 s);
    of what they hold, as soon as they change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "broken.py").write_text(_BROKEN, encoding="utf-8")
    for name in names:
        (folder / name).write_text(_EMPTY, encoding="utf-8")


def write_handwritten(foundry: BenchFoundry, folder: Path) -> list[Path]:
    """Write a foundry's DAGs by hand, in as many files as ours are in."""
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = forked(lambda: _write_handwritten(foundry, folder)).value
    return [folder / name for name in names]


def _write_handwritten(foundry: BenchFoundry, folder: Path) -> list[str]:
    from dagfoundry_airflow.build import build_dag

    dags: dict[str, list[object]] = {}
    for row in foundry.rows():
        name = bucket_file("handwritten", row.bucket)
        dags.setdefault(name, []).append(build_dag(row, load_plugins()))
    for name, members in dags.items():
        (folder / name).write_text(handwritten.write(members), encoding="utf-8")
    return sorted(dags)


def write_reference_pattern(foundry: BenchFoundry, folder: Path) -> Path:
    """Write the one file that builds all DAGs from the table."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / ALL_FROM_THE_TABLE
    file.write_text(reference_pattern.write(foundry.url), encoding="utf-8")
    return file
