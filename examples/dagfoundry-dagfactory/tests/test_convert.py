"""dag-factory's published examples become items, or say what cannot be carried over."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from typer.testing import CliRunner

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.model import LoadedModel

pytestmark = pytest.mark.usefixtures("installed")

EXAMPLES = Path(__file__).parent / "data" / "dag-factory"
CODE = "is code, which an entry cannot hold"
NOT_ALLOWED = "is not allowed in this installation"
DECORATOR = "'decorator' would be code"
REQUIRED = "operator: Field required"
REFUSED = {
    "airflow2/example_custom_py_object_dag.yml": ["'executor_config' would be code"],
    "airflow2/example_customize_operator.yml": [NOT_ALLOWED],
    "airflow2/example_dag_factory_default_config.yml": [REQUIRED],
    "airflow2/example_dag_factory_multiple_config.yml": [CODE],
    "airflow2/example_taskflow.yml": [DECORATOR],
    "airflow2/example_user_defined_macros.yml": ["user_defined_macros: cannot be carried over"],
    "airflow3/example_custom_py_object_dag.yml": ["'executor_config' would be code"],
    "airflow3/example_customize_operator.yml": [NOT_ALLOWED],
    "airflow3/example_dag_factory_default_config.yml": [REQUIRED],
    "airflow3/example_dag_factory_multiple_config.yml": [CODE],
    "airflow3/example_taskflow.yml": [DECORATOR],
    "airflow3/example_user_defined_macros.yml": ["user_defined_macros: cannot be carried over"],
    "asset_triggered_dags.yml": ["is no URI of a dataset"],
    "comparison/example_pypi_stats_dagfactory.yml": [DECORATOR],
    "datasets/example_config_datasets.yml": ["is no mapping"],
    "datasets/example_dag_datasets.yml": ["is no URI of a dataset"],
    "datasets/example_dag_datasets_outlet_inlet.yml": [REQUIRED],
    "datasets/example_dataset_or_timetable_schedule.yml": ["for datasets and for a time"],
    "defaults.yml": ["tasks: Field required"],
    "example_callbacks.yml": [CODE, "'on_success_callback' would be code"],
    "example_http_operator_task.yml": [NOT_ALLOWED],
    "example_map_index_template.yml": [DECORATOR],
    "example_multiple_outputs_taskflow.yml": [DECORATOR],
    "example_object_storage.yml": [NOT_ALLOWED, "'__type__' would make an object"],
    "example_simple_http_operator_task.yml": [NOT_ALLOWED],
    "external_task_sensor.yml": ["'execution_date_fn' would be code", "should match pattern"],
    "kpo.yml": [NOT_ALLOWED],
}
"""Files of which something cannot be carried over, and what is said of it."""

FILES = sorted(str(file.relative_to(EXAMPLES)) for file in EXAMPLES.rglob("*.yml"))


def convert(*arguments: object) -> tuple[int, str, str]:
    """Run the command and return exit code, output and messages."""
    from dagfoundry_dagfactory.cli import app

    done = CliRunner().invoke(app, ["convert", *map(str, arguments)])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, done.stdout, done.stderr


def items(text: str) -> dict[str, dict[str, Any]]:
    """Return the items of a section by name."""
    return {item["name"]: item for item in yaml.safe_load(text)["dagfactory_dags"]}


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a file of dag-factory."""

    def written(text: str) -> Path:
        path = tmp_path / "dags.yml"
        path.write_text(text)
        return path

    return written


