"""How a model names a database, and how a job gets its URL.

A model holds no secret: either the parts of a URL and the name of a credential, or the
name of one environment variable that holds the whole URL.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from dagfoundry.credentials import read_credential, read_variable
from dagfoundry.errors import SettingInvalidError

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME_VARIABLE: Final = "DAGFOUNDRY_HOME"
"""Folder from which relative SQLite paths are taken; the working folder by default."""

_SECRET_KEYS: Final = ("passwd", "password", "sslpassword")
"""Keys of a URL's query under which a driver takes a secret."""

_IDENTIFIER = r"^[A-Za-z_][A-Za-z0-9_]*$"


class Database(BaseModel):
    """A database, without its secret.

    Attributes:
        url_variable: Environment variable that holds the whole URL.
        driver: SQLAlchemy driver, such as ``postgresql`` or ``sqlite``.
        hostname: Host; none for SQLite.
        port: Port; the driver's own by default.
        database: Database name, or the file of a SQLite database.
        credential: Name of the credential (``{name}_USER``, ``{name}_PASSWORD``).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url_variable: Annotated[str, Field(pattern=_IDENTIFIER)] | None = None
    driver: str | None = None
    hostname: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    database: str | None = None
    credential: Annotated[str, Field(pattern=_IDENTIFIER)] | None = None

    @model_validator(mode="after")
    def _one_way_only(self) -> Database:
        parts = (self.driver, self.hostname, self.port, self.database, self.credential)
        if self.url_variable and any(p is not None for p in parts):
            msg = "name either url_variable or driver, hostname, port, database and credential"
            raise ValueError(msg)
        if not self.url_variable and not (self.driver and self.database):
            msg = "name url_variable, or at least driver and database"
            raise ValueError(msg)
        return self

    def url(self, environment: Mapping[str, str] | None = None) -> URL:
        """Return the URL with its secret, read from the environment.

        Raises:
            CredentialMissingError: A variable it needs is not set.
            SettingInvalidError: The variable holds no database URL.
        """
        if self.url_variable:
            text = read_variable(self.url_variable, "a database", environment)
            return parse_url(text, self.url_variable)
        user = read_credential(self.credential, environment) if self.credential else None
        url = URL.create(
            self.driver or "",
            username=user.user if user else None,
            password=user.password if user else None,
            host=self.hostname,
            port=self.port,
            database=self.database,
        )
        return _settled(url)

    def as_config(self) -> dict[str, Any]:
        """Return the fields that are set, as JSON values."""
        return self.model_dump(mode="json", exclude_none=True)


def merge_store_of(config: Mapping[str, Any]) -> Database:
    """Return the merge store that a row's parsed config_json names.

    A row of ours names it under ``dagfoundry``; a row of a reference deployment has
    the keys ``merge_db_*``, whose credential is a Kubernetes secret: ``orders-db``
    becomes ``orders_db``, which a variable can be named after (defect D23).

    Raises:
        SettingInvalidError: The row names none, as a hand-written one may.
    """
    own = config.get("dagfoundry")
    value = own.get("merge_store") if isinstance(own, dict) else None
    try:
        return Database.model_validate(value or _reference_merge_store(config))
    except ValidationError as error:
        reason = error.errors(include_url=False)[0]["msg"]
        msg = f"key dagfoundry.merge_store of config_json names no database: {reason}"
        remedy = "Merge the model, which writes it."
        raise SettingInvalidError(msg, remedy=remedy) from None


def _reference_merge_store(config: Mapping[str, Any]) -> dict[str, Any] | None:
    if "merge_db_driver" not in config:
        return None
    secret = config.get("merge_db_credential_secret_name")
    return {
        "driver": config["merge_db_driver"],
        "hostname": config.get("merge_db_hostname"),
        "port": config.get("merge_db_port"),
        "database": config.get("merge_db_database"),
        "credential": str(secret).replace("-", "_") if secret else None,
    }


def parse_url(text: str, source: str) -> URL:
    """Return a database URL; relative SQLite paths start at ``DAGFOUNDRY_HOME``.

    Args:
        text: The URL.
        source: The setting it came from, for the error. The text itself may hold
            a password and is never shown.

    Raises:
        SettingInvalidError: The text is no database URL.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        msg = f"{source} holds no database URL"
        remedy = "Write it as driver://user:password@host:port/database."
        raise SettingInvalidError(msg, remedy=remedy) from None
    return _settled(url)


def _settled(url: URL) -> URL:
    """Settle what SQLAlchemy leaves to its version and SQLite to the working folder."""
    if url.drivername == "postgresql":
        # SQLAlchemy 2.1 made psycopg the default; 1.4, which Airflow 2 forces, has only psycopg2.
        return url.set(drivername="postgresql+psycopg2")
    if url.drivername in {"mysql", "mariadb"}:
        return url.set(drivername=f"{url.drivername}+pymysql")  # the default needs a compiler
    if url.get_backend_name() == "sqlite" and url.database not in {None, "", ":memory:"}:
        home = Path(os.environ.get(HOME_VARIABLE, ".")).resolve()
        return url.set(database=str(home / str(url.database)))
    return url


def shown_url(url: URL) -> str:
    """Return a URL as it may be shown: no password, wherever the driver takes one."""
    query = {key: "***" if key.lower() in _SECRET_KEYS else url.query[key] for key in url.query}
    return url.set(query=query).render_as_string(hide_password=True)
