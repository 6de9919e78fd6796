"""Writing a folder of new files, such as those of a model."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from dagfoundry.errors import SettingInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_new_folder(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files into a new or empty folder.

    Args:
        folder: The folder; it is made when it is not there.
        files: Name to text; a name may stand in folders of its own.

    Returns:
        The files that were written.

    Raises:
        SettingInvalidError: The folder holds something, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        raise _unusable(folder, error) from error
    if occupied:
        msg = f"folder {folder} is not empty"
        raise SettingInvalidError(msg, remedy="Name a new folder; nothing was written.")
    paths = {folder / name: text for name, text in files.items()}
    try:
        for path, text in paths.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        _empty(folder)
        raise _unusable(folder, error) from error
    except KeyboardInterrupt:
        _empty(folder)
        raise
    return list(paths)


def _empty(folder: Path) -> None:
    """Take out what was written into a folder that was empty."""
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def _unusable(folder: Path, error: OSError) -> SettingInvalidError:
    msg = f"folder {folder} cannot be used: {error.strerror}"
    return SettingInvalidError(msg, remedy="Name another folder.")
