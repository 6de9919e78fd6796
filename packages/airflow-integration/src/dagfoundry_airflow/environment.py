"""What proofs hold for: the versions of Airflow, of us and of all plugins."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

from dagfoundry.plugins_discovery import installed_plugins

if TYPE_CHECKING:
    from collections.abc import Callable

_OWN: Final = ("apache-airflow", "dagfoundry", "dagfoundry-airflow")
_LOOK_SECONDS: Final = 15.0
"""Two looks have to fit into the time after which Airflow gives up a DAG that is not parsed."""


def installed_versions() -> str:
    """Return a name for what is installed: other versions, another name.

    Plugins are found by their metadata: their code must not run in the DAG processor's
    manager, which holds the metadata database.
    """
    plugins, _ = installed_plugins()
    versions = {name: version(name) for name in _OWN}
    versions |= {plugin.distribution: plugin.version for plugin in plugins}
    content = json.dumps([sys.version_info[:2], sorted(versions.items())])
    return hashlib.sha256(content.encode()).hexdigest()[:12]


class Environment:
    """What is installed, looked at again now and then.

    An installation that is under way has neither the old nor the new version, so a change
    counts when it is seen twice.

    Args:
        read: Returns a name for what is installed.
        every: Seconds between two looks.
    """

    def __init__(
        self, read: Callable[[], str] = installed_versions, *, every: float = _LOOK_SECONDS
    ) -> None:
        self._read = read
        self._every = every
        self._name: str | None = None
        self._doubted: str | None = None
        self._looked = 0.0

    @property
    def name(self) -> str:
        """The name of what was installed at the last look."""
        if self._name is None:
            self._name, self._looked = self._read(), time.monotonic()
        return self._name

    def look(self) -> bool:
        """Look again if it is time, and return whether something else is installed."""
        known = self.name
        if time.monotonic() - self._looked < self._every:
            return False
        found, self._looked = self._read(), time.monotonic()
        is_other = found != known and found == self._doubted
        self._doubted = found
        if is_other:
            self._name = found
        return is_other
