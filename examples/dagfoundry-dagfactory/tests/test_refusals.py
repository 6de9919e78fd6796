"""What is wrong with a DAG is one located error each, at a merge and without Airflow."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from jsonschema import Draft202012Validator
from sqlalchemy.engine import make_url

from dagfoundry.errors import ModelInvalidError
from dagfoundry.merge import Guards, merge
from dagfoundry.model.json_schema import model_schema
from dagfoundry.plugins import load_plugins
from dagfoundry.store import Source, open_store
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.errors import Finding
    from dagfoundry.model import LoadedModel

HEAD = "foundry: Acme\nplatforms: [{name: Live, merge_store: {url_variable: M}}]\n"
TASKS = """
dagfactory_dags:
  - name: one
    tasks:
"""

CIRCLE = """
a: {operator: EmptyOperator, dependencies: [b]}
b: {operator: EmptyOperator, dependencies: [a]}
"""
SECRET = """
a:
  operator: TriggerDagRunOperator
  trigger_dag_id: one
  conf: {x: "{{ conn.warehouse.password }}"}
"""


@pytest.fixture
def findings(load: Callable[[str], LoadedModel], tmp_path: Path) -> Callable[[str], list[Finding]]:
    """Return what a merge finds wrong with a section."""

    def found(section: str) -> list[Finding]:
        store = open_store(make_url(f"sqlite:///{tmp_path / 'store.db'}"), timeout_seconds=5)
        origin = Origin(author="Ada", message="", source=Source.MERGE)
        try:
            merge(store, load(section), load_plugins(), origin=origin, guards=Guards())
        except ModelInvalidError as error:
            return list(error.findings)
        finally:
            store.close()
        return []

    return found


def tasks(text: str) -> str:
    """Return a section of one DAG that has these tasks."""
    return TASKS + textwrap.indent(textwrap.dedent(text), "      ")


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("a: {operator: os.system}", "a.operator", ["'os.system' is not allowed", "BashOperator"]),
        (
            "a: {operator: PythonOperator, python_callable: os.system}",
            "a.python_callable",
            ["Python callable 'os.system' is not allowed", "sample.read_params", "callables"],
        ),
        (
            "a: {operator: PythonOperator, python_callable: [sample.read_params]}",
            "a.python_callable",
            ["Python callable ['sample.read_params'] is not allowed"],
        ),
        (
            "a: {operator: BashOperator, bash_command: x, on_failure_callback: os.system}",
            "a.on_failure_callback",
            ["would be code", "email_on_failure"],
        ),
        (
            "a: {operator: BashOperator, bash_command: x, bash_comand: y}",
            "a.bash_comand",
            ["not allowed an argument", "Did you mean 'bash_command'"],
        ),
        ("a: {operator: BashOperator}", "a", ["needs the argument 'bash_command'"]),
        (
            "a: {operator: EmptyOperator, dependencies: [b]}",
            "a.dependencies[0]",
            ["unknown task or task group 'b'"],
        ),
        (
            CIRCLE,
            "a.dependencies",
            ["in a circle"],
        ),
        (
            "a: {operator: EmptyOperator, dependencies: [a]}",
            "a.dependencies",
            ["in a circle: a -> a"],
        ),
        (
            "a: {operator: EmptyOperator, task_group_name: g}",
            "a.task_group_name",
            ["unknown task group 'g'"],
        ),
        (
            "a: {operator: EmptyOperator, trigger_rule: some}",
            "a.trigger_rule",
            ["'some' is no trigger rule", "all_done"],
        ),
        (
            "a: {operator: EmptyOperator, weight_rule: os.system}",
            "a.weight_rule",
            ["is no weight rule"],
        ),
        (
            "a: {operator: EmptyOperator, execution_timeout: soon}",
            "a.execution_timeout",
            ["'soon' is no duration"],
        ),
        (
            "a: {operator: EmptyOperator, execution_timeout: 1000000000000}",
            "a.execution_timeout",
            ["is no duration above zero"],
        ),
        (
            "a: {operator: EmptyOperator, params: {x: {__type__: os.system}}}",
            "a.params.x.__type__",
            ["would make an object"],
        ),
        (
            SECRET,
            "a.conf.x",
            ["template", "is not allowed here"],
        ),
        (
            "a: {operator: TriggerDagRunOperator, trigger_dag_id: other}",
            "a.trigger_dag_id",
            ["no entry of this foundry makes the DAG 'live__other_dagfactory'"],
        ),
        (
            "a: {operator: TriggerDagRunOperator, trigger_dag_id: '{{ ds }}'}",
            "a.trigger_dag_id",
            ["names no DAG"],
        ),
        (
            "a: {operator: EmptyOperator, expand: {params: 5}}",
            "a.expand.params",
            ["cannot be expanded"],
        ),
        (
            "a: {operator: PythonOperator, expand: {python_callable: [sample.read_params]}}",
            "a.expand.python_callable",
            ["cannot be expanded"],
        ),
    ],
)
def test_a_task_that_is_wrong_is_refused(
    findings: Callable[[str], list[Finding]], text: str, path: str, words: list[str]
) -> None:
    """The error names the file, the line, the key, the reason and what to do."""
    (finding,) = findings(tasks(text))
    assert finding.path == f"dagfactory_dags[0].tasks.{path}"
    assert finding.place is not None
    assert finding.place.line >= 6
    assert [word for word in words if word not in str(finding)] == []


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("on_failure_callback: os.system", ["carried over", "email_on_failure"]),
        ("schedule: every day", ["is no cron expression"]),
        ("schedule: [5]", ["5 is no URI of a dataset"]),
        ("schedule: {__xor__: [a, b]}", ["is no schedule", "__or__"]),
        ("timezone: Mars", ["is no time zone"]),
        ("start_date: 2 days", ["is no date", "another DAG each day"]),
        ("start_date: 2025-01-01T00:00:00+02:00", ["has a time zone of its own"]),
        ("schedule_interval: '@daily'", ["Name it `schedule`"]),
        ("max_active_runs: 0", ["greater than or equal to 1"]),
        ("task_groups: [{group_name: g}]", ["is a list", "dagfactory convert"]),
        ("default_args: {on_retry_callback: os.system}", ["would be code"]),
        ("default_args: {bash_command: ls}", ["is not allowed an argument 'bash_command'"]),
        ("task_groups: {a: {}}", ["a task is named 'a' as well"]),
        ("task_groups: {g: {parent_group_name: h}}", ["unknown task group 'h'"]),
        ("task_groups: {g: {parent_group_name: g}}", ["is part of itself"]),
    ],
)
def test_a_key_that_is_wrong_is_refused(
    findings: Callable[[str], list[Finding]],
    load: Callable[[str], LoadedModel],
    key: str,
    words: list[str],
) -> None:
    """A key of dag-factory that cannot be carried over says what to write instead."""
    task = "tasks: {a: {operator: EmptyOperator}}"
    section = f"dagfactory_dags:\n  - name: one\n    {key}\n    {task}\n"
    try:
        load(section)
    except ModelInvalidError as error:
        (finding,) = error.findings
    else:
        (finding,) = findings(section)
    assert finding.place is not None
    assert finding.place.line == 5
    assert [word for word in words if word not in str(finding)] == []


def test_plain_templates_and_both_names_of_an_operator_are_allowed(
    findings: Callable[[str], list[Finding]],
) -> None:
    """The facts of a run and what a task returned may stand in any argument."""
    section = tasks(
        """
        a:
          operator: airflow.operators.bash.BashOperator
          bash_command: "{{ macros.ds_add(ds, 1) }}"
        b: {operator: airflow.providers.standard.operators.bash.BashOperator, bash_command: ls}
        c:
          operator: TriggerDagRunOperator
          trigger_dag_id: one
          conf: {day: "{{ ds }}", got: "{{ ti.xcom_pull('a') }}"}
        d: {operator: ExternalTaskSensor, external_dag_id: live__one_dagfactory}
        """
    )
    assert findings(section) == []


def test_an_entry_point_that_fails_is_named(
    findings: Callable[[str], list[Finding]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who misses an operator learns that its distribution is broken."""
    info = tmp_path / "broken" / "broken-2.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 2.0\n")
    text = "[dagfoundry_dagfactory.operators]\nx = not_there:OPERATORS\ny = json:dumps\n"
    (info / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(info.parent)
    (finding,) = findings(tasks("a: {operator: Missing}"))
    assert "broken 2.0: not_there:OPERATORS: ModuleNotFoundError" in finding.remedy
    assert "broken 2.0: json:dumps is no AllowedOperator" in finding.remedy


def test_a_name_that_two_distributions_offer_is_allowed_by_neither(
    findings: Callable[[str], list[Finding]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can take over the name of another one's operator."""
    info = tmp_path / "second" / "second-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: second\nVersion: 1.0\n")
    text = "[dagfoundry_dagfactory.operators]\nz = dagfoundry_dagfactory_bash:OPERATORS\n"
    (info / "entry_points.txt").write_text(text)
    monkeypatch.syspath_prepend(info.parent)
    (finding,) = findings(tasks("a: {operator: BashOperator, bash_command: ls}"))
    assert "'BashOperator' is not allowed" in finding.what
    assert "is offered by dagfoundry-dagfactory-bash 0.1.0 and by second 1.0" in finding.remedy


def test_the_entry_of_the_readme_is_one(findings: Callable[[str], list[Finding]]) -> None:
    """What the README shows can be merged, and an editor takes it."""
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    section = readme.split("```yaml\n")[1].split("```")[0]
    assert findings(section) == []
    model = yaml.load(HEAD + section, yaml.BaseLoader)  # noqa: S506 - the one that makes only text
    Draft202012Validator(model_schema(load_plugins())).validate(model)
