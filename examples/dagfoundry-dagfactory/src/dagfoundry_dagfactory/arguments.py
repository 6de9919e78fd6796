"""The arguments that every operator takes, and those that are code in dag-factory's YAML."""

from __future__ import annotations

from typing import Final

COMMON: Final = frozenset(
    {
        "depends_on_past", "do_xcom_push", "doc_md", "email", "email_on_failure",
        "email_on_retry", "end_date", "execution_timeout", "ignore_first_depends_on_past",
        "inlets", "max_active_tis_per_dag", "max_active_tis_per_dagrun", "max_retry_delay",
        "outlets", "owner", "params", "pool", "pool_slots", "priority_weight", "queue", "retries",
        "retry_delay", "retry_exponential_backoff", "start_date", "task_display_name",
        "trigger_rule", "wait_for_downstream", "weight_rule",
    }
)  # fmt: skip
"""What is data in every operator of Airflow 2.10 to 3.3, and changes no other user's tasks."""

DURATIONS: Final = frozenset({"execution_timeout", "max_retry_delay", "retry_delay"})
MOMENTS: Final = frozenset({"end_date", "start_date"})
ASSETS: Final = frozenset({"inlets", "outlets"})
BY_DEFAULT: Final = COMMON - ASSETS - {"task_display_name"}
"""What ``default_args`` may hold."""

CHOICES: Final = {
    "trigger_rule": (
        "all_done", "all_failed", "all_skipped", "all_success", "always", "none_failed",
        "none_failed_min_one_success", "none_skipped", "one_done", "one_failed", "one_success",
    ),
    "weight_rule": ("absolute", "downstream", "upstream"),
}  # fmt: skip
"""A weight rule of another name would be the import path of a class."""

_CALLBACK: Final = (
    "Report failures with Airflow's own alerts (`email_on_failure`, a listener that the "
    "platform's owner installs), or in a task with `trigger_rule: one_failed`."
)
_CALLABLE: Final = (
    "Install the function with a distribution that offers it in entry-point group "
    "'dagfoundry_dagfactory.callables', and write `python_callable: <its name there>`."
)
_OWN_OPERATOR: Final = (
    "Have the platform's owner allow an operator that does this by itself (entry-point group "
    "'dagfoundry_dagfactory.operators')."
)
_CODE: Final = {
    "decorator": "Write `operator: PythonOperator` with `python_callable`, `op_kwargs` and "
    "`dependencies`; {{ ti.xcom_pull('task') }} in `op_kwargs` is what a task before it returned.",
    "execution_date_fn": "Write `execution_delta`.",
    "executor_config": _OWN_OPERATOR,
    "python_callable_file": _CALLABLE,
    "python_callable_name": _CALLABLE,
    "response_check_file": _OWN_OPERATOR,
    "response_check_lambda": _OWN_OPERATOR,
    "response_check_name": _OWN_OPERATOR,
    "sla": "Write `execution_timeout`, or a DAG's `dagrun_timeout`.",
    "variables_as_arguments": "Write the value, or use `params`.",
}


def remedy_for_code(name: str) -> str | None:
    """Return what to write instead of an argument that is code in dag-factory's YAML, or None."""
    if "_callback" in name and name.startswith(("on_", "sla_")):
        return _CALLBACK
    if name.endswith(("_fn_file", "_fn_name", "_check_file", "_check_name", "_check_lambda")):
        return _CODE.get(name, _OWN_OPERATOR)
    return _CODE.get(name)
