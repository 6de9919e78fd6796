"""What a plugin's author would notice of a change is told apart from what is inside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[1] / "docs"

BEFORE = {
    "__init__.py": "from dagfoundry.records import Entry, run\n__all__ = ['Entry', 'run']\n",
    "records.py": (
        "class Entry:\n    key: str\n    def options(self, name): ...\n\n\n"
        "def run(work): ...\n\n\ndef inside(): ...\n"
    ),
    "hookspecs.py": "def dagfoundry_dag_built(dag): ...\n",
}


@pytest.fixture
def compare(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that compares files, changed since a release, with that release."""
    package = tmp_path / "packages" / "core" / "src" / "dagfoundry"
    package.mkdir(parents=True)

    def write(files: dict[str, str]) -> None:
        for name, text in files.items():
            (package / name).write_text(text)

    def git(*arguments: str) -> None:
        own = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        subprocess.run(["git", *own, *arguments], cwd=tmp_path, check=True, capture_output=True)

    write(BEFORE)
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "first")

    def run(
        *arguments: str, tag: str = "v0.9.0", **changed: str
    ) -> subprocess.CompletedProcess[str]:
        if tag:
            git("tag", tag)
        write({f"{name}.py": text for name, text in changed.items()})
        code = (
            "import sys; from pathlib import Path; import api_changes as a;"
            f"sys.exit(a.main({list(arguments)!r}, Path({str(tmp_path)!r})))"
        )
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=DOCS, capture_output=True, text=True, check=False)

    return run


def test_an_untouched_interface_breaks_nothing(
    compare: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """What only the package itself uses may go, and something new may come."""
    done = compare(
        records=BEFORE["records.py"].replace("def inside(): ...", "class New: ..."),
        __init__=BEFORE["__init__.py"]
        .replace("run\n__", "New, run\n__")
        .replace("['E", "['New', 'E"),
    )
    assert done.stdout.splitlines() == [
        "new: dagfoundry.New",
        "0 changes since v0.9.0 can break a plugin",
    ]
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (
            {"__init__": "from dagfoundry.records import Entry\n__all__ = ['Entry']\n"},
            "gone: dagfoundry.run",
        ),
        (
            {"records": BEFORE["records.py"].replace("run(work)", "run(job)")},
            "changed: dagfoundry.run",
        ),
        (
            {"records": BEFORE["records.py"].replace("    key: str\n", "")},
            "changed: dagfoundry.Entry",
        ),
        ({"hookspecs": ""}, "gone: dagfoundry.hookspecs.dagfoundry_dag_built"),
        (
            {"hookspecs": "def dagfoundry_dag_built(): ...\n"},
            "changed: dagfoundry.hookspecs.dagfoundry_dag_built",
        ),
    ],
)
def test_what_can_break_a_plugin_is_named(
    compare: Callable[..., subprocess.CompletedProcess[str]], changed: dict[str, str], words: str
) -> None:
    """A name, an attribute, a parameter or a hook that is gone makes the command fail."""
    done = compare(**changed)
    assert words in done.stdout
    assert done.returncode == 1


def test_without_a_release_a_commit_has_to_be_named(
    compare: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """It compares with nothing else in silence."""
    done = compare(tag="")
    assert done.returncode == 1
    assert "Name a commit: --against REF." in done.stderr
    assert compare("--against", "HEAD", tag="").returncode == 0
    assert "no tag or commit 'nope'" in compare("--against", "nope", tag="").stderr
