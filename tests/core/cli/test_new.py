"""A new factory type begins as a whole package."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Shell

EXAMPLE = Path(__file__).parents[3] / "examples" / "dagfoundry-hello"


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An empty folder."""
    return Shell(folder=tmp_path)


def texts(folder: Path) -> dict[str, str]:
    """Return the files of a package, by their names in it."""
    found = sorted(folder.rglob("*"))
    kept = [file for file in found if file.is_file() and "__pycache__" not in file.parts]
    return {str(file.relative_to(folder)): file.read_text() for file in kept}


def test_the_example_is_what_the_command_writes(shell: Shell) -> None:
    """The package in ``examples/`` is a stranger's first one, file by file."""
    done = shell.run("new", "hello", "--section", "greetings")
    made = texts(shell.folder / "dagfoundry-hello")
    assert made == texts(EXAMPLE)
    lines = [f"wrote dagfoundry-hello/{name}" for name in made]
    assert set(done.stdout.splitlines()) >= set(lines)
    assert "next: pip install -e dagfoundry-hello" in done.stdout


def test_names_follow_from_the_type(shell: Shell) -> None:
    """Section, distribution, module and classes are named after it where nothing else is said."""
    told = shell.json("new", "late_bird", "--out", "birds")
    assert told["distribution"] == "dagfoundry-late-bird"
    made = texts(shell.folder / "birds")
    assert 'late_bird = "dagfoundry_late_bird"' in made["pyproject.toml"]
    assert "class LateBirdItem(SectionItem):" in made["src/dagfoundry_late_bird.py"]
    assert 'section="late_birds"' in made["src/dagfoundry_late_bird.py"]
    assert 'TestLateBird = conformance_suite("late_bird")' in made["tests/test_late_bird.py"]
    assert sorted(told["files"]) == sorted(f"birds/{name}" for name in made)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Bad Name"], "name 'Bad Name' is not a lower-case word"),
        (["factory"], "name 'factory' is reserved"),
        (["airflow"], "dagfoundry-airflow is a distribution of DAG Foundry itself"),
        (["late_"], "no distribution may be called 'dagfoundry-late-'"),
        (["platform", "--section", "mine"], "platform of dagfoundry-platform 0.1.0 is installed"),
        (["mine", "--section", "stores"], "section 'stores' is that of platform"),
        (["mine", "--section", "platforms"], "section 'platforms' is reserved"),
        (["mine", "--out", "full"], "folder full is not empty"),
        (["mine", "--out", "full/file"], "folder full/file cannot be used"),
    ],
)
def test_what_cannot_be_made_is_one_clear_error(
    shell: Shell, arguments: list[str], words: str
) -> None:
    """Nothing is written, and what was there stays."""
    (shell.folder / "full").mkdir()
    (shell.folder / "full" / "file").write_text("mine")
    before = texts(shell.folder)
    done = shell.run("new", *arguments, code=1)
    assert words in done.stderr
    assert texts(shell.folder) == before


@pytest.mark.parametrize(
    ("error", "code"),
    [("OSError(28, 'No space left on device')", 1), ("KeyboardInterrupt", 130)],
)
def test_a_package_that_is_not_written_whole_is_taken_out_again(
    shell: Shell, error: str, code: int
) -> None:
    """A full disk and Ctrl-C leave an empty folder."""
    (shell.folder / "sitecustomize.py").write_text(
        "from pathlib import Path\n"
        "write = Path.write_text\n"
        "def full(self, *rest, **more):\n"
        "    if self.name.startswith('test_'):\n"
        f"        raise {error}\n"
        "    return write(self, *rest, **more)\n"
        "Path.write_text = full\n"
    )
    done = shell.run("new", "mine", code=code, PYTHONPATH=str(shell.folder))
    assert ("No space left on device" in done.stderr) is (code == 1)
    assert json.dumps(texts(shell.folder / "dagfoundry-mine")) == "{}"
