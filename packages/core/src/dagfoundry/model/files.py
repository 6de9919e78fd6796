"""The files of a model: which ones, and their text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import Finding, Place
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SUFFIXES: Final = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFile:
    """One file of a model and its text."""

    path: Path
    text: str


def find_files(paths: Iterable[Path]) -> tuple[list[Path], list[Finding]]:
    """Return the files that a model's paths name, each once, and what is missing.

    Args:
        paths: Files of any name, and folders; of a folder every ``*.yaml`` and
            ``*.yml``, also in sub-folders, in order of their paths. What is hidden
            (a name that begins with a dot) is left out.
    """
    files: dict[Path, Path] = {}
    findings: list[Finding] = []
    for path in paths:
        found, wrong = _look(path)
        findings += wrong
        for file in found:
            files.setdefault(file.resolve(), file)
    return list(files.values()), findings


def _look(path: Path) -> tuple[list[Path], list[Finding]]:
    if path.is_file():
        return [path], []
    if not path.is_dir():
        return [], [_missing(path)]
    errors: list[OSError] = []
    files = list(_files_below(path, errors))
    if not (files or errors):
        return [], [_empty(path)]
    return files, [_unreadable(error.filename, error) for error in errors]


def _files_below(path: Path, errors: list[OSError]) -> Iterator[Path]:
    for folder, folders, names in os.walk(path, onerror=errors.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield Path(folder, name)


def _empty(path: Path) -> Finding:
    what = f"the folder {path} holds no model"
    remedy = "Put *.yaml files into it, or name another folder."
    return Finding(what=what, remedy=remedy, rule=Rule.FILE_MISSING)


def _missing(path: Path) -> Finding:
    what = f"there is no file or folder {path}"
    remedy = "Name the model's files or the folder that holds them."
    return Finding(what=what, remedy=remedy, rule=Rule.FILE_MISSING)


def _unreadable(path: object, error: OSError) -> Finding:
    what = f"{path} cannot be read: {error.strerror}"
    remedy = "Make it readable for this user."
    return Finding(what=what, remedy=remedy, rule=Rule.FILE_UNREADABLE)


def read_file(path: Path) -> ModelFile | Finding:
    """Return a file's text, or why it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return _unreadable(path, error)
    try:
        return ModelFile(path=path, text=content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        byte = content[error.start]
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        return Finding(
            what=f"byte 0x{byte:02x} is no UTF-8 text",
            remedy="Save the file in the encoding UTF-8.",
            place=place_after(before, path),
            rule=Rule.FILE_UNREADABLE,
        )


def place_after(before: str, path: Path) -> Place:
    """Return the place of the character that follows the text ``before``."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Place(file=str(path), line=len(lines), column=len(lines[-1]) + 1)
