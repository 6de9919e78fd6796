"""The environment, read once into a frozen record."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dagfoundry.connections import parse_url
from dagfoundry.errors import SettingInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import URL

STORE_URL_VARIABLE: Final = "DAGFOUNDRY_STORE_URL"
MODEL_VARIABLE: Final = "DAGFOUNDRY_MODEL"
METRICS_VARIABLE: Final = "DAGFOUNDRY_METRICS_DIR"
DEFAULT_STORE_URL: Final = "sqlite:///dagfoundry.db"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a process of DAG Foundry is told by its environment.

    Attributes:
        store_url: The store's database (``DAGFOUNDRY_STORE_URL``); a SQLite file
            ``dagfoundry.db`` under ``DAGFOUNDRY_HOME`` by default.
        model: Folder or file that the infrastructure DAG merges (``DAGFOUNDRY_MODEL``).
        metrics_dir: Folder of the metrics' slot files (``DAGFOUNDRY_METRICS_DIR``);
            without it metrics stay in the process.
    """

    store_url: URL = field(repr=False)
    model: str | None = None
    metrics_dir: str | None = None


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings of this process.

    Args:
        environment: Variables to read; those of this process by default.

    Raises:
        SettingInvalidError: A variable has an impossible value.
    """
    variables = os.environ if environment is None else environment
    text = variables.get(STORE_URL_VARIABLE) or DEFAULT_STORE_URL
    return Settings(
        store_url=parse_url(text, STORE_URL_VARIABLE),
        model=variables.get(MODEL_VARIABLE) or None,
        metrics_dir=variables.get(METRICS_VARIABLE) or None,
    )


def required_model(settings: Settings) -> str:
    """Return the model to merge.

    Raises:
        SettingInvalidError: ``DAGFOUNDRY_MODEL`` is not set.
    """
    if settings.model is None:
        msg = f"environment variable {MODEL_VARIABLE} is not set"
        raise SettingInvalidError(msg, remedy="Set it to the model's folder, or name the model.")
    return settings.model
