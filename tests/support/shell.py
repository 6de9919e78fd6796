"""The command line as a person or a script meets it: a real process in a folder of its own."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True)
class Shell:
    """A folder with a SQLite store, and the command to run there."""

    folder: Path
    variables: Mapping[str, str] = field(default_factory=dict)

    def run(
        self, *arguments: str, code: int = 0, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``dagfoundry`` and check its exit code."""
        environment = {
            "PATH": os.environ["PATH"],
            "DAGFOUNDRY_STORE_URL": "sqlite:///store.db",
            "DAGFOUNDRY_HOME": str(self.folder),
            "DAGFOUNDRY_AUTHOR": "Ada",
            **self.variables,
            **variables,
        }
        command = [sys.executable, "-m", "dagfoundry", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:  # noqa: ANN401 - any JSON value
        """Run a command with --json and return what it prints."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def sql(self, script: str) -> None:
        """Run SQL in the store, as a hand edit does."""
        with closing(sqlite3.connect(self.folder / "store.db")) as connection, connection:
            connection.executescript(script)
