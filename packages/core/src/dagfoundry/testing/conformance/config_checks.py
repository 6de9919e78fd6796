"""Rows as an older release, another tool or a hand has written them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.names import dag_id_of
from dagfoundry.testing.attempts import attempt_builds
from dagfoundry.upcast import stamp_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dagfoundry.store.records import RowState
    from dagfoundry.testing.conformance.subject import Subject

_OTHER_KEY: Final = "Another"
_WRONG: Final[tuple[Any, ...]] = ({"unexpected": 1}, [["unexpected"]], 7.5, None)


def check_bad_configs(subject: Subject) -> None:
    """Refuse a type that ends with a bare exception, or makes another DAG, of a bad row."""
    broken = list(_broken_rows(subject))
    attempts = attempt_builds([row for row, _ in broken])
    for (row, what), attempt in zip(broken, attempts, strict=True):
        if attempt.fault:
            problem = f"of DAG {row.dag_id!r}, whose row {what}, it says {attempt.error}"
            remedy = "Read the row with entry.config_as(...), and raise a ValueError that explains."
            raise subject.failure(problem, remedy)


def _broken_rows(subject: Subject) -> Iterator[tuple[RowState, str]]:
    for example in subject.examples:
        for row in example.entries[:1]:
            for config, what in _broken_configs(subject, row.config()):
                yield row._replace(config_json=json.dumps(config)), what
            dag_id = dag_id_of(subject.type.dag_id, row.platform_name, _OTHER_KEY)
            yield row._replace(key=_OTHER_KEY, dag_id=dag_id), "has another key than its config"


def _broken_configs(
    subject: Subject, config: Mapping[str, Any]
) -> Iterator[tuple[Mapping[str, Any], str]]:
    yield stamp_version({}, subject.type.config_version), "has an empty config"
    for name, field in subject.type.config.model_fields.items():
        key = field.alias or name
        if field.is_required():
            rest = {other: value for other, value in config.items() if other != key}
            yield rest, f"has no {key!r}"
            for wrong in _WRONG:
                yield {**config, key: wrong}, f"has {wrong!r} as {key!r}"
