"""Which factory types are installed, and which installed plugins are broken.

A plugin is an entry point in group ``dagfoundry``. Each is imported, checked and called
on its own: one that fails is listed with its distribution and version and takes nobody
else's factory types with it.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pluggy

from dagfoundry import hookspecs
from dagfoundry.errors import FactoryTypeMissingError, FoundryError, PluginLoadError
from dagfoundry.model.words import nearest
from dagfoundry.plugins_discovery import installed_plugins
from dagfoundry.plugins_records import record_error, split_clashes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins_discovery import InstalledPlugin

__all__ = ["InstalledType", "PluginFailure", "Plugins", "load_plugins"]

_REGISTER: Final = hookspecs.dagfoundry_register_factory_types.__name__
_MACHINERY: Final = {"importlib", "pluggy"}


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
        sections: Section of a model to the name of its factory type.
    """

    types: Mapping[str, InstalledType]
    failures: tuple[PluginFailure, ...] = ()
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
    loaded = [_load(plugin) for plugin in plugins]
    offered = [installed for types, _ in loaded for installed in types]
    broken = [_failure(plugin, error) for plugin, error in unreadable]
    broken += [failure for _, failures in loaded for failure in failures]
    working, clashes = split_clashes([(installed, _owner(installed)) for installed in offered])
    broken += [_failure(installed, error) for installed, error in clashes]
    types = {installed.type.name: installed for installed in working}
    return Plugins(types=dict(sorted(types.items())), failures=tuple(broken))


def _owner(plugin: InstalledPlugin | InstalledType) -> str:
    return f"{plugin.distribution} {plugin.version}"


def _failure(plugin: InstalledPlugin | InstalledType, error: FoundryError) -> PluginFailure:
    return PluginFailure(
        distribution=plugin.distribution,
        version=plugin.version,
        entry_point=plugin.entry_point,
        error=str(error),
    )


def _load(plugin: InstalledPlugin) -> tuple[list[InstalledType], list[PluginFailure]]:
    try:
        offer = _call(_register(_guard("imported", plugin.load)))
    except PluginLoadError as error:
        return [], [_failure(plugin, error)]
    checked = [(record, record_error(record, index)) for index, record in enumerate(offer)]
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


def _register(plugin: object) -> pluggy.PluginManager:
    """Give a plugin a manager of its own, so that no call can reach another plugin."""
    manager = pluggy.PluginManager("dagfoundry")
    manager.add_hookspecs(hookspecs)
    _guard("registered", lambda: manager.register(plugin))
    _refuse_unknown_hooks(manager, plugin)
    if not manager.get_hookcallers(plugin):
        raise PluginLoadError(
            "it implements no hook",
            remedy=f"Decorate its function {_REGISTER} with @dagfoundry.hookimpl.",
        )
    return manager


def _refuse_unknown_hooks(manager: pluggy.PluginManager, plugin: object) -> None:
    # register() accepts a misspelt hook in silence; only check_pending() reports it
    try:
        manager.check_pending()
    except pluggy.PluginValidationError as error:
        known = [name for name in vars(hookspecs) if name.startswith("dagfoundry_")]
        wrong = [c.name for c in manager.get_hookcallers(plugin) or [] if c.name not in known]
        hint = nearest(wrong[0], known) if wrong else None
        remedy = f"Rename it to {hint}." if hint else f"Hooks are: {', '.join(known)}."
        raise PluginLoadError(f"unknown hook {', '.join(wrong)}", remedy=remedy) from error


def _call(manager: pluggy.PluginManager) -> list[Any]:
    results = _guard(f"called ({_REGISTER})", getattr(manager.hook, _REGISTER))
    result = results[0] if results else None
    if not isinstance(result, list):
        found = type(result).__name__
        raise PluginLoadError(
            f"{_REGISTER} returned {found}, not a list", remedy="Return a list of FactoryType."
        )
    return result


def _guard(step: str, action: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever a plugin gives
    try:
        return action()
    except (Exception, SystemExit) as error:
        raise PluginLoadError(
            f"it could not be {step}: {type(error).__name__}: {error}{_origin(error)}",
            remedy="Mend, upgrade or uninstall it.",
        ) from error


def _origin(error: BaseException) -> str:
    """Return the line of the plugin that raised, if it was one of the plugin's."""
    file = (frame := traceback.extract_tb(error.__traceback__)[-1]).filename
    if file.startswith("<") or file == __file__ or _MACHINERY & set(Path(file).parts):
        return ""
    return f" ({file}:{frame.lineno})"
