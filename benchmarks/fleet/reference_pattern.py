"""One file that reads all rows and builds all DAGs at every parse and every task start.

That is what the reference system does (its rows, its DAGs, written here anew): an engine
is made at import, one query reads the factories, one more the entries of each, and every
row becomes a DAG among the file's globals. Its tasks are the operators that ours are made
of, so the two differ only in how rows become DAGs.
"""

from __future__ import annotations

from typing import Final

from fleet.airflows import AIRFLOW_2

_TEXT: Final = '''\
"""All DAGs of the table, built whenever Airflow parses this file."""

import json
from datetime import datetime, timedelta, timezone

from airflow.providers.common.compat.sdk import DAG, Asset
from {standard}.{empty} import EmptyOperator
from {standard}.{trigger} import TriggerDagRunOperator
from dagfoundry_airflow.operators import BranchOnResult, FunctionOperator, JobOperator
from sqlalchemy import create_engine, text

URL = {url!r}
ARGUMENTS = {{
    "owner": "datasurface",
    "depends_on_past": False,
    "retries": 0,
    "retry_delay": timedelta(minutes=5),
}}
COMMON = {{
    "start_date": datetime(2025, 1, 1, tzinfo=timezone.utc),
    "catchup": False,
    "max_active_runs": 1,
    "is_paused_upon_creation": False,
    "default_args": ARGUMENTS,
}}
JOB = ("-m", "dagfoundry_platform.job", "snapshot-merge")


def read(statement):
    engine = create_engine(URL)
    with engine.connect() as connection:
        return connection.execute(text(statement)).fetchall()


def synchronise():
    return {{}}


def stream(config):
    platform, key = config["platform_name"], config["stream_key"]
    dag_id = f"{{platform}}__{{key}}_ingestion"
    own = config["dagfoundry"]
    spec = {{name: own[name] for name in ("source", "datasets", "merge_store", "milestoning")}}
    spec |= {{"platform": config["original_platform_name"], "store": config["store_name"]}}
    assets = [f"x-dagfoundry://bench/{{platform}}/{{key}}/{{name}}" for name in config["datasets"]]
    with DAG(
        dag_id=dag_id,
        schedule=config["schedule_string"],
        tags=["datasurface", "ingestion", platform, key],
        **COMMON,
    ) as dag:
        job = JobOperator(
            task_id="snapshot_merge_job",
            command=JOB,
            spec=spec,
            platform_name=platform,
            entry_key=key,
            outlets=[Asset(uri=uri) for uri in assets],
            priority_weight=config["priority"],
            weight_rule="absolute",
        )
        check = BranchOnResult(
            task_id="check_result",
            job="snapshot_merge_job",
            done="wait_for_trigger",
            keep_working="reschedule_immediately",
        )
        again = TriggerDagRunOperator(
            task_id="reschedule_immediately",
            trigger_dag_id=dag_id,
            conf={{"triggered_by": "reschedule"}},
        )
        job >> check >> [again, EmptyOperator(task_id="wait_for_trigger")]
    return dag


def factory(config):
    platform = config["platform_name"]
    with DAG(dag_id=f"{{platform}}_factory_dag", schedule="*/5 * * * *", **COMMON) as dag:
        FunctionOperator(task_id="sync_dynamic_dags", function=synchronise, arguments={{}})
    for (row,) in read(
        f"SELECT config_json FROM {{config['phys_dag_table_name']}} WHERE status = 'active'"
    ):
        made = stream(json.loads(row))
        globals()[made.dag_id] = made
    return dag


with DAG(dag_id="bench_infrastructure", schedule="@daily", **COMMON) as infrastructure:
    EmptyOperator(task_id="start_infrastructure_tasks")
for (row,) in read("SELECT config_json FROM bench_factory_dags WHERE status = 'active'"):
    made = factory(json.loads(row))
    globals()[made.dag_id] = made
'''


def write(url: str) -> str:
    """Return the file.

    Args:
        url: The store's, with its password: the reference reads its own from the environment.
    """
    where = {"standard": "airflow.operators", "empty": "empty", "trigger": "trigger_dagrun"}
    if not AIRFLOW_2:
        where["standard"] = "airflow.providers.standard.operators"
    return _TEXT.format(url=url, **where)
