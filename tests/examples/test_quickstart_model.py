"""The quickstart's model and the change that the demo makes to it, on the installed plugins."""

from __future__ import annotations

from pathlib import Path

import changes

from dagfoundry.desired import desired_rows
from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins

QUICKSTART = Path(changes.__file__).parent


def schedules(folder: Path) -> dict[str, object]:
    """Return the DAG id of each row of a model, with its schedule."""
    plugins = load_plugins()
    rows = desired_rows(load_model([folder], plugins), plugins)
    return {row.dag_id: row.config.get("schedule_string") for row in rows}


def test_becomes_the_dags_that_the_readme_lists() -> None:
    """The README's table of DAGs is what the model makes."""
    readme = (QUICKSTART / "README.md").read_text(encoding="utf-8")
    assert all(dag_id in readme for dag_id in schedules(QUICKSTART))
    assert len(schedules(QUICKSTART)) == 7


def test_the_change_adds_reschedules_and_removes_one_dag(tmp_path: Path) -> None:
    """A copy of the model has three changes, and nothing else differs."""
    before = schedules(QUICKSTART)
    after = schedules(changes.changed_model(tmp_path))

    assert set(after) - set(before) == {changes.ADDED_DAG}
    assert set(before) - set(after) == {changes.REMOVED_DAG}
    differing = {
        dag_id for dag_id in after.keys() & before.keys() if after[dag_id] != before[dag_id]
    }
    assert differing == {changes.RESCHEDULED_DAG}
