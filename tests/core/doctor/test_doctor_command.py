"""``dagfoundry doctor`` without Airflow: the store, the plugins, the checks of others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from shell import Shell

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"
SECRET = "hunter2"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A store with the quickstart's rows."""
    made = Shell(folder=tmp_path)
    made.run("merge", str(QUICKSTART))
    return made


def offer(folder: Path, name: str, text: str) -> dict[str, str]:
    """Install a distribution that offers checks, and return the variables to find it."""
    info = folder / "site" / f"{name}-1.5.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    points = f"[dagfoundry.doctor]\n{name} = {name}_checks:checks\n"
    (info / "entry_points.txt").write_text(points)
    (folder / "site" / f"{name}_checks.py").write_text(text)
    return {"PYTHONPATH": str(folder / "site")}


def by_id(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the checks of a report by id."""
    return {check["id"]: check for check in report["checks"]}


def own_checks(report: dict[str, Any]) -> dict[str, str]:
    """Return the verdicts of core's own checks, by id."""
    return {c["id"]: c["verdict"] for c in report["checks"] if c["offered_by"] == "dagfoundry"}


CHECKS = """
import dagfoundry.doctor as doctor

def found(subject):
    setting = doctor.Setting(variable="A__B", value="0", option="[a] b")
    return doctor.problem("3 bad", "Set it.", setting)

def broken(subject):
    raise KeyError("a bug at db://ada:hunter2@host?password=hunter2")

def checks():
    texts = dict(looks_at="it", why="It matters.", remedy="Set it.")
    return [
        doctor.Check(id="mine.broken", examine=broken, **texts),
        doctor.Check(id="mine.found", examine=found, **texts),
    ]
"""


def test_a_store_that_nobody_serves_yet_is_no_problem(shell: Shell) -> None:
    """Only the advice to start a DAG processor is given."""
    assert own_checks(shell.json("doctor")) == {
        "store.reachable": "ok",
        "store.schema": "ok",
        "store.foundry": "ok",
        "store.history": "ok",
        "store.published": "advice",
        "store.broken": "ok",
        "plugins.loaded": "ok",
        "plugins.cost": "ok",
        "plugins.needed": "ok",
    }


def test_a_person_reads_what_was_found_and_what_to_do(shell: Shell) -> None:
    """The table is grouped by area; advice says why."""
    shown = shell.run("doctor").stdout
    assert shown.startswith("store\n")
    assert "\nplugins\n" in shown
    assert "Quickstart: 8 DAGs at revision 1 in 16 buckets" in shown
    assert "A revision that no DAG processor publishes is seen by nobody." in shown
    assert shown.endswith("Quickstart: 9 checks, 0 problems, 1 with advice\n")


def test_a_store_that_is_not_there_fails_one_check(tmp_path: Path) -> None:
    """What cannot be looked at then is said, and is not a problem of its own."""
    report = Shell(folder=tmp_path).json("doctor", code=1)
    assert report["counts"]["problem"] == 1
    reachable = by_id(report)["store.reachable"]
    assert (reachable["verdict"], "does not exist" in reachable["found"]) == ("problem", True)
    assert own_checks(report)["store.foundry"] == "advice"
    assert not (tmp_path / "store.db").exists()


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://reader:{SECRET}@127.0.0.1:1/foundry",
        f"postgresql://reader@127.0.0.1:1/foundry?password={SECRET}",
    ],
)
def test_a_password_is_never_shown(tmp_path: Path, url: str) -> None:
    """Neither that of the URL nor that among its options."""
    shell = Shell(folder=tmp_path, variables={"DAGFOUNDRY_STORE_URL": url})
    for arguments in (("doctor",), ("doctor", "--json"), ("list",)):
        done = shell.run(*arguments, code=1)
        assert "127.0.0.1" in done.stdout + done.stderr
        assert SECRET not in done.stdout + done.stderr


def test_a_foundry_that_is_not_there_is_a_problem(shell: Shell) -> None:
    """The store is good all the same."""
    checks = by_id(shell.json("doctor", "--foundry", "Elsewhere", code=1))
    assert checks["store.reachable"]["verdict"] == "ok"
    assert checks["store.foundry"]["verdict"] == "problem"
    assert "Elsewhere" in checks["store.foundry"]["found"]


def test_tables_of_another_release_are_a_problem(shell: Shell) -> None:
    """The remedy is the command that migrates them."""
    shell.sql("UPDATE quickstart_alembic_version SET version_num = 'f0001'")
    schema = by_id(shell.json("doctor", code=1))["store.schema"]
    assert (schema["verdict"], "db upgrade" in schema["remedy"]) == ("problem", True)


def test_rows_of_a_type_that_is_not_installed_are_a_problem(shell: Shell) -> None:
    """The type is named."""
    shell.sql("UPDATE quickstart_changes SET factory_type = 'gone' WHERE factory_type = 'platform'")
    needed = by_id(shell.json("doctor", code=1))["plugins.needed"]
    assert (needed["verdict"], "'gone'" in needed["found"]) == ("problem", True)


def test_checks_of_another_distribution_are_made_one_by_one(shell: Shell, tmp_path: Path) -> None:
    """One that raises is a problem that names its distribution; the others go on."""
    variables = offer(tmp_path, "mine", CHECKS)
    report = Shell(folder=shell.folder, variables=variables).json("doctor", code=1)
    checks = by_id(report)
    told = "the check itself failed: KeyError: 'a bug at db://ada:***@host?password=***'"
    assert checks["mine.broken"]["found"] == told
    assert checks["mine.broken"]["remedy"] == "Report it to mine 1.5."
    assert checks["mine.found"]["settings"] == [
        {"variable": "A__B", "value": "0", "option": "[a] b"}
    ]
    assert report["counts"]["problem"] == 2
    shown = Shell(folder=shell.folder, variables=variables).run("doctor", code=1).stdout
    assert "A__B=0 ([a] b)" in shown


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_module", "ModuleNotFoundError"),
        ("def checks(): return 1 / 0", "ZeroDivisionError"),
        ("def checks(): return ['a']", "it offers str"),
        ("checks = 3", "TypeError"),
    ],
)
def test_a_distribution_whose_checks_cannot_be_had_is_one_problem(
    shell: Shell, tmp_path: Path, text: str, reason: str
) -> None:
    """It is named with its version; everybody else's checks are made."""
    variables = offer(tmp_path, "mine", text)
    report = Shell(folder=shell.folder, variables=variables).json("doctor", code=1)
    offered = by_id(report)["mine.offered"]
    assert offered["found"].startswith("mine 1.5: ")
    assert reason in offered["found"]
    assert report["counts"]["problem"] == 1
