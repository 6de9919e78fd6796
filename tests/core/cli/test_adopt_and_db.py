"""``adopt`` and ``db`` as a person or a script meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Shell

SCRIPT = Path(__file__).parent.parent / "adoption" / "reference.sql"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A reference deployment in SQLite."""
    made = Shell(folder=tmp_path)
    made.sql(SCRIPT.read_text(encoding="utf-8"))
    return made


@pytest.mark.parametrize("command", [["list"], ["show", "Store1"], ["db", "check"]])
def test_one_error_names_adopt_until_then(shell: Shell, command: list[str]) -> None:
    """Nothing is guessed from tables that nobody has adopted."""
    error = shell.run(*command, code=1).stderr
    assert error.count("error:") == 1
    assert "dagfoundry adopt --foundry test_dp" in error


def test_adopt_says_what_it_did_and_list_shows_it(shell: Shell) -> None:
    """A program reads every DAG id; a second adoption is answered clearly."""
    done = json.loads(shell.run("adopt", "--foundry", "Test_DP", "--json").stdout)
    assert (done["revision"], done["ignored"], done["findings"]) == (1, 1, [])
    listed = json.loads(shell.run("list", "--json", "--foundry", "Test_DP").stdout)
    adopted = [row["dag_id"] for row in done["adopted"]]
    assert sorted([*adopted, "test-dp_infrastructure"]) == [row["dag_id"] for row in listed]
    assert "adopted already, by Ada" in shell.run("adopt", "--foundry", "Test_DP", code=1).stderr


def test_broken_row_is_a_finding_and_can_be_looked_at(shell: Shell) -> None:
    """It is adopted as it is; ``show`` prints its text."""
    shell.sql("UPDATE yellowlive_airflow_dsg SET config_json = '{cut' WHERE stream_key = 'Store1'")
    output = shell.run("adopt", "--foundry", "Test_DP").stdout
    assert "finding: yellowlive_airflow_dsg[Store1]: config_json: is no JSON" in output
    assert "drift --record" in output
    shown = shell.run("show", "yellowlive__Store1_ingestion", "--json").stdout
    assert json.loads(shown)["config"] == {"broken": "{cut"}


def test_check_is_quiet_about_current_tables_and_loud_about_others(shell: Shell) -> None:
    """Exit code 1 and one error that names the upgrade."""
    shell.run("adopt", "--foundry", "Test_DP")
    assert json.loads(shell.run("db", "check", "--json").stdout)["scopes"][1]["state"] == "current"
    shell.sql("UPDATE test_dp_alembic_version SET version_num = 'f0001'")
    error = shell.run("db", "check", code=1).stderr
    assert error.count("error:") == 1
    assert "dagfoundry db upgrade" in error
    assert "older" in shell.run("db", "current").stdout
    assert "foundry Test_DP: f0001 -> f0002" in shell.run("db", "upgrade").stdout
    assert "nothing to do" in shell.run("db", "upgrade").stdout
    shell.sql("UPDATE test_dp_alembic_version SET version_num = 'f9999'")
    for command in ("check", "upgrade"):
        assert "newer than this dagfoundry" in shell.run("db", command, code=1).stderr
