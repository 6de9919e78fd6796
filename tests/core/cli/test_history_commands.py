"""Plans in files, history and going back, as a person or a script meets them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

MODEL = """\
foundry: Shop
platforms:
  - name: Live
    merge_store: {url_variable: MERGE_URL}
stores:
"""
STORE = """\
  - name: %s
    source: {url_variable: SALES_URL}
    ingestion: multi
    schedule: "%s"
    datasets: [{name: orders_of_%s, key: [id]}]
"""


class Desk(Shell):
    """A shell whose model a test changes."""

    def model(self, **schedules: str) -> None:
        """Write a model with stores of these names and schedules."""
        stores = [STORE % (name, schedule, name) for name, schedule in schedules.items()]
        (self.folder / "model.yaml").write_text(MODEL + "".join(stores))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder with a model."""
    variables = {"DAGFOUNDRY_MODEL": "model.yaml", "DAGFOUNDRY_AUTHOR": "Ada <ada@example.org>"}
    made = Desk(folder=tmp_path, variables=variables)
    made.model(Sales="0 * * * *")
    return made


@pytest.fixture
def past(desk: Desk) -> Desk:
    """A foundry whose second revision changed a schedule."""
    desk.run("merge", "-m", "first")
    desk.model(Sales="5 * * * *")
    desk.run("merge", "-m", "second")
    return desk


def test_a_plan_is_kept_applied_and_refused_the_second_time(desk: Desk) -> None:
    """Exit codes 2, 0 and 1; the error says what to do."""
    assert "dagfoundry apply p.json" in desk.run("plan", "--out", "p.json", code=2).stdout
    assert "revision 1" in desk.run("apply", "p.json", "-m", "by file").stdout
    error = desk.run("apply", "p.json", code=1).stderr
    assert error.count("error:") == 1
    assert "plan --out" in error
    (revision,) = desk.json("history")
    assert (revision["author"], revision["message"]) == ("Ada <ada@example.org>", "by file")
    assert revision["counts"] == {"created": 2}


def test_an_empty_plan_can_be_kept_and_applied(past: Desk) -> None:
    """Nothing to do is done with exit code 0, without a revision."""
    past.run("plan", "--out", "p.json")
    assert "(revision 2)" in past.run("apply", "p.json").stdout


def test_a_file_that_is_no_plan_is_one_error(desk: Desk) -> None:
    """A model given in a plan's place is told apart."""
    error = desk.run("apply", "model.yaml", code=1).stderr
    assert error.count("error:") == 1
    assert "model.yaml is no plan file" in error
    assert not (desk.folder / "store.db").exists()


def test_a_plan_that_would_be_refused_says_so(past: Desk) -> None:
    """The option that lifts the guard is named; with it nothing is said."""
    past.model(Sales="5 * * * *", Orders="5 * * * *")
    past.run("merge")
    past.model(Other="5 * * * *")
    reason = "refused without --allow-prune: this would retire all 2 entries"
    assert reason in past.run("plan", code=2).stdout
    assert "refused" not in past.run("plan", "--allow-prune", code=2).stdout
    assert list(past.json("plan", code=2)["needs"]) == ["allow_prune"]


def test_rows_are_shown_as_of_a_revision(past: Desk) -> None:
    """show, render and list look back; an unknown revision is one error with the range."""
    shown = past.json("show", "Sales", "--at", "1")
    assert shown["config"]["schedule_string"] == "0 * * * *"
    assert "5 * * * *" in past.run("render", "Sales").stdout
    assert "0 * * * *" in past.run("render", "Sales", "--at", "1").stdout
    assert [row["revision"] for row in past.json("list", "--at", "1")] == [1, 1, 1]
    for command in (["list", "--at", "3"], ["show", "Sales", "--at", "0"], ["diff", "1", "3"]):
        error = past.run(*command, code=1).stderr
        assert error.count("error:") == 1
        assert "its revisions: 1 to 2" in error


def test_history_of_an_entry_shows_its_fields(past: Desk) -> None:
    """In the table and as JSON; the limit is said."""
    shown = past.run("history", "--entry", "Sales", "--limit", "1").stdout
    assert "schedule_string  0 * * * *  5 * * * *" in shown
    assert "older ones" in shown
    assert "older ones" not in past.run("history", "--limit", "2").stdout
    newest = past.json("history", "--entry", "Sales")[0]
    assert newest["changes"][0]["fields"] == [
        {"field": "schedule_string", "before": "0 * * * *", "after": "5 * * * *"}
    ]
    assert "entry 'Nobody'" in past.run("history", "--entry", "Nobody", code=1).stderr


def test_diff_and_blame_name_field_and_revision(past: Desk) -> None:
    """Both ways, in words and as JSON."""
    assert "5 * * * *  0 * * * *" in past.run("diff", "2", "1").stdout
    (change,) = past.json("diff", "1", "2")
    assert (change["action"], change["key"]) == ("updated", "Sales")
    fields = {field["field"]: field for field in past.json("blame", "Sales")}
    assert fields["schedule_string"]["message"] == "second"
    assert fields["store_name"]["revision"] == 1
    assert "schedule_string" in past.run("blame", "Sales").stdout


def test_a_rollback_is_shown_first_and_then_done(past: Desk) -> None:
    """A dry run writes nothing; both say what is covered and what is not."""
    dry = past.run("rollback", "--to", "1", "--dry-run").stdout
    assert "1 to update, 1 unchanged (base revision 2)" in dry
    assert "not covered: the model in git" in dry
    done = past.json("rollback", "--to", "1")
    assert (done["revision"], done["to"], done["covered_rows"]) == (3, 1, 2)
    past.run("rollback", "--to", "2", "--entry", "Sales")
    assert [revision["message"] for revision in past.json("history")][:2] == [
        "rollback of entry 'Sales' to revision 2",
        "rollback of all to revision 1",
    ]


def test_a_removed_entry_is_undeleted(past: Desk) -> None:
    """It is active again, with its last config; a second time there is nothing to do."""
    past.model(Other="5 * * * *")
    past.run("merge")
    assert "1 restored" in past.run("undelete", "Sales", "-m", "too early").stdout
    assert "nothing to bring back" in past.run("undelete", "Sales").stdout
    shown = past.json("show", "Sales")
    assert (shown["status"], shown["config"]["schedule_string"]) == ("active", "5 * * * *")


def test_an_older_commit_is_refused_however_it_is_merged(desk: Desk) -> None:
    """The plan says so, its file keeps it, and both ways name the option."""
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    git += ["-c", "commit.gpgsign=false", "-C", str(desk.folder)]
    for number, schedule in enumerate(("0 * * * *", "5 * * * *")):
        desk.model(Sales=schedule)
        for command in (["init", "-q"], ["add", "model.yaml"], ["commit", "-qm", f"{number}"]):
            subprocess.run([*git, *command], check=True)
    desk.run("merge")
    subprocess.run([*git, "checkout", "-q", "HEAD~1"], check=True)
    assert "refused without --allow-older" in desk.run("plan", "--out", "p.json", code=2).stdout
    for command in (["merge"], ["apply", "p.json"]):
        assert "use --allow-older" in desk.run(*command, code=1).stderr
    assert "1 updated" in desk.run("apply", "p.json", "--allow-older").stdout
    newest, first = desk.json("history")
    assert (newest["model_commit"], len(first["model_commit"])) != (first["model_commit"], 0)
