"""``dagfoundry wait`` and what a merge tells, where no Airflow is."""

from __future__ import annotations

import json
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
  - {name: Sales, source: {url_variable: SALES_URL}, datasets: [{name: orders}]}
"""
SERVER = """\
from contextlib import contextmanager

from dagfoundry.factories import Status
from dagfoundry.serving import DagServer, DagState, Readiness, ServedDag


def announce(store, head, since):
    print(f"told of {head.revision} after {since}")
    raise RuntimeError("it rains")


class Watch:
    def look(self, *, thorough):
        dags = [
            ServedDag(
                dag_id=f"dag{number}",
                status=Status.ACTIVE,
                revision=1,
                state=DagState.SCHEDULABLE,
                is_ready=True,
            )
            for number in range(60)
        ]
        return Readiness(foundry="Shop", revision=1, since=0, published=1, dags=tuple(dags))


@contextmanager
def watch(store, foundry, revision):
    yield Watch()


SERVER = DagServer(differences=lambda store, foundry: [], announce=announce, watch=watch)
"""


@pytest.fixture
def desk(tmp_path: Path) -> Shell:
    """A folder with a model."""
    (tmp_path / "model.yaml").write_text(MODEL)
    return Shell(folder=tmp_path)


@pytest.fixture
def served_desk(desk: Shell) -> Shell:
    """A folder with a model, where somebody is installed who serves DAGs."""
    package = desk.folder / "installed"
    metadata = package / "raining-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: raining\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[dagfoundry.serving]\nrain = raining:SERVER\n")
    (package / "raining.py").write_text(SERVER)
    return Shell(folder=desk.folder, variables={"PYTHONPATH": str(package)})


def test_wait_says_what_to_wait_for(desk: Shell) -> None:
    """There may be more than one thing one day."""
    assert "dagfoundry wait --ready" in desk.run("wait", code=1).stderr


def test_wait_without_anybody_who_serves_says_what_to_install(desk: Shell) -> None:
    """Core alone cannot ask Airflow."""
    desk.run("merge", "model.yaml")
    assert "Install dagfoundry-airflow" in desk.run("wait", "--ready", code=1).stderr
    found = desk.json("wait", "--ready", code=1)
    assert (found["ready"], found["error"]) == (False, "FoundryMissingError")


def test_merge_whose_wait_fails_is_merged_all_the_same(desk: Shell) -> None:
    """The plan is printed with what came of the wait."""
    found = desk.json("merge", "model.yaml", "--wait", code=1)
    assert (found["revision"], found["served"]["ready"]) == (1, False)
    assert [revision["revision"] for revision in desk.json("history")] == [1]


def test_who_serves_is_told_once_of_each_new_revision(served_desk: Shell) -> None:
    """Whatever goes wrong there is one line of warning and no failure."""
    first = served_desk.run("merge", "model.yaml")
    assert first.stderr == (
        "told of 1 after 0\n"
        "warning: rain was not told of revision 1 and looks by itself: RuntimeError: it rains\n"
    )
    again = served_desk.run("merge", "model.yaml")
    assert again.stderr == ""


def test_every_command_that_writes_tells(served_desk: Shell) -> None:
    """Plan files, hand edits and going back write as a merge does."""
    served_desk.run("plan", "model.yaml", "--out", "plan.json", code=2)
    assert "told of 1 after 0" in served_desk.run("apply", "plan.json").stderr
    served_desk.sql("UPDATE live_airflow_dsg SET config_json = '{}'")
    served_desk.sql("DELETE FROM live_airflow_dsg")
    assert "told of 2" in served_desk.run("drift", "--record", "--allow-prune").stderr
    assert "told of 3" in served_desk.run("rollback", "--to", "1").stderr
    (served_desk.folder / "model.yaml").write_text(MODEL.partition("stores:")[0])
    served_desk.run("merge", "model.yaml", "--allow-prune")
    assert "told of 5" in served_desk.run("undelete", "Sales").stderr


def test_long_table_is_cut_and_json_is_not(served_desk: Shell) -> None:
    """Of 60 DAGs a person sees 50."""
    served_desk.run("merge", "model.yaml")
    done = served_desk.run("wait", "--ready")
    assert "and 10 more DAGs" in done.stdout
    assert "60 of 60 DAGs ready" in done.stdout
    found = json.loads(served_desk.run("wait", "--ready", "--json").stdout)
    assert (found["ready"], len(found["dags"])) == (True, 60)
