"""Allows BashOperator: whoever may merge a model may run any command on a worker."""

from __future__ import annotations

from typing import Final

from dagfoundry_dagfactory import AllowedOperator

OPERATORS: Final = (
    AllowedOperator(
        names=(
            "airflow.operators.bash.BashOperator",
            "airflow.operators.bash_operator.BashOperator",
            "airflow.providers.standard.operators.bash.BashOperator",
            "BashOperator",
        ),
        classes=(
            "airflow.providers.standard.operators.bash:BashOperator",
            "airflow.operators.bash:BashOperator",
        ),
        arguments=(
            "append_env",
            "bash_command",
            "cwd",
            "env",
            "output_encoding",
            "skip_on_exit_code",
        ),
        required=("bash_command",),
        any_template=True,
    ),
)
