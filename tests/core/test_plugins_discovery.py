"""Installed plugins are found, also those that come while a process runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from dagfoundry.plugins_discovery import installed_plugins

if TYPE_CHECKING:
    import pytest

HELLO = Path(__file__).parents[1] / "plugins" / "data" / "good"


def names() -> list[str]:
    """Return the distributions that offer a plugin."""
    return [plugin.distribution for plugin in installed_plugins()[0]]


def test_a_distribution_that_comes_or_goes_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that lives long need not be started again to see it."""
    monkeypatch.syspath_prepend(tmp_path)
    assert "dagfoundry-hello" not in names()
    shutil.copytree(HELLO, tmp_path, dirs_exist_ok=True)
    assert "dagfoundry-hello" in names()
    shutil.rmtree(tmp_path)
    assert "dagfoundry-hello" not in names()
