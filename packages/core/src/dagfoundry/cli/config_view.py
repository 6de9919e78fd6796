"""A row's config as its factory type reads it, for people and programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry.errors import FoundryError
from dagfoundry.store.records import RowKind
from dagfoundry.upcast import entry_of, stored_version

if TYPE_CHECKING:
    from dagfoundry.plugins import Plugins
    from dagfoundry.store import RowState


def config_view(row: RowState, plugins: Plugins) -> dict[str, Any]:
    """Return what there is to say about a row's config.

    Returns:
        ``config`` as the installed type reads it; for an entry also ``config_version``,
        the version that is stored, with ``read_as_version`` if that is another one, or
        ``unreadable`` with the reason why ``config`` is shown as it is stored, and broken
        JSON as its text.
    """
    try:
        stored = row.config()
    except ValueError as error:
        broken = {"broken": row.config_json}
        return {"config": broken, "unreadable": f"config_json cannot be read: {error}"}
    if row.kind is not RowKind.ENTRY:
        return {"config": stored}
    version = stored_version(stored)
    try:
        config = entry_of(row, plugins).config
    except FoundryError as error:
        return {"config": stored, "config_version": version, "unreadable": str(error)}
    read_as = stored_version(config)
    view = {"config": config, "config_version": version}
    return view if read_as == version else {**view, "read_as_version": read_as}
