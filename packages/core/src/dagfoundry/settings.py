"""The environment, read once into a frozen record."""

from __future__ import annotations

import math
import os
import re
from contextlib import suppress
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
MAX_DROP_VARIABLE: Final = "DAGFOUNDRY_MAX_DROP"
ALLOW_DROP_VARIABLE: Final = "DAGFOUNDRY_ALLOW_DROP"
MAX_SNAPSHOT_AGE_VARIABLE: Final = "DAGFOUNDRY_MAX_SNAPSHOT_AGE"
RETENTION_VARIABLE: Final = "DAGFOUNDRY_RETENTION_DAYS"
VARIABLES: Final = {
    STORE_URL_VARIABLE: "The store's database; `sqlite:///dagfoundry.db` by default.",
    HOME_VARIABLE: "Folder from which relative SQLite paths are taken; the working folder else.",
    MODEL_VARIABLE: "Model for commands that name none, and for the infrastructure DAG's merge.",
    ENVIRONMENT_VARIABLE: "Environment of the model where `--env` names none.",
    f"{VARIABLE_PREFIX}<NAME>": "Sets a variable that the model declares, anew.",
    METRICS_VARIABLE: "Folder of the metrics; without it they stay in the process.",
    MAX_DROP_VARIABLE: (
        "Share of a foundry's DAGs, from 0 to 1, that may leave Airflow although no revision "
        "removed them; 0.25 by default."
    ),
    ALLOW_DROP_VARIABLE: (
        "Lets DAGs leave that are held back: `<foundry>@<revision>` as the report says, "
        "several with commas."
    ),
    MAX_SNAPSHOT_AGE_VARIABLE: (
        "Seconds for which the store may be silent until Airflow shows an import error and "
        "`dagfoundry doctor` a problem; 3600 by default. The DAGs run on all the same."
    ),
    RETENTION_VARIABLE: (
        "Days after which a retired entry is purged: its row goes, and its DAG's runs in Airflow; "
        "30 by default."
    ),
    AUTHOR_VARIABLE: "Who makes a revision; git's user, then the system's, by default.",
    SPEC_VARIABLE: "Set by a task for its job: the file that says what to do.",
    RESULT_VARIABLE: "Set by a task for its job: the file to write the result to.",
}
"""Every environment variable of DAG Foundry, and what it means."""

DEFAULT_STORE_URL: Final = "sqlite:///dagfoundry.db"
DEFAULT_MAX_DROP: Final = 0.25
DEFAULT_MAX_SNAPSHOT_AGE: Final = 3600.0
DEFAULT_RETENTION_DAYS: Final = 30.0


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
        max_drop: Share of a foundry's DAGs that may leave Airflow although no revision
            removed them (``DAGFOUNDRY_MAX_DROP``).
        allow_drop: Foundries and revisions, ``<foundry>@<revision>``, with which any number
            may leave (``DAGFOUNDRY_ALLOW_DROP``).
        max_snapshot_age: How long the store may be silent until that is shown, in seconds
            (``DAGFOUNDRY_MAX_SNAPSHOT_AGE``).
        retention_days: For how many days an entry stays retired until it is purged
            (``DAGFOUNDRY_RETENTION_DAYS``).
    """

    store_url: URL = field(repr=False)
    model: str | None = None
    environment: str | None = None
    metrics_dir: str | None = None
    max_drop: float = DEFAULT_MAX_DROP
    allow_drop: frozenset[str] = frozenset()
    max_snapshot_age: float = DEFAULT_MAX_SNAPSHOT_AGE
    retention_days: float = DEFAULT_RETENTION_DAYS


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
        max_drop=_share(variables.get(MAX_DROP_VARIABLE)),
        allow_drop=_foundries_at(variables.get(ALLOW_DROP_VARIABLE)),
        max_snapshot_age=_seconds(variables.get(MAX_SNAPSHOT_AGE_VARIABLE)),
        retention_days=_days(variables.get(RETENTION_VARIABLE)),
    )


def _share(text: str | None) -> float:
    if not text:
        return DEFAULT_MAX_DROP
    with suppress(ValueError):
        if 0 <= (share := float(text)) <= 1:
            return share
    msg = f"environment variable {MAX_DROP_VARIABLE} is {text!r}, which is no share"
    raise SettingInvalidError(msg, remedy="Set it to a number from 0 to 1, such as 0.25.")


def _seconds(text: str | None) -> float:
    if not text:
        return DEFAULT_MAX_SNAPSHOT_AGE
    with suppress(ValueError):
        if 0 < (seconds := float(text)) < math.inf:
            return seconds
    msg = f"environment variable {MAX_SNAPSHOT_AGE_VARIABLE} is {text!r}, which is no time"
    raise SettingInvalidError(msg, remedy="Set it to a number of seconds, such as 3600.")


def _days(text: str | None) -> float:
    if not text:
        return DEFAULT_RETENTION_DAYS
    with suppress(ValueError):
        if 0 <= (days := float(text)) < math.inf:
            return days
    msg = f"environment variable {RETENTION_VARIABLE} is {text!r}, which is no number of days"
    raise SettingInvalidError(msg, remedy="Set it to a number of days, such as 30.")


def _foundries_at(text: str | None) -> frozenset[str]:
    found = frozenset(part.strip() for part in (text or "").split(",") if part.strip())
    for part in found:
        if not re.fullmatch(r"[^@]+@\d+", part):
            msg = f"environment variable {ALLOW_DROP_VARIABLE} names {part!r}"
            remedy = "Write <foundry>@<revision>, such as Quickstart@5."
            raise SettingInvalidError(msg, remedy=remedy)
    return found


def required_model(settings: Settings) -> str:
    """Return the model to merge.

    Raises:
        SettingInvalidError: ``DAGFOUNDRY_MODEL`` is not set.
    """
    if settings.model is None:
        msg = f"environment variable {MODEL_VARIABLE} is not set"
        raise SettingInvalidError(msg, remedy="Set it to the model's folder, or name the model.")
    return settings.model
