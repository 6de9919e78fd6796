"""The model that ``dagfoundry init`` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.model.folder import write_new_folder

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
    return write_new_folder(folder, _FILES)
