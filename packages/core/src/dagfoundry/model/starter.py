"""The model that ``dagfoundry init`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.errors import SettingInvalidError

if TYPE_CHECKING:
    from pathlib import Path

_FILES: Final = {
    "platform.yaml": """\
# One foundry, one platform. Secrets stay in the environment.
foundry: MyFoundry
platforms:
  - name: MyPlatform
    merge_store: {url_variable: MERGE_URL}
""",
    "stores.yaml": """\
# Each store becomes one ingestion DAG (multi) or one per dataset (single).
stores:
  - name: Sales
    owner: data-platform
    source: {url_variable: SALES_URL}
    ingestion: multi
    schedule: "0 * * * *"
    datasets:
      - {name: customers, key: [id]}
      - {name: orders, key: [id]}
""",
}


def write_starter_model(folder: Path) -> list[Path]:
    """Write a small model into a new or empty folder.

    Returns:
        The files that were written.

    Raises:
        SettingInvalidError: The folder holds something, or cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        occupied = any(folder.iterdir())
    except OSError as error:
        msg = f"folder {folder} cannot be used: {error.strerror}"
        raise SettingInvalidError(msg, remedy="Name another folder.") from error
    if occupied:
        msg = f"folder {folder} is not empty"
        raise SettingInvalidError(msg, remedy="Name a new folder; nothing was written.")
    paths = [folder / name for name in _FILES]
    for path in paths:
        path.write_text(_FILES[path.name], encoding="utf-8")
    return paths