@pytest.mark.parametrize("name", FILES)
def test_a_published_example_is_converted_or_says_why_not(
    name: str, load: Callable[[str], LoadedModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written is a model; where something is refused, nothing is written."""
    monkeypatch.setenv("CONFIG_ROOT_DIR", str(EXAMPLES))
    options = ("--expand", "CONFIG_ROOT_DIR", "--defaults", EXAMPLES / "defaults.yml")
    code, output, messages = convert(EXAMPLES / name, *options)
    wanted = REFUSED.get(name, [])
    assert code == (1 if wanted else 0), messages
    assert [words for words in wanted if words not in messages] == []
    if wanted:
        assert output == ""
        assert "nothing was written" in messages
    else:
        assert load(output).items


def test_defaults_are_merged_as_dag_factory_does(file: Callable[[str], Path]) -> None:
    """Mappings are joined, lists are not; default_args of the DAG go first."""
    path = file(
        """
        default:
          default_args: {owner: all, retries: 2, start_date: 2024-01-01, depends_on_past: true,
            retry_delay: {__type__: datetime.timedelta, minutes: 1}}
          schedule: "0 1 * * *"
          concurrency: 3
          default_view: tree
        one:
          default_args: {owner: mine}
          tasks: [{task_id: a, operator: EmptyOperator}]
        two:
          schedule_interval: None
          dagrun_timeout: {__type__: datetime.timedelta, hours: 1}
          tasks: {a: {operator: EmptyOperator}}
        """
    )
    code, output, messages = convert(path)
    assert code == 0, messages
    assert "default_view is left out" in messages
    assert items(output)["one"] == {
        "name": "one",
        "owner": "mine",
        "schedule": "0 1 * * *",
        "start_date": "2024-01-01T00:00:00",
        "retries": 2,
        "retry_delay": 60,
        "default_args": {"depends_on_past": True},
        "tasks": {"a": {"operator": "EmptyOperator"}},
        "max_active_tasks": 3,
    }


def test_a_condition_becomes_a_mapping(file: Callable[[str], Path]) -> None:
    """& binds closer than |, as in Python."""
    condition = "'s3://a & s3://b | (s3://c)'"
    text = f"x: {{schedule: {{datasets: {condition}}}, tasks: {{t: {{operator: EmptyOperator}}}}}}"
    _, output, _ = convert(file(text))
    assert items(output)["x"]["schedule"] == {
        "__or__": [{"__and__": ["s3://a", "s3://b"]}, "s3://c"]
    }


@pytest.mark.parametrize("condition", ["(a & b", "a &", "a b", "", ")", "a | | b"])
def test_a_condition_that_is_incomplete_is_refused(
    file: Callable[[str], Path], condition: str
) -> None:
    """Nothing is guessed."""
    text = (
        f"x: {{schedule: {{datasets: '{condition}'}}, tasks: {{t: {{operator: EmptyOperator}}}}}}"
    )
    code, output, messages = convert(file(text))
    assert (code, output) == (1, "")
    assert "its condition" in messages


def test_a_start_date_that_moves_is_fixed_and_said(file: Callable[[str], Path]) -> None:
    """Two days ago is a date from now on."""
    path = file("x: {start_date: 2 days, tasks: {t: {operator: EmptyOperator}}}")
    code, output, messages = convert(path)
    assert code == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT00:00:00", items(output)["x"]["start_date"])
    assert "counted from today" in messages


def test_a_name_that_a_model_does_not_take_is_changed_and_shown(
    file: Callable[[str], Path],
) -> None:
    """The old name stays what Airflow's UI shows; two DAGs never become one."""
    path = file("a-b: {tasks: {t: {operator: EmptyOperator}}}")
    _, output, messages = convert(path)
    assert items(output)["a_b"]["dag_display_name"] == "a-b"
    assert "its item is named 'a_b'" in messages
    path.write_text("a-b: &d {tasks: {t: {operator: EmptyOperator}}}\na.b: *d")
    code, output, messages = convert(path)
    assert (code, output) == (1, "")
    assert "becomes item 'a_b' too" in messages
    assert convert(path, "--without", "a.b")[0] == 0


def test_no_environment_variable_is_read_unless_it_is_named(
    file: Callable[[str], Path],
    load: Callable[[str], LoadedModel],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A secret of the shell never lands in a model; ``${`` stays what a shell reads."""
    monkeypatch.setenv("SECRET", "s3cret")
    text = "x: {tasks: {t: {operator: BashOperator, bash_command: 'echo $SECRET ${SECRET}'}}}"
    _, output, _ = convert(file(text))
    (item,) = load(output).items
    assert item.item.tasks["t"].arguments["bash_command"] == "echo $SECRET ${SECRET}"
    assert "echo s3cret s3cret" in convert(file(text), "--expand", "SECRET")[1]


def test_a_tag_of_python_is_refused(file: Callable[[str], Path]) -> None:
    """It would run code when the file is read."""
    code, output, messages = convert(file("x: {a: !!python/name:os.system ''}"))
    assert (code, output) == (1, "")
    assert "cannot be read" in messages


def test_a_file_is_written_whole_or_not_at_all(file: Callable[[str], Path], tmp_path: Path) -> None:
    """A refused DAG keeps the others from being written as well."""
    good, bad = "x: {tasks: {t: {operator: EmptyOperator}}}", "\ny: {tasks: {t: {operator: Z}}}"
    target = tmp_path / "model.yaml"
    assert convert(file(good + bad), "--output", target)[0] == 1
    assert not target.exists()
    assert convert(file(good + bad), "--output", target, "--without", "y")[0] == 0
    assert list(items(target.read_text())) == ["x"]
    assert convert(file(good), "--without", "unknown")[0] == 1
