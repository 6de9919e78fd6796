"""Finds the entry points of group ``dagfoundry`` in all installed distributions.

A distribution that extends DAG Foundry and was made for another version of it is named,
and not loaded: it would fail later, and less clearly.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Final

from packaging.requirements import Requirement

from dagfoundry.errors import PluginLoadError
from dagfoundry.hookspecs import ENTRY_POINT_GROUP

if TYPE_CHECKING:
    from collections.abc import Callable

_HEADING: Final = re.compile(rf"^\[\s*{ENTRY_POINT_GROUP}(\.\w+)?\s*\]", re.MULTILINE)
_CORE: Final = "dagfoundry"

NAMELESS: Final = "(distribution without a name)"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledPlugin:
    """One entry point of an installed distribution, not yet imported.

    Attributes:
        distribution: Name of the distribution.
        version: Its version.
        entry_point: Name of the entry point; empty when none could be read.
        load: Imports what it names.
        state: Changes when the distribution is installed anew.
    """

    distribution: str
    version: str
    entry_point: str
    load: Callable[[], Any]
    state: str = ""


Failure = tuple[InstalledPlugin, PluginLoadError]


def installed_plugins() -> tuple[list[InstalledPlugin], list[Failure]]:
    """Return all plugins by distribution and name, and those that cannot be read.

    Only distributions that name the group are parsed: a broken file of a stranger
    ends ``importlib.metadata.entry_points()`` with an error (seen with 3.11).
    """
    plugins: list[InstalledPlugin] = []
    failures: list[Failure] = []
    for _, distribution in sorted(_distributions().items()):
        found = _misfit(distribution) or _plugins_of(distribution)
        if isinstance(found, PluginLoadError):
            failures.append((_plugin(distribution), found))
        else:
            plugins += found
    return plugins, failures


def _distributions() -> dict[str, metadata.Distribution]:
    found: dict[str, metadata.Distribution] = {}
    for entry in sys.path:
        for name, distribution in _distributions_in(entry, _modified(entry)):
            # the first on the path is the one that Python imports
            found.setdefault(name, distribution)
    return found


def _modified(entry: str) -> int:
    try:
        return os.stat(entry or ".").st_mtime_ns  # noqa: PTH116 - made for each entry of each parse
    except OSError:
        return 0


@lru_cache(maxsize=256)
def _distributions_in(entry: str, _modified: int) -> tuple[tuple[str, metadata.Distribution], ...]:
    """Look through one entry of the module path, again only when it was modified.

    A parse process finds what the process that it was forked from has read.
    """
    return tuple(
        (re.sub(r"[-_.]+", "-", distribution.metadata["Name"] or NAMELESS).lower(), distribution)
        for distribution in metadata.distributions(path=[entry])
        if _HEADING.search(distribution.read_text("entry_points.txt") or "")
    )


def _misfit(distribution: metadata.Distribution) -> PluginLoadError | None:
    """Return what to say of a distribution that needs another version of DAG Foundry."""
    texts = distribution.metadata.get_all("Requires-Dist") or []
    for text in (text for text in texts if text.startswith(_CORE)):
        needed = Requirement(text)
        if needed.name == _CORE and not needed.specifier.contains(_own_version(), prereleases=True):
            msg = f"it needs {text}, and dagfoundry {_own_version()} is installed"
            remedy = "Install versions that fit together; `pip check` lists those that do not."
            return PluginLoadError(msg, remedy=remedy)
    return None


@cache
def _own_version() -> str:
    return metadata.version(_CORE)


def _plugins_of(distribution: metadata.Distribution) -> list[InstalledPlugin] | PluginLoadError:
    try:
        entry_points = distribution.entry_points
    except (TypeError, ValueError) as error:
        msg = f"its entry_points.txt cannot be read: {error}"
        return PluginLoadError(msg, remedy="Install the distribution again.")
    ours = [_plugin(distribution, e) for e in entry_points if e.group == ENTRY_POINT_GROUP]
    return sorted(ours, key=lambda plugin: plugin.entry_point)


def _plugin(
    distribution: metadata.Distribution, entry_point: metadata.EntryPoint | None = None
) -> InstalledPlugin:
    return InstalledPlugin(
        distribution=distribution.metadata["Name"] or NAMELESS,
        version=distribution.metadata["Version"] or "(no version)",
        entry_point=entry_point.name if entry_point else "",
        load=entry_point.load if entry_point else lambda: None,
        state=_state(distribution),
    )


def _state(distribution: metadata.Distribution) -> str:
    return str(_modified(str(distribution.locate_file(""))))
