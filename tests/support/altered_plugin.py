"""The conforming plugin of the tests, installed with some of its text replaced."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dagfoundry.plugins import load_plugins
from dagfoundry.testing import conformance_suite

if TYPE_CHECKING:
    import pytest

    from dagfoundry.testing.conformance import ConformanceSuite

CONFORMING = Path(__file__).parents[1] / "plugins" / "data" / "conforming"
MODULE = "alarm_plugin"
OLD = {1: [{"key": "Example", "minutes": 5, "sound": "bell"}]}
LINE = f"""
from dagfoundry.testing import conformance_suite

TestAlarm = conformance_suite("alarm", old_configs={OLD})
"""


class AlteredPlugin:
    """Installs the plugin ``alarm`` in this process; its suite runs there and in children."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder / "site"
        shutil.copytree(CONFORMING, self.folder)
        self.file = self.folder / f"{MODULE}.py"
        self.tests = folder / "project" / "tests"
        self.tests.mkdir(parents=True)
        (self.tests / "test_conformance.py").write_text(LINE)
        (self.tests / "test_other.py").write_text("def test_other(): pass\n")
        (self.tests.parent / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
        self._monkeypatch = monkeypatch

    def install(self, replaced: dict[str, str]) -> None:
        """Replace texts, each of which is there once, and load the plugin."""
        text = self.file.read_text()
        for before, after in replaced.items():
            assert text.count(before) == 1, before
            text = text.replace(before, after)
        self.file.write_text(text)
        self._monkeypatch.syspath_prepend(self.folder)
        load_plugins.cache_clear()

    def suite(self, **replaced: str) -> ConformanceSuite:
        """Return the suite of the plugin with texts replaced, by ``before`` and ``after``."""
        self.install({replaced["before"]: replaced["after"]} if replaced else {})
        return conformance_suite("alarm", old_configs=OLD)()

    def line_of(self, text: str) -> str:
        """Return file and line of a text, as an error says them."""
        lines = self.file.read_text().splitlines()
        (number,) = [n for n, line in enumerate(lines, start=1) if text in line]
        return f"{self.file}:{number}"

    def run_pytest(self, *arguments: str) -> str:
        """Return what an author's pytest prints, with its exit code in the last line."""
        path = os.pathsep.join([str(self.folder), os.environ.get("PYTHONPATH", "")])
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
            cwd=self.tests.parent,
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        return f"{done.stdout}{done.stderr}\nexit {done.returncode}"

    def uninstall(self) -> None:
        """Forget the plugin and what it imported."""
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(str(self.folder)):
                del sys.modules[name]
        load_plugins.cache_clear()
