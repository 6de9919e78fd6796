"""The tutorial's two files are a plugin, and its commands print what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "tutorial" / "first-factory-type.md").read_text(encoding="utf-8")
UV = os.environ.get("UV") or shutil.which("uv") or ""
FILE = re.compile(r'^```(?:toml|python|yaml) title="(.+?)"\n(.+?)^```', re.MULTILINE | re.DOTALL)
STEPS = re.compile(r'^```console title="steps"\n(.+?)^```', re.MULTILINE | re.DOTALL)


def without_other_types(listed: str) -> str:
    """Return a table of plugins with the tutorial's alone; the columns are as wide as needed."""
    lines = [line for line in listed.splitlines() if not line.startswith(("datatr", "platform"))]
    return "\n".join(" ".join(line.split()) for line in lines)


@pytest.mark.skipif(not UV, reason="needs uv, which nox brings, or UV set to it")
def test_the_tutorial_can_be_followed_word_by_word(tmp_path: Path) -> None:
    """Its files are written, installed from a wheel, and its commands run in their order."""
    for name, text in FILE.findall(PAGE):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    site = tmp_path / "site"
    install = [UV, "pip", "install", "--quiet", "--no-deps", "--python", sys.executable]
    subprocess.run([*install, "--target", site, tmp_path / "hello"], check=True)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")]),
        "DAGFOUNDRY_HOME": str(tmp_path),
        "DAGFOUNDRY_STORE_URL": "sqlite:///store.db",
        "DAGFOUNDRY_AUTHOR": "Ada",
    }
    for written in STEPS.findall(PAGE):
        for command, expected in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", written, re.MULTILINE):
            done = subprocess.run(
                ["sh", "-c", command],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert without_other_types(done.stdout) == without_other_types(expected), done.stderr
