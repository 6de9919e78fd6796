"""Imports one plugin, asks what it offers, and says what is wrong with it."""

from __future__ import annotations

import resource
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pluggy

from dagfoundry import hookspecs
from dagfoundry.deadline import deadline
from dagfoundry.errors import PluginLoadError
from dagfoundry.model.words import nearest
from dagfoundry.plugins_hung import NOTE_SECONDS, hung_before, note_hung

if TYPE_CHECKING:
    from collections.abc import Callable

    from dagfoundry.plugins_discovery import InstalledPlugin

LOAD_SECONDS: Final = 10.0
"""How long importing a plugin and asking it may take; Airflow gives a parse 30 s."""

_REGISTER: Final = hookspecs.dagfoundry_register_factory_types.__name__
_MACHINERY: Final = {"importlib", "pluggy"}


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedPlugin:
    """A plugin that could be imported.

    Attributes:
        distribution: Name of the distribution that offers it.
        version: Its version.
        entry_point: Name of its entry point.
        offer: What it returned from its registration hook, not checked yet.
        observes: Names of the other hooks that it implements.
        hooks: pluggy's manager that knows this plugin only.
        seconds: Processor time that importing it took; the first of several that import
            the same library pays for it.
        megabytes: By how much the process grew meanwhile.
    """

    distribution: str
    version: str
    entry_point: str
    offer: list[Any]
    observes: frozenset[str]
    hooks: pluggy.PluginManager
    seconds: float
    megabytes: float


def load(plugin: InstalledPlugin) -> LoadedPlugin:
    """Import a plugin and ask what it offers.

    Raises:
        PluginLoadError: It cannot be imported, hangs, or implements a hook wrongly.
    """
    if reason := hung_before(plugin):
        raise _hung(reason)
    try:
        with deadline(LOAD_SECONDS):
            return _loaded(plugin)
    except TimeoutError as error:
        note_hung(plugin, str(error))
        raise _hung(str(error)) from None


def _loaded(plugin: InstalledPlugin) -> LoadedPlugin:
    used, size = time.process_time(), _peak_megabytes()
    module = _guard("imported", plugin.load)
    used, size = time.process_time() - used, _peak_megabytes() - size
    hooks = _register(module)
    names = {caller.name for caller in hooks.get_hookcallers(module) or []}
    return LoadedPlugin(
        distribution=plugin.distribution,
        version=plugin.version,
        entry_point=plugin.entry_point,
        offer=_call(hooks) if _REGISTER in names else [],
        observes=frozenset(names - {_REGISTER}),
        hooks=hooks,
        seconds=used,
        megabytes=size,
    )


def _hung(reason: str) -> PluginLoadError:
    minutes = f"{NOTE_SECONDS / 60:g}"
    return PluginLoadError(
        f"it hangs when it is loaded: {reason}",
        remedy=f"Mend, upgrade or uninstall it; it is not tried again for {minutes} minutes.",
    )


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


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
    (result,) = _guard(f"called ({_REGISTER})", getattr(manager.hook, _REGISTER)) or [None]
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
