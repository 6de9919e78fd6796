"""The commands ``upgrade`` and ``export`` as a person or a script meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Shell

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A store with the quickstart's rows."""
    made = Shell(folder=tmp_path)
    made.run("merge", str(QUICKSTART))
    return made


BREAK_PRIORITY = (
    "UPDATE yellowlive_airflow_dsg SET config_json = "
    'replace(config_json, \'"priority": 1\', \'"priority": "high"\') '
    "WHERE stream_key = 'Reference'"
)


def test_an_export_is_a_model_that_merges_to_no_change(shell: Shell) -> None:
    """Export, validate and plan follow each other; a folder with files is refused."""
    assert "4 items of revision 1" in shell.run("export", "--out", "model").stdout
    assert "5 entries, no findings" in shell.run("validate", "model").stdout
    assert "7 unchanged" in shell.run("plan", "model").stdout
    assert "not empty" in shell.run("export", "--out", "model", code=1).stderr


def test_an_export_without_a_folder_is_one_document(shell: Shell) -> None:
    """It can be piped into a file, as YAML or as JSON."""
    for name, options in {"all.yaml": (), "all.yml": ("--json",)}.items():
        text = shell.run("export", *options).stdout
        value = json.dumps(json.loads(text)["model"]) if options else text
        (shell.folder / name).write_text(value, encoding="utf-8")
        assert "7 unchanged" in shell.run("plan", name).stdout


def test_an_export_that_is_not_whole_writes_nothing_unless_told(shell: Shell) -> None:
    """Each row is listed with its reason; --partial writes the rest."""
    shell.sql(BREAK_PRIORITY)
    refused = shell.run("export", "--out", "model", code=1)
    assert "'Reference' of platform 'YellowLive'" in refused.stderr
    assert "priority: Input should be a valid integer" in refused.stderr
    assert "Nothing was written" in refused.stderr
    assert not (shell.folder / "model").exists()
    listed = json.loads(shell.run("export", "--json", code=1).stdout)
    assert [row["key"] for row in listed["unexpressed"]] == ["CarrierDelays", "Reference"]
    assert "model" not in listed
    assert "not in the model" in shell.run("export", "--partial", "--out", "model").stderr
    text = (shell.folder / "model" / "stores.yaml").read_text(encoding="utf-8")
    assert "2 rows are not in it" in text
    assert "name: Reference" not in text


def test_a_revision_that_is_not_there_is_named(shell: Shell) -> None:
    """The error says which ones there are."""
    assert "has no revision 9; its newest is 1" in shell.run("export", "--at", "9", code=1).stderr
    shell.run("export", "--at", "1")


def test_upgrade_check_names_a_row_that_was_broken_by_hand(shell: Shell) -> None:
    """Exit code 0 before, 1 after; where, what, why and what to do."""
    assert "7 rows checked: 0 bad" in shell.run("upgrade", "--check").stdout
    shell.sql(BREAK_PRIORITY)
    shown = shell.run("upgrade", "--check", code=1).stdout
    for part in (
        "yellowlive_airflow_dsg: 'Reference' of platform 'YellowLive'",
        "revision 1 by Ada, edited by hand since",
        "priority: 'high': Input should be a valid integer",
        "7 rows checked: 1 bad",
    ):
        assert part in shown
    report = json.loads(shell.run("upgrade", "--check", "--json", code=1).stdout)
    assert report["rows"] == 7
    assert [(p["key"], p["field"]) for p in report["problems"]] == [("Reference", "priority")]


def test_upgrade_check_reports_a_type_that_is_not_installed(shell: Shell) -> None:
    """By name, with the number of its rows."""
    shell.sql("UPDATE quickstart_changes SET factory_type = 'lake' WHERE entry_key <> ''")
    shown = shell.run("upgrade", "--check", code=1).stdout
    assert "factory type 'lake' is not installed: 5 rows" in shown


def test_upgrade_without_check_says_that_there_is_nothing_to_write(shell: Shell) -> None:
    """Rows are upgraded as they are read."""
    assert "upgrade --check" in shell.run("upgrade", code=1).stderr
    assert (
        "no foundry 'Nope'" in shell.run("upgrade", "--check", "--foundry", "Nope", code=1).stderr
    )


def test_show_says_in_which_version_a_row_is_stored(shell: Shell) -> None:
    """And why a newer one cannot be read."""
    assert json.loads(shell.run("show", "Reference", "--json").stdout)["config_version"] == 1
    shell.sql(
        "UPDATE quickstart_changes SET after = "
        'replace(after, \'\\"runner\\"\', \'\\"config_version\\": 7, \\"runner\\"\')'
    )
    shown = json.loads(shell.run("show", "Reference", "--json").stdout)
    assert shown["config_version"] == 7
    assert "Upgrade dagfoundry-platform" in shown["unreadable"]
