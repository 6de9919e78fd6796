"""The git commit that a model stands at; without git there is none."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog

from dagfoundry.model.files import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dagfoundry.model.load import LoadedModel

DIRTY: Final = "-dirty"
"""Suffix of a commit when the model's files differ from it."""

_TIMEOUT: Final = 10.0
_COMMIT: Final = re.compile(r"[0-9a-f]{7,64}")
_REPOSITORY: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
"""Variables that a git hook sets; they would point at another repository."""

_log = structlog.get_logger(__name__)


def model_commit(paths: Iterable[Path], files: Iterable[Path]) -> str | None:
    """Return the commit of the repository that holds a model.

    Args:
        paths: The files and folders that were asked for.
        files: The files of the model.

    Returns:
        The full hash of HEAD, with ``-dirty`` if a model file is changed, new,
        ignored or deleted; None outside git, before the first commit, without the
        git command, or when the model spans several repositories.
    """
    asked = list(paths)
    folders = {_folder(path) for path in asked}
    roots = {_git(folder, "rev-parse", "--show-toplevel") for folder in folders}
    root = roots.pop() if len(roots) == 1 else None
    if root is None:
        return None
    folder = folders.pop()
    head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    if not head:
        return None
    return f"{head}{DIRTY}" if _is_dirty(folder, Path(root), asked, files) else head


def is_ancestor(commit: str, of: str, folder: Path) -> bool | None:
    """Return whether ``commit`` is ``of`` or lies before it in git's history.

    Args:
        commit: Full or short hash; a suffix ``-dirty`` is left out of account.
        of: The same.
        folder: A folder of the repository, or a file in it.

    Returns:
        None if it cannot be told: git is absent, or does not know a commit.
    """
    commits = [text.removesuffix(DIRTY) for text in (commit, of)]
    if not all(_COMMIT.fullmatch(text) for text in commits):
        return None
    done = _run(_folder(folder), "merge-base", "--is-ancestor", *commits)
    return {0: True, 1: False}.get(done.returncode) if done else None


def is_older(model: LoadedModel, last: str) -> bool:
    """Return whether a model's commit is known to lie before ``last``.

    False also where git cannot tell: a guard against old models must not keep a
    model from being merged outside git.
    """
    if model.commit is None or model.commit.removesuffix(DIRTY) == last.removesuffix(DIRTY):
        return False
    return is_ancestor(model.commit, last, model.files[0]) is True


def _folder(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _is_dirty(folder: Path, root: Path, paths: Iterable[Path], files: Iterable[Path]) -> bool:
    options = ("--porcelain=v1", "-z", "--no-renames", "--untracked-files=all", "--ignored")
    status = _git(folder, "status", *options, "--", *(str(path.resolve()) for path in paths))
    if status is None:
        return True
    ours = {file.resolve() for file in files}
    return any(
        root / entry[3:] in ours or ("D" in entry[:2] and entry.endswith(SUFFIXES))
        for entry in status.split("\0")
    )


def _git(folder: Path, *arguments: str) -> str | None:
    done = _run(folder, *arguments)
    return done.stdout.rstrip("\n") if done and done.returncode == 0 else None


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *arguments]
    environment = {key: v for key, v in os.environ.items() if key not in _REPOSITORY}
    environment |= {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            env=environment,
            timeout=_TIMEOUT,
        )
    except FileNotFoundError:
        return None
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("git could not be asked", command=arguments[0], error=str(error))
        return None
    if done.returncode not in {0, 1} and "not a git repository" not in done.stderr:
        _log.warning("git refused", command=arguments[0], error=done.stderr.strip())
    return done
