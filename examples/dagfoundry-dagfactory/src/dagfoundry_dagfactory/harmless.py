"""The operators that are allowed by default: none of them runs what an entry says.

Those that call Python call only allowed callables, of which there is none by default.
"""

from __future__ import annotations

from typing import Final

from dagfoundry_dagfactory.allowed import AllowedOperator

_CALL: Final = ("op_args", "op_kwargs", "python_callable", "show_return_value_in_logs")
_SENSOR: Final = ("exponential_backoff", "mode", "poke_interval", "soft_fail", "timeout")


def _names(module: str, name: str, *old: str) -> tuple[str, ...]:
    """Return how entries may write an operator that Airflow has had in several modules."""
    return (name, f"airflow.providers.standard.{module}.{name}", f"airflow.{module}.{name}", *old)


def _classes(module: str, name: str) -> tuple[str, ...]:
    """Return where that operator is in Airflow 3, and in Airflow 2."""
    return (f"airflow.providers.standard.{module}:{name}", f"airflow.{module}:{name}")


OPERATORS: Final = (
    AllowedOperator(
        names=_names(
            "operators.empty",
            "EmptyOperator",
            "airflow.operators.dummy.DummyOperator",
            "airflow.operators.dummy_operator.DummyOperator",
            "DummyOperator",
        ),
        classes=_classes("operators.empty", "EmptyOperator"),
    ),
    AllowedOperator(
        names=_names("operators.latest_only", "LatestOnlyOperator"),
        classes=_classes("operators.latest_only", "LatestOnlyOperator"),
    ),
    AllowedOperator(
        names=_names(
            "operators.python", "PythonOperator", "airflow.operators.python_operator.PythonOperator"
        ),
        classes=_classes("operators.python", "PythonOperator"),
        arguments=_CALL,
        required=("python_callable",),
        callables=("python_callable",),
    ),
    AllowedOperator(
        names=_names(
            "operators.python",
            "BranchPythonOperator",
            "airflow.operators.python_operator.BranchPythonOperator",
        ),
        classes=_classes("operators.python", "BranchPythonOperator"),
        arguments=_CALL,
        required=("python_callable",),
        callables=("python_callable",),
    ),
    AllowedOperator(
        names=_names(
            "operators.python",
            "ShortCircuitOperator",
            "airflow.operators.python_operator.ShortCircuitOperator",
        ),
        classes=_classes("operators.python", "ShortCircuitOperator"),
        arguments=(*_CALL, "ignore_downstream_trigger_rules"),
        required=("python_callable",),
        callables=("python_callable",),
    ),
    AllowedOperator(
        names=_names(
            "sensors.python", "PythonSensor", "airflow.contrib.sensors.python_sensor.PythonSensor"
        ),
        classes=_classes("sensors.python", "PythonSensor"),
        arguments=("op_args", "op_kwargs", "python_callable", *_SENSOR),
        required=("python_callable",),
        callables=("python_callable",),
    ),
    AllowedOperator(
        names=_names(
            "operators.trigger_dagrun",
            "TriggerDagRunOperator",
            "airflow.operators.dagrun_operator.TriggerDagRunOperator",
        ),
        classes=_classes("operators.trigger_dagrun", "TriggerDagRunOperator"),
        arguments=(
            "allowed_states",
            "conf",
            "failed_states",
            "poke_interval",
            "trigger_dag_id",
            "wait_for_completion",
        ),
        required=("trigger_dag_id",),
        dags=("trigger_dag_id",),
    ),
    AllowedOperator(
        names=_names(
            "sensors.external_task",
            "ExternalTaskSensor",
            "airflow.sensors.external_task_sensor.ExternalTaskSensor",
        ),
        classes=_classes("sensors.external_task", "ExternalTaskSensor"),
        arguments=(
            "allowed_states",
            "check_existence",
            "execution_delta",
            "external_dag_id",
            "external_task_group_id",
            "external_task_id",
            "external_task_ids",
            "failed_states",
            "skipped_states",
            *_SENSOR,
        ),
        required=("external_dag_id",),
        durations=("execution_delta",),
        dags=("external_dag_id",),
    ),
)
