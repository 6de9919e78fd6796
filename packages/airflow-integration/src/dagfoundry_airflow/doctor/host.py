"""Checks of the Python environment of this host."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, advice, good, problem
from dagfoundry_airflow.doctor.options import EVERY_AIRFLOW

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.doctor import Diagnosis, Subject

_NO_BYTE_CODE: Final = "PYTHONDONTWRITEBYTECODE"
_OURS: Final = ("airflow", "dagfoundry")


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownBad:
    """Releases of a package with which an Airflow does not work, as far as was tried.

    Attributes:
        airflow: The Airflow version.
        package: The package.
        good: The releases that were tried and work, as a version specifier.
        symptom: What is seen.
    """

    airflow: str
    package: str
    good: str
    symptom: str


KNOWN_BAD: Final = (
    KnownBad(
        airflow="3.0", package="pyjwt", good="<2.11", symptom="every token and API call fails"
    ),
    KnownBad(airflow="3.0", package="fastapi", good="<0.118", symptom="every run fails"),
    KnownBad(airflow="3.0", package="cadwyn", good="<6", symptom="every run fails"),
    KnownBad(airflow="3.0", package="starlette", good="<1", symptom="every run fails"),
    KnownBad(
        airflow="3.2",
        package="fastapi",
        good="<0.137",
        symptom="the DAG processor and the API server die",
    ),
)
"""From runs of Airflow 3.0.6 and 3.2.2; ``uv pip check`` finds nothing wrong with them."""


def _packages(_subject: Subject) -> Diagnosis:
    from dagfoundry_airflow._compat import AIRFLOW_MINOR

    known = [each for each in KNOWN_BAD if each.airflow == AIRFLOW_MINOR]
    installed = {each.package: _version(each.package) for each in known}
    return judge_packages(AIRFLOW_MINOR, installed)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def judge_packages(airflow: str, installed: dict[str, str | None]) -> Diagnosis:
    """Return what to think of installed packages, by name, beside an Airflow version."""
    from packaging.specifiers import SpecifierSet

    bad = [
        each
        for each in KNOWN_BAD
        if each.airflow == airflow
        and (found := installed.get(each.package))
        and not SpecifierSet(each.good, prereleases=True).contains(found)
    ]
    if not bad:
        return good(f"none that is known to break Airflow {airflow}")
    found_text = "; ".join(f"{e.package} {installed[e.package]}: {e.symptom}" for e in bad)
    pins = " ".join(f"'{each.package}{each.good}'" for each in bad)
    return problem(found_text, f"pip install {pins}")


def _byte_code(_subject: Subject) -> Diagnosis:
    files = [Path(f) for m in list(sys.modules.values()) if (f := _source(m))]
    return judge_byte_code(files, is_off=bool(os.environ.get(_NO_BYTE_CODE)))


def judge_byte_code(files: Iterable[Path], *, is_off: bool) -> Diagnosis:
    """Return what to think of modules' files, with or without byte code beside them."""
    files = list(files)
    missing = [file for file in files if not Path(cache_from_source(str(file))).exists()]
    unset = f"Unset {_NO_BYTE_CODE} in every process of Airflow"
    compile_all = f"{sys.executable} -m compileall {Path(sys.prefix)}"
    if missing:
        found = f"{len(missing)} of {len(files)} modules that Airflow loads have none"
        why = unset if is_off else "Let it be written once as a user that may"
        return problem(found, f"{why}, and run: {compile_all}")
    if is_off:
        return advice(f"there for {len(files)} modules, but {_NO_BYTE_CODE} is set", f"{unset}.")
    return good(f"there for all {len(files)} modules that Airflow loads")


def _source(module: object) -> str | None:
    name, file = getattr(module, "__name__", ""), getattr(module, "__file__", None)
    is_ours = isinstance(name, str) and name.split(".")[0].split("_")[0] in _OURS
    return file if is_ours and isinstance(file, str) and file.endswith(".py") else None


HOST_CHECKS: Final = (
    Check(
        id="host.byte-code",
        looks_at=f"the compiled files of loaded modules, and {_NO_BYTE_CODE}",
        why="Without them each start of an Airflow process took 7.1 CPU-s instead of 2.7 (3.3).",
        remedy=f"Unset {_NO_BYTE_CODE} and run `python -m compileall`.",
        airflow=EVERY_AIRFLOW,
        examine=_byte_code,
    ),
    Check(
        id="host.packages",
        looks_at="releases of other packages that are known to break this Airflow",
        why="They install without a complaint, and then no run succeeds.",
        remedy="Install the releases that are named.",
        airflow=EVERY_AIRFLOW,
        examine=_packages,
    ),
)
