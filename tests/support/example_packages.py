"""Installs packages of ``examples/`` as a user would: their wheels, into a folder of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

EXAMPLES: Final = Path(__file__).parents[2] / "examples"


def install_examples(folder: Path, *names: str) -> Path:
    """Build and install packages without what they depend on, which is here already.

    Args:
        folder: Where to; put it into the path of every process.
        names: Their folders below ``examples/``.

    Returns:
        The folder.
    """
    uv = os.environ.get("UV") or shutil.which("uv")  # nox sets it
    if uv is None:
        pytest.fail("needs uv to build a wheel: run it with nox, or set UV to where uv is")
    command = [uv, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]
    subprocess.run([*command, "--target", folder, *(EXAMPLES / name for name in names)], check=True)
    return folder
