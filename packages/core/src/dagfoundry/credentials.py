"""Secrets by reference: a name in the model, environment variables where a job runs.

A credential ``orders_db`` is the pair of variables ``orders_db_USER`` and
``orders_db_PASSWORD``, spelt exactly so in every process (the reference system has
three spellings, defect D23). A whole database URL can be one variable as well.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dagfoundry.errors import CredentialMissingError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """A user and a password; the password never shows in a repr."""

    user: str
    password: str = field(repr=False)


def variables_of(credential: str) -> tuple[str, str]:
    """Return the names of the two environment variables of a credential."""
    return f"{credential}_USER", f"{credential}_PASSWORD"


def read_credential(name: str, environment: Mapping[str, str] | None = None) -> Credential:
    """Read a credential from the environment.

    Args:
        name: Name of the credential, as the model writes it.
        environment: Variables to read; those of this process by default.

    Raises:
        CredentialMissingError: One of the two variables is not set.
    """
    user, password = (
        read_variable(v, f"credential {name!r}", environment) for v in variables_of(name)
    )
    return Credential(user=user, password=password)


def read_variable(variable: str, purpose: str, environment: Mapping[str, str] | None = None) -> str:
    """Read one environment variable that must be set.

    Raises:
        CredentialMissingError: It is not set, or empty.
    """
    value = (os.environ if environment is None else environment).get(variable, "")
    if not value:
        msg = f"environment variable {variable} of {purpose} is not set"
        raise CredentialMissingError(msg, remedy=f"Set {variable} where this process runs.")
    return value
