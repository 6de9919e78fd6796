"""Which templates may stand in an argument of an operator.

Airflow evaluates a template when the task runs, and a template can read every connection
and variable of the platform. So an operator takes only the plain facts of a run and what a
task before it returned, unless who allowed it says otherwise.
"""

from __future__ import annotations

import re
from typing import Final

_FACTS: Final = (
    "ds", "ds_nodash", "ts", "ts_nodash", "ts_nodash_with_tz", "run_id", "logical_date",
    "data_interval_start", "data_interval_end", r"params\.\w+", r"dag\.dag_id", r"task\.task_id",
    r"dag_run\.run_id",
)  # fmt: skip
_PULL: Final = (
    r"(?:ti|task_instance)\.xcom_pull\((?:task_ids=)?(?P<q>['\"])[\w.-]+(?P=q)"
    r"(?:, *key=(?P<k>['\"])[\w.-]+(?P=k))?\)"
)
_PLAIN: Final = re.compile(r"\{\{\s*(?:" + "|".join((*_FACTS, _PULL)) + r")\s*\}\}")
_OPENING: Final = re.compile(r"\{[{%#]")

REMEDY: Final = (
    "Use the plain facts of a run, such as {{ ds }}, {{ run_id }} or {{ params.name }}, or "
    "{{ ti.xcom_pull('task') }}; or have an operator allowed that takes any template."
)


def is_plain(text: str) -> bool:
    """Return whether a text holds no template but plain ones.

    Example::

        >>> is_plain("on {{ ds }}"), is_plain("{{ conn.warehouse.password }}")
        (True, False)
    """
    return _OPENING.search(_PLAIN.sub("", text)) is None
