"""The rows to check: those of a model, or one that holds a given config."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, Final

import yaml

from dagfoundry.desired import desired_rows
from dagfoundry.drafts import draft_entries
from dagfoundry.factories import Status
from dagfoundry.model import load_model
from dagfoundry.names import bucket_of, dag_id_of
from dagfoundry.store.read import infrastructure_row
from dagfoundry.store.records import Head, RowKind, RowState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.desired import DesiredRow
    from dagfoundry.model import LoadedModel
    from dagfoundry.plugins import Plugins

_PLATFORM: Final = "Testing"
_KEY: Final = "Example"
_BUCKETS: Final = 32
_AROUND: Final[Mapping[str, Any]] = {
    "foundry": "Testing",
    "platforms": [{"name": _PLATFORM, "merge_store": {"url_variable": "TESTING_MERGE_URL"}}],
}
"""What a model needs besides its items."""


def rows_of_config(
    factory_type: str, config: Mapping[str, Any], plugins: Plugins, *, key: str = _KEY
) -> list[RowState]:
    """Return a row of a factory type that holds a config.

    Args:
        factory_type: Name of an installed factory type.
        config: The whole config_json of the row.
        plugins: The installed factory types.
        key: Key of the row.

    Raises:
        FactoryTypeMissingError: No working plugin offers the factory type.
    """
    dag_id = dag_id_of(plugins.type(factory_type).dag_id, _PLATFORM, key)
    return [
        RowState(
            kind=RowKind.ENTRY,
            foundry=_AROUND["foundry"],
            table_name="",
            platform_name=_PLATFORM,
            factory_type=factory_type,
            key=key,
            dag_id=dag_id,
            bucket=bucket_of(dag_id, _BUCKETS),
            status=Status.ACTIVE,
            config_json=json.dumps(config),
            revision=1,
        )
    ]


def rows_of_model(model: str | Mapping[str, Any], plugins: Plugins) -> list[RowState]:
    """Return all rows that a model makes, that of its infrastructure first.

    Args:
        model: A model as YAML text or as its values; ``foundry`` and ``platforms`` may be
            left out, so the items of one section are enough.
        plugins: The installed factory types.

    Raises:
        ModelInvalidError: The model breaks rules; holds all findings.
    """
    loaded = _load(model, plugins)
    wanted = desired_rows(loaded, plugins)
    head = Head(foundry=loaded.foundry.foundry, revision=1, buckets=loaded.foundry.buckets)
    return [infrastructure_row(head), *(_row(head, row) for row in wanted)]


def missing_datasets(model: str | Mapping[str, Any], plugins: Plugins) -> list[str]:
    """Return the datasets that a model's entries read and none of them writes.

    Args:
        model: As for :func:`rows_of_model`.
        plugins: The installed factory types.

    Raises:
        ModelInvalidError: The model breaks rules; holds all findings.
    """
    drafts = [drafted.draft for drafted in draft_entries(_load(model, plugins), plugins, [])]
    written = {dataset for draft in drafts for dataset in draft.produces}
    read = dict.fromkeys(dataset for draft in drafts for dataset in draft.consumes)
    return [dataset for dataset in read if dataset not in written]


def _load(model: str | Mapping[str, Any], plugins: Plugins) -> LoadedModel:
    with tempfile.TemporaryDirectory(prefix="dagfoundry-") as folder:
        _write(model, Path(folder))
        return load_model([folder], plugins)


def _write(model: str | Mapping[str, Any], folder: Path) -> None:
    """Write a model so that a finding names the lines of its own text."""
    text = dedent(model) if isinstance(model, str) else yaml.safe_dump(dict(model))
    (folder / "model.yaml").write_text(text, encoding="utf-8")
    around = {key: value for key, value in _AROUND.items() if not re.search(rf"(?m)^{key}:", text)}
    if around:
        (folder / "around.yaml").write_text(yaml.safe_dump(around), encoding="utf-8")


def _row(head: Head, row: DesiredRow) -> RowState:
    return RowState(
        kind=row.kind,
        foundry=head.foundry,
        table_name=row.table.name,
        platform_name=row.platform_name,
        factory_type=row.factory_type.name,
        key=row.key,
        dag_id=row.dag_id,
        bucket=bucket_of(row.dag_id, head.buckets),
        status=row.status,
        config_json=row.config_json,
        revision=head.revision,
    )
