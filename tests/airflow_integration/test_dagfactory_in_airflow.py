"""dag-factory's published examples, moved to a foundry and served by a real Airflow."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from airflow_client import AIRFLOW_2
from airflow_environment import free_port, inherited
from airflow_processes import AirflowProcesses
from example_packages import EXAMPLES, install_examples
from live_airflow import Live
from sqlalchemy.engine import make_url

from dagfoundry.store import open_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.both_majors

DATA = EXAMPLES / "dagfoundry-dagfactory" / "tests" / "data"
GRAPHS = Path(__file__).parents[1] / "support" / "dagfactory_graphs.py"
OWN = "airflow2" if AIRFLOW_2 else "airflow3"
FILES = [
    f"{OWN}/example_dag_factory_default_args.yml",
    f"{OWN}/example_dynamic_task_mapping.yml",
    f"{OWN}/example_jinja2_template_dag.yml",
    f"{OWN}/example_params.yml",
    f"{OWN}/example_task_group.yml",
    "comparison/example_hackernews_dagfactory.yml",
    "datasets/example_dag_datasets.yml",
    "datasets/example_dataset_condition_string.yml",
    "example_dag_factory.yml",
    "example_dag_factory_default_config_dict.yml",
    "example_dag_factory_tasks_taskgroups_as_dict_format.yml",
    "example_timetable_schedule.yml",
]
ALIAS = "example_simple_dataset_alias_dag"
MAPPED = "test_expand" if AIRFLOW_2 else "dynamic_task_map"
RUN = ("basic_example_dag", "example_params", MAPPED)
GROUPED = "example_task_group" if AIRFLOW_2 else "task_group"
FOUNDRY = """
foundry: Living
buckets: 2
platforms: [{name: Alive, merge_store: {url_variable: PROBING_MERGE_URL}}]
"""


@dataclass(frozen=True)
class Moved:
    """The examples as a foundry, and what every process needs to serve it."""

    folder: Path
    environment: dict[str, str]
    graphs: dict[str, dict[str, list[str]]]

    def run(self, *command: str) -> str:
        """Run a Python program and return its output."""
        environment = inherited() | self.environment
        done = subprocess.run(
            [sys.executable, *command],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def result(output: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a program printed as its result, whatever Airflow printed around it."""
    (line,) = [line for line in output.splitlines() if line.startswith("result=")]
    return json.loads(line.removeprefix("result="))


def dag_id(name: str) -> str:
    """Return the DAG id of an item."""
    return f"alive__{name}_dagfactory"


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Moved:
    """Convert the examples and merge them, as a user does."""
    folder = tmp_path_factory.mktemp("moved")
    packages = ("dagfoundry-dagfactory", "dagfoundry-dagfactory/bash")
    site = install_examples(folder / "site", *packages)
    shutil.copytree(DATA / "callables", site, dirs_exist_ok=True)
    shutil.copytree(DATA / "dag-factory", folder / "dag-factory")
    shutil.copytree(DATA / "callables", folder / "dag-factory", dirs_exist_ok=True)
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "CONFIG_ROOT_DIR": str(folder / "dag-factory"),
        "DAGFOUNDRY_HOME": str(folder / "home"),
        "DAGFOUNDRY_MODEL": str(folder / "model"),
        "DAGFOUNDRY_STORE_URL": f"sqlite:///{folder / 'store.db'}",
        "PROBING_MERGE_URL": f"sqlite:///{folder / 'merge.db'}",
        "PYTHONPATH": path,
    }
    (folder / "model").mkdir()
    (folder / "model" / "foundry.yaml").write_text(FOUNDRY)
    made = Moved(folder=folder, environment=environment, graphs={})
    files = [f"dag-factory/{file}" for file in FILES]
    options = ["--expand", "CONFIG_ROOT_DIR", "--without", ALIAS]
    options += ["--defaults", "dag-factory/defaults.yml", "--output", "model/dags.yaml"]
    made.run("-m", "dagfoundry", "dagfactory", "convert", *files, *options)
    made.run("-m", "dagfoundry", "merge", "model", "-m", "from dag-factory")
    made.graphs.update(result(made.run(str(GRAPHS), "dagfoundry", "Living")))
    return made


