"""The environment, read once into a frozen record."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from dagfoundry.author import AUTHOR_VARIABLE
from dagfoundry.connections import HOME_VARIABLE, parse_url
from dagfoundry.errors import SettingInvalidError
from dagfoundry.jobs import RESULT_VARIABLE, SPEC_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import URL

STORE_URL_VARIABLE: Final = "DAGFOUNDRY_STORE_URL"
MODEL_VARIABLE: Final = "DAGFOUNDRY_MODEL"
ENVIRONMENT_VARIABLE: Final = "DAGFOUNDRY_ENV"
VARIABLE_PREFIX: Final = "DAGFOUNDRY_VAR_"
"""Environment variables of this prefix set the variables of a model."""

METRICS_VARIABLE: Final = "DAGFOUNDRY_METRICS_DIR"
VARIABLES: Final = {
    STORE_URL_VARIABLE: "The store's database; `sqlite:///dagfoundry.db` by default.",
    HOME_VARIABLE: "Folder from which relative SQLite paths are taken; the working folder else.",
    MODEL_VARIABLE: "Model for commands that name none, and for the infrastructure DAG's merge.",
    ENVIRONMENT_VARIABLE: "Environment of the model where `--env` names none.",
    f"{VARIABLE_PREFIX}<NAME>": "Sets a variable that the model declares, anew.",
    METRICS_VARIABLE: "Folder of the metrics; without it they stay in the process.",
    AUTHOR_VARIABLE: "Who makes a revision; git's user, then the system's, by default.",
    SPEC_VARIABLE: "Set by a task for its job: the file that says what to do.",
    RESULT_VARIABLE: "Set by a task for its job: the file to write the result to.",
}
"""Every environment variable of DAG Foundry, and what it means."""

DEFAULT_STORE_URL: Final = "sqlite:///dagfoundry.db"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """What a process of DAG Foundry is told by its environment.

    Attributes:
        store_url: The store's database (``DAGFOUNDRY_STORE_URL``); a SQLite file
            ``dagfoundry.db`` under ``DAGFOUNDRY_HOME`` by default.
        model: Folder or file that the infrastructure DAG merges (``DAGFOUNDRY_MODEL``).
        environment: Environment of the model (``DAGFOUNDRY_ENV``).
        metrics_dir: Folder of the metrics' slot files (``DAGFOUNDRY_METRICS_DIR``);
            without it metrics stay in the process.
    """

    store_url: URL = field(repr=False)
    model: str | None = None
    environment: str | None = None
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
        environment=variables.get(ENVIRONMENT_VARIABLE) or None,
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
