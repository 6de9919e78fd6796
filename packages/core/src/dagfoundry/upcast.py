"""Reading rows of older config versions as their installed factory type knows them.

A factory type that changes its config raises ``FactoryType.config_version`` and says how
a config of each older version becomes one of the next. Rows keep the version that they
were written in. :func:`entry_of` is the only maker of an :class:`~dagfoundry.Entry`, so
no plugin is ever handed a config of another version than its own.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import ConfigTooNewError, UpcastFailedError
from dagfoundry.factories import OWN_KEY, Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState

VERSION_KEY: Final = "config_version"
"""Key under ``dagfoundry`` that says a config's version; absent in version 1."""

_ANYONE: Final = "the distribution that offers it (`dagfoundry plugins` names it)"


def entry_of(row: RowState, plugins: Plugins, config: Mapping[str, Any] | None = None) -> Entry:
    """Return a row as its plugin sees it: with a config of the installed type's version.

    Args:
        row: The row of an entry.
        plugins: The installed factory types.
        config: The row's parsed config_json, where that is at hand.

    Raises:
        ConfigTooNewError: The row is of a newer version than the installed type.
        FactoryTypeMissingError: No working plugin offers the row's factory type.
        UpcastFailedError: The type cannot bring the row's config up to its version.
        ValueError: config_json is no JSON object.
    """
    factory_type = plugins.type(row.factory_type)
    stored = row.config() if config is None else config
    return Entry(
        foundry=row.foundry,
        platform_name=row.platform_name,
        factory_type=row.factory_type,
        key=row.key,
        dag_id=row.dag_id,
        config=upcast_config(stored, factory_type, owner=plugins.owner(row.factory_type)),
        status=row.status,
        revision=row.revision,
        author=row.author,
        created_at=datetime.fromisoformat(row.created_at) if row.created_at else None,
        message=row.message,
    )


def stored_version(config: Mapping[str, Any]) -> object:
    """Return the version that a config names, whatever was written there; 1 by default."""
    own = config.get(OWN_KEY)
    return own.get(VERSION_KEY, 1) if isinstance(own, dict) else 1


def stamp_version(config: Mapping[str, Any], version: int) -> dict[str, Any]:
    """Return a config that names its version.

    Version 1 is never named, so that a type's first rows are those of the reference
    system and stay as they are.
    """
    own = config.get(OWN_KEY)
    rest = {key: v for key, v in own.items() if key != VERSION_KEY} if isinstance(own, dict) else {}
    if version > 1:
        return {**config, OWN_KEY: {**rest, VERSION_KEY: version}}
    return {**config, OWN_KEY: rest} if OWN_KEY in config else dict(config)


def upcast_config(
    config: Mapping[str, Any], factory_type: FactoryType, *, owner: str = _ANYONE
) -> dict[str, Any]:
    """Return a stored config in the version of its factory type.

    Args:
        config: The parsed config_json; it is not changed.
        factory_type: The installed factory type.
        owner: Who offers it, for the remedy of an error.

    Raises:
        ConfigTooNewError: The config is of a newer version than the type.
        UpcastFailedError: The config names no version, or an upcaster failed.
    """
    version = _known_version(config, factory_type, owner)
    if version == factory_type.config_version:
        return dict(config)
    current = deepcopy(dict(config))
    for step in range(version, factory_type.config_version):
        current = stamp_version(_next(current, step, factory_type, owner), step + 1)
    return current


def _known_version(config: Mapping[str, Any], factory_type: FactoryType, owner: str) -> int:
    version, name = stored_version(config), factory_type.name
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        msg = f"{OWN_KEY}.{VERSION_KEY} is {version!r}, not a whole number from 1"
        raise UpcastFailedError(msg, remedy="Merge the model again, which writes the row anew.")
    if version > factory_type.config_version:
        msg = (
            f"{OWN_KEY}.{VERSION_KEY} is {version}, but the installed factory type {name!r} "
            f"knows versions up to {factory_type.config_version}"
        )
        raise ConfigTooNewError(msg, remedy=f"Upgrade {owner}.")
    return version


def _next(
    config: dict[str, Any], version: int, factory_type: FactoryType, owner: str
) -> Mapping[str, Any]:
    step = f"factory type {factory_type.name!r} cannot turn config version {version} into the next"
    remedy = f"Correct the row in the model and merge again, or mend or upgrade {owner}."
    try:
        result = factory_type.upcasters[version](config)
    except Exception as error:
        msg = f"{step}: {type(error).__name__}: {error}"
        raise UpcastFailedError(msg, remedy=remedy) from error
    if not isinstance(result, dict):
        msg = f"{step}: its upcaster returned {type(result).__name__}, not a dict"
        raise UpcastFailedError(msg, remedy=remedy)
    return result
