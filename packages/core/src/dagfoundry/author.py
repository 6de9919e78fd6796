"""Who makes a change: as git knows them, else the user of the system."""

from __future__ import annotations

import getpass
import os
import subprocess
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

AUTHOR_VARIABLE: Final = "DAGFOUNDRY_AUTHOR"


def current_author(folder: Path) -> str:
    """Return who runs this process, such as ``Ada <ada@example.org>``.

    Args:
        folder: A folder of the model; its git configuration is asked.

    Returns:
        ``DAGFOUNDRY_AUTHOR`` when set, else git's user, else the user of the system.
    """
    return os.environ.get(AUTHOR_VARIABLE) or _git_user(folder) or _system_user()


def _git_user(folder: Path) -> str:
    name, email = (_git_value(folder, key) for key in ("user.name", "user.email"))
    return f"{name} <{email}>" if name and email else name or email


def _git_value(folder: Path, key: str) -> str:
    command = ["git", "-C", str(folder), "config", "--get", key]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip()


def _system_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
