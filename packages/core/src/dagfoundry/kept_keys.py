"""Keys of a stored config that are nobody's here, which a merge leaves where they are.

A reference deployment writes keys that DAG Foundry has no use for, and its own readers
need them. A key that the merge once wrote itself is removed when it writes it no more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry.factories import OWN_KEY
from dagfoundry.lineage import LINEAGE_KEYS
from dagfoundry.row_config import MODEL_PATHS
from dagfoundry.store.records import RowKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.desired import DesiredRow
    from dagfoundry.factories import FactoryType


def with_kept_keys(row: DesiredRow, stored: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the config that the model wants, with the stored keys that are not ours.

    Ours are the common block, lineage, the key ``dagfoundry``, whatever the row has now,
    and every field of the factory type's config model.
    """
    strange = stored.keys() - row.config.keys() - MODEL_PATHS.keys() - LINEAGE_KEYS - {OWN_KEY}
    if strange and row.kind is RowKind.ENTRY:
        strange -= _fields(row.factory_type)
    if not strange:
        return row.config
    kept = {key: value for key, value in stored.items() if key in strange}
    reference = {key: value for key, value in row.config.items() if key != OWN_KEY}
    return {**reference, **kept, OWN_KEY: row.config[OWN_KEY]}


def _fields(factory_type: FactoryType) -> set[str]:
    fields = factory_type.config.model_fields
    aliases = {field.alias for field in fields.values() if field.alias}
    return {*fields, *aliases}
