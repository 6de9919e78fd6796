"""The sessions in the documentation print what they say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r'^```console title="session"\n(.*?)^```', re.MULTILINE | re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
PAGES = [
    page
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if BLOCK.search(page.read_text(encoding="utf-8"))
]


def blocks(page: str, folder: Path) -> Iterator[tuple[str, str]]:
    """Yield what each session of a page says, and what its commands really print."""
    for found in BLOCK.finditer(page):
        commands = re.findall(r"^\$ (.+)$", found[1], re.MULTILINE)
        real = "".join(f"$ {command}\n{output(command, folder)}" for command in commands)
        yield found[1], real


def output(command: str, folder: Path) -> str:
    """Return what a command prints for a person called Ada, without a git repository."""
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DAGFOUNDRY_STORE_URL": "sqlite:///store.db",
        "DAGFOUNDRY_HOME": str(folder),
        "DAGFOUNDRY_AUTHOR": "Ada",
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "PYTHONIOENCODING": "utf-8",
    }
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        check=False,
    )
    return done.stdout


def same_time(text: str) -> str:
    """Return a text in which every time is the same."""
    return TIME.sub("2026-07-01 09:00:00", text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_session_prints_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """Each command of a page's sessions is run in one folder, in their order."""
    for written, real in blocks(page.read_text(encoding="utf-8"), tmp_path):
        assert same_time(written) == same_time(real)


def write_anew(page: Path, folder: Path) -> None:
    """Put what the commands really print into a page (run this file with its path)."""
    text = page.read_text(encoding="utf-8")
    for written, real in list(blocks(text, folder)):
        text = text.replace(f'title="session"\n{written}```', f'title="session"\n{real}```', 1)
    page.write_text(same_time(text), encoding="utf-8")


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        write_anew(Path(sys.argv[1]), Path(scratch))