def test_the_graphs_are_those_of_dag_factory(moved: Moved) -> None:
    """Task ids and edges of each DAG equal what dag-factory builds of the same file."""
    place = os.environ.get("DAG_FACTORY")
    if place is None:
        pytest.skip("nox installs dag-factory beside and sets DAG_FACTORY")
    files = [str(moved.folder / "dag-factory" / file) for file in FILES]
    path = os.pathsep.join([place, str(moved.folder / "dag-factory")])
    there = Moved(moved.folder, moved.environment | {"PYTHONPATH": path}, {})
    built = result(there.run(str(GRAPHS), "dag-factory", *files))
    theirs = {
        name: graph
        for dags in built.values()
        if isinstance(dags, dict)
        for name, graph in dags.items()
        if name != ALIAS
    }
    assert len(theirs) >= 7
    assert {name: moved.graphs[name] for name in theirs} == theirs


def test_every_example_has_its_tasks(moved: Moved) -> None:
    """Groups stand before the ids of their tasks, also where dag-factory itself gives up."""
    assert len(moved.graphs) == 17
    assert moved.graphs["basic_example_dag_dict_format"] == {
        "task_1": ["example_task_group.task_3", "task_2"],
        "task_2": [],
        "example_task_group.task_3": [],
    }
    assert moved.graphs[GROUPED]["task_1"] == [
        "task_group_1.task_2",
        "task_group_1.task_group_2.task_4",
    ]
    assert moved.graphs[MAPPED] == {"request": ["process"], "process": []}


@pytest.fixture(scope="module")
def served(
    moved: Moved, settings_of_tests: dict[str, str], request: pytest.FixtureRequest
) -> Iterator[Live]:
    """A real Airflow that serves the examples."""
    home = moved.folder / "airflow"
    model = moved.folder / "model" / "dags.yaml"
    items = yaml.safe_load(model.read_text())["dagfactory_dags"]
    idle = [
        item | ({"schedule": None} if item["name"] in RUN else {"enabled": False}) for item in items
    ]
    model.write_text(json.dumps({"dagfactory_dags": idle}))
    moved.run("-m", "dagfoundry", "merge", "model", "-m", "none of them runs by itself")
    environment = moved.environment | settings_of_tests
    if AIRFLOW_2:
        database: Callable[[str], str] = request.getfixturevalue("postgres")
        environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = database("moved")
        (home / "dags").mkdir(parents=True, exist_ok=True)
        install = ("airflow2", "install", str(home / "dags"), "--foundry", "Living")
        moved.run("-m", "dagfoundry", *install, "--shards", "2")
    store = open_store(make_url(environment["DAGFOUNDRY_STORE_URL"]), timeout_seconds=30)
    airflow = AirflowProcesses(home, free_port(), environment)
    with airflow:
        airflow.wait_healthy()
        yield Live(airflow, store, moved.folder / "model")
    store.close()


def test_airflow_lists_every_example(served: Live, moved: Moved) -> None:
    """Each DAG is there, without an import error, with the tasks that were built."""
    expected = {dag_id(name) for name in moved.graphs}
    served.until(lambda: expected <= served.dags().keys())
    assert served.airflow.api.get("/importErrors")["import_errors"] == []
    found = served.airflow.api.get(f"/dags/{dag_id(GROUPED)}/tasks")["tasks"]
    tasks = {task["task_id"]: sorted(task["downstream_task_ids"]) for task in found}
    assert tasks == moved.graphs[GROUPED]


@pytest.mark.parametrize("name", RUN)
def test_an_example_runs(served: Live, name: str) -> None:
    """Bash, templates, an allowed Python callable and mapped tasks end with success."""
    served.until(lambda: dag_id(name) in served.dags())
    run_id = served.run(dag_id(name))
    if name == "example_params":
        assert "model version 1.0.0 and url: localhost" in served.task_logs(dag_id(name), run_id)
