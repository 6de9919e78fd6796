"""Writing the files of a new model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.errors import SettingInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_new_folder(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write files into a new or empty folder.

    Args:
        folder: The folder; it is made when it is not there.
        files: Name to text.

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
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        for path in paths:
            path.unlink(missing_ok=True)
        raise _unusable(folder, error) from error
    return list(paths)


def _unusable(folder: Path, error: OSError) -> SettingInvalidError:
    msg = f"folder {folder} cannot be used: {error.strerror}"
    return SettingInvalidError(msg, remedy="Name another folder.")
