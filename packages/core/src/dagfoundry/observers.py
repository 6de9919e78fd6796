"""Telling the observers among the plugins what happened; none can undo or delay it for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry import metrics
from dagfoundry.deadline import deadline
from dagfoundry.logs import get_logger

if TYPE_CHECKING:
    from dagfoundry.plugins import LoadedPlugin, Plugins

OBSERVER_SECONDS: Final = 2.0
"""How long an observer may take; it runs where tasks start and files are parsed."""

_log = get_logger(__name__)
_silenced: set[tuple[str, str]] = set()
"""Distribution and entry point of the observers that failed in this process."""


def is_observed(plugins: Plugins, hook: str) -> bool:
    """Return whether any plugin implements an observer hook."""
    return any(hook in plugin.observes for plugin in plugins.loaded)


def tell(plugins: Plugins, hook: str, **arguments: Any) -> None:  # noqa: ANN401 - each hook has its own
    """Call an observer hook of every plugin that implements it.

    An observer that raises or takes too long is logged, counted, and not called again in
    this process.

    Args:
        plugins: The installed plugins.
        hook: Name of the hook, see :mod:`dagfoundry.hookspecs`.
        **arguments: Its arguments.
    """
    for plugin in plugins.loaded:
        key = (plugin.distribution, plugin.entry_point)
        if hook in plugin.observes and key not in _silenced:
            try:
                with deadline(OBSERVER_SECONDS):
                    getattr(plugin.hooks.hook, hook)(**arguments)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin raises
                _silenced.add(key)
                _report(plugin, hook, error)


def _report(plugin: LoadedPlugin, hook: str, error: BaseException) -> None:
    metrics.plugin_failed(plugin.distribution, plugin.version)
    _log.error(
        "an observer failed and is not called again in this process",
        distribution=plugin.distribution,
        version=plugin.version,
        hook=hook,
        reason=f"{type(error).__name__}: {error}",
    )
