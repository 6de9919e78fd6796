"""The commit of a model is read from real git repositories."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from dagfoundry.model import commit, load_model
from dagfoundry.model.commit import is_ancestor, is_older, model_commit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dagfoundry.plugins import Plugins

    Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Run git in a fresh repository."""

    def run(*arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    run("init", "-q", "-b", "main")
    return run


@pytest.fixture
def model(tmp_path: Path, git: Git) -> Path:
    """Commit a model of two files; return its folder."""
    folder = tmp_path / "models" / "live"
    folder.mkdir(parents=True)
    for name in ("a.yaml", "b.yaml"):
        (folder / name).write_text("foundry: A\n")
    git("add", ".")
    git("commit", "-qm", "one")
    return folder


def fake_git(folder: Path, script: str) -> Path:
    """Write a command named git; return its folder."""
    command = folder / ".bin" / "git"
    command.parent.mkdir()
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return command.parent


def commit_of(folder: Path) -> str | None:
    """Return the commit of a folder's model."""
    return model_commit([folder], sorted(folder.glob("*.yaml")))


def test_a_clean_model_stands_at_head(model: Path, git: Git) -> None:
    """The full hash, also where other files of the repository differ."""
    (model.parent / "elsewhere.yaml").touch()
    (model / "notes.md").touch()
    assert commit_of(model) == git("rev-parse", "HEAD")


@pytest.mark.parametrize("change", ["edit", "stage", "delete", "add", "ignore"])
def test_a_changed_model_is_dirty(model: Path, git: Git, change: str) -> None:
    """A file that is edited, staged, deleted, new or ignored differs from the commit."""
    if change == "delete":
        (model / "b.yaml").unlink()
    else:
        name = "a.yaml" if change in {"edit", "stage"} else "c d.yaml"
        (model / name).write_text("foundry: B\n")
    if change == "stage":
        git("add", ".")
    if change == "ignore":
        (model / ".gitignore").write_text("c*\n")
        git("add", str(model / ".gitignore"))
        git("commit", "-qm", "two")
    assert commit_of(model) == git("rev-parse", "HEAD") + "-dirty"


def test_a_model_of_one_file_is_dirty_by_that_file_only(model: Path, git: Git) -> None:
    """A neighbour of a file does not make it dirty."""
    (model / "b.yaml").write_text("foundry: B\n")
    files = [model / "a.yaml"]
    assert model_commit(files, files) == git("rev-parse", "HEAD")


def test_a_relative_path_will_do(model: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are taken from the working folder, also through a link."""
    (model.parent / "link").symlink_to(model)
    monkeypatch.chdir(model.parent)
    link = model.relative_to(model.parent).with_name("link")
    assert commit_of(link) == git("rev-parse", "HEAD")
    (model / "a.yaml").write_text("foundry: B\n")
    assert commit_of(link) == git("rev-parse", "HEAD") + "-dirty"


def test_variables_of_a_git_hook_are_left_alone(
    model: Path, git: Git, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hook of another repository does not lend its commit."""
    head = git("rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert commit_of(model) == head


def test_outside_git_there_is_no_commit(tmp_path: Path) -> None:
    """A folder that no repository holds has none."""
    (tmp_path / "a.yaml").touch()
    assert commit_of(tmp_path) is None


def test_before_the_first_commit_there_is_none(tmp_path: Path, git: Git) -> None:
    """An empty repository has no HEAD."""
    (tmp_path / "a.yaml").touch()
    assert git("status", "--short") == "?? a.yaml"
    assert commit_of(tmp_path) is None


def test_without_git_there_is_no_commit(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the git command can load models."""
    monkeypatch.setenv("PATH", str(model))
    assert commit_of(model) is None
    assert is_ancestor("a" * 40, "b" * 40, model) is None


@pytest.mark.parametrize(
    ("script", "words"),
    [("exec sleep 60", "git could not be asked"), ("echo broken >&2; exit 128", "git refused")],
)
def test_a_git_that_does_not_answer_is_logged(
    model: Path, monkeypatch: pytest.MonkeyPatch, script: str, words: str
) -> None:
    """A git that hangs or refuses gives no commit, and the log says why."""
    monkeypatch.setattr(commit, "_TIMEOUT", 0.5)
    monkeypatch.setenv("PATH", f"{fake_git(model, script)}:/bin:/usr/bin")
    with capture_logs() as logs:
        assert commit_of(model) is None
    assert [entry["event"] for entry in logs] == [words]


def test_a_model_whose_changes_are_unknown_is_dirty(
    model: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where git cannot tell what changed, the model is not said to be the commit."""
    head = git("rev-parse", "HEAD")
    real = shutil.which("git")
    script = f'case "$*" in *status*) exit 1;; *) exec {real} "$@";; esac'
    monkeypatch.setenv("PATH", f"{fake_git(model, script)}:/bin:/usr/bin")
    assert commit_of(model) == f"{head}-dirty"


def test_a_model_of_two_repositories_has_no_commit(model: Path, tmp_path: Path) -> None:
    """One commit cannot stand for two histories."""
    other = tmp_path / "other"
    other.mkdir()
    subprocess.run(["git", "init", "-q"], cwd=other, check=True)
    (other / "c.yaml").touch()
    files = [model / "a.yaml", other / "c.yaml"]
    assert model_commit(files, files) is None


def test_history_knows_which_commit_is_older(model: Path, git: Git) -> None:
    """A commit is its own ancestor and that of what came after it."""
    first = git("rev-parse", "HEAD")
    git("commit", "-qm", "two", "--allow-empty")
    second = git("rev-parse", "HEAD")
    assert is_ancestor(first, second, model) is True
    assert is_ancestor(second, first, model) is False
    assert is_ancestor(first, first, model) is True
    assert is_ancestor(f"{first}-dirty", second[:10], model / "a.yaml") is True


@pytest.mark.parametrize("unknown", ["0" * 40, "", "main", "--help"])
def test_a_commit_that_git_does_not_know_is_neither(model: Path, git: Git, unknown: str) -> None:
    """What is no known hash gives no answer, and never reaches git as an option."""
    assert is_ancestor(unknown, git("rev-parse", "HEAD"), model) is None


def test_a_loaded_model_knows_whether_it_is_older(model: Path, git: Git, types: Plugins) -> None:
    """Only a commit that is known to lie before another is older than it."""
    (model / "a.yaml").write_text("foundry: A\n")
    (model / "b.yaml").write_text("platforms: [{name: P, merge_store: {url_variable: X}}]\n")
    git("add", ".")
    git("commit", "-qm", "two")
    second = git("rev-parse", "HEAD")
    git("commit", "-qm", "three", "--allow-empty")
    third = git("rev-parse", "HEAD")
    git("checkout", "-q", second)
    loaded = load_model([model], types)
    assert loaded.commit == second
    assert is_older(loaded, third)
    assert not is_older(loaded, f"{second}-dirty")
    assert not is_older(loaded, git("rev-parse", f"{second}~1"))
    assert not is_older(loaded, "0" * 40)
