"""Which factory types are installed, and which installed plugins are broken.

A plugin is an entry point in group ``dagfoundry``. Each is imported, checked and called
on its own: one that fails is listed with its distribution and version and takes nobody
else's factory types with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from dagfoundry.errors import FactoryTypeMissingError, FoundryError, PluginLoadError
from dagfoundry.plugins_discovery import installed_plugins
from dagfoundry.plugins_loading import LoadedPlugin, load
from dagfoundry.plugins_records import record_error, split_clashes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins_discovery import InstalledPlugin

__all__ = ["InstalledType", "LoadedPlugin", "PluginFailure", "Plugins", "load_plugins"]


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledType:
    """A factory type that is ready for use, and who offers it."""

    type: FactoryType
    distribution: str
    version: str
    entry_point: str

    def __str__(self) -> str:
        """Return the type's name with its distribution and version."""
        return f"{self.type.name} of {self.distribution} {self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class PluginFailure:
    """What is wrong with one plugin, or with one factory type of it.

    Attributes:
        distribution: Name of the distribution that offers the entry point.
        version: Its version.
        entry_point: Name of the entry point; empty when none could be read.
        error: What is wrong, and what to do.
    """

    distribution: str
    version: str
    entry_point: str
    error: str

    @property
    def headline(self) -> str:
        """Distribution, version, entry point and error on one line, without the remedy."""
        owner = f"{self.distribution} {self.version} ({self.entry_point})"
        return f"{owner}: {self.error.splitlines()[0]}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Plugins:
    """All installed factory types, and what could not be loaded.

    Attributes:
        types: Name of a factory type to the type and its owner, sorted by name.
        failures: What is wrong with the others.
        loaded: The plugins that could be imported, those without a factory type too.
        sections: Section of a model to the name of its factory type.
    """

    types: Mapping[str, InstalledType]
    failures: tuple[PluginFailure, ...] = ()
    loaded: tuple[LoadedPlugin, ...] = ()
    sections: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        """Index the types by section."""
        sections = {installed.type.section: name for name, installed in self.types.items()}
        object.__setattr__(self, "sections", sections)

    def type(self, name: str) -> FactoryType:
        """Return an installed factory type.

        Raises:
            FactoryTypeMissingError: No working plugin offers it; the error says
                what is installed and what failed to load.
        """
        installed = self.types.get(name)
        if installed is None:
            remedy = f"Install or mend the distribution that offers it. {self.summary()}"
            raise FactoryTypeMissingError(f"factory type {name!r} is not installed", remedy=remedy)
        return installed.type

    def owner(self, name: str) -> str:
        """Return who offers an installed factory type, for an error's remedy."""
        installed = self.types[name]
        return f"{installed.distribution} (installed: {installed.version})"

    def works(self) -> dict[str, bool]:
        """Return for each distribution whether all that it offers could be loaded."""
        broken = {failure.distribution for failure in self.failures}
        names = {plugin.distribution for plugin in self.loaded} | broken
        return {name: name not in broken for name in sorted(names)}

    def summary(self) -> str:
        """Return what is installed and what failed to load, for an error's remedy."""
        offers = [str(installed) for installed in self.types.values()]
        text = f"Installed: {', '.join(offers) or 'no factory type'}."
        failed = [f"Failed to load: {failure.headline}." for failure in self.failures]
        return " ".join([text, *failed])


@cache
def load_plugins() -> Plugins:
    """Load every installed plugin, once per process (``load_plugins.cache_clear()``).

    Never raises for a broken third party: see :attr:`Plugins.failures`.
    """
    plugins, unreadable = installed_plugins()
    tried = [_tried(plugin) for plugin in plugins]
    loaded = [plugin for plugin in tried if isinstance(plugin, LoadedPlugin)]
    checked = [_types_of(plugin) for plugin in loaded]
    offered = [installed for types, _ in checked for installed in types]
    broken = [_failure(plugin, error) for plugin, error in unreadable]
    broken += [failure for failure in tried if isinstance(failure, PluginFailure)]
    broken += [failure for _, failures in checked for failure in failures]
    working, clashes = split_clashes([(installed, _owner(installed)) for installed in offered])
    broken += [_failure(installed, error) for installed, error in clashes]
    types = {installed.type.name: installed for installed in working}
    return Plugins(types=dict(sorted(types.items())), failures=tuple(broken), loaded=tuple(loaded))


def _tried(plugin: InstalledPlugin) -> LoadedPlugin | PluginFailure:
    try:
        return load(plugin)
    except PluginLoadError as error:
        return _failure(plugin, error)


def _owner(plugin: InstalledType) -> str:
    return f"{plugin.distribution} {plugin.version}"


def _failure(
    plugin: InstalledPlugin | LoadedPlugin | InstalledType, error: FoundryError
) -> PluginFailure:
    return PluginFailure(
        distribution=plugin.distribution,
        version=plugin.version,
        entry_point=plugin.entry_point,
        error=str(error),
    )


def _types_of(plugin: LoadedPlugin) -> tuple[list[InstalledType], list[PluginFailure]]:
    checked = [(record, record_error(record, index)) for index, record in enumerate(plugin.offer)]
    types = [
        InstalledType(
            type=record,
            distribution=plugin.distribution,
            version=plugin.version,
            entry_point=plugin.entry_point,
        )
        for record, error in checked
        if error is None
    ]
    return types, [_failure(plugin, error) for _, error in checked if error is not None]
