"""The files of a model: which ones, and their text."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dagfoundry.errors import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

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
        found = list(_files_of(path))
        for file in found:
            files.setdefault(file.resolve(), file)
        if not found:
            findings.append(_missing(path))
    return list(files.values()), findings


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(SUFFIXES) and not name.startswith("."):
                yield path.joinpath(os.path.relpath(folder, path), name)


def _missing(path: Path) -> Finding:
    if path.is_dir():
        what = f"the folder {path} holds no model"
        return Finding(what=what, remedy="Put *.yaml files into it, or name another folder.")
    what = f"there is no file or folder {path}"
    return Finding(what=what, remedy="Name the model's files or the folder that holds them.")


def read_file(path: Path) -> ModelFile | Finding:
    """Return a file's text, or why it cannot be read."""
    try:
        content = path.read_bytes()
    except OSError as error:
        what = f"{path} cannot be read: {error.strerror}"
        return Finding(what=what, remedy="Make the file readable for this user.")
    try:
        return ModelFile(path=path, text=content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        byte = content[error.start]
        before = content[: error.start].decode("utf-8-sig", errors="replace")
        return Finding(
            what=f"byte 0x{byte:02x} is no UTF-8 text",
            remedy="Save the file in the encoding UTF-8.",
            place=place_after(before, path),
        )


def place_after(before: str, path: Path) -> Place:
    """Return the place of the character that follows the text ``before``."""
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return Place(file=str(path), line=len(lines), column=len(lines[-1]) + 1)
