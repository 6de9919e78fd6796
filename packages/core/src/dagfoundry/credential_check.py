"""Whether every credential that a model names is set in this process's environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dagfoundry.connections import Database
from dagfoundry.credentials import variables_of
from dagfoundry.errors import Finding, ModelInvalidError
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import BaseModel

    from dagfoundry.errors import Place
    from dagfoundry.model import LoadedModel


def require_credentials(model: LoadedModel) -> None:
    """Check that each variable which a database of the model needs is set.

    Raises:
        ModelInvalidError: Some are not; one finding for each.
    """
    findings = list(dict.fromkeys(_missing(model)))  # an item may have several forms
    if findings:
        raise ModelInvalidError(findings)


def _missing(model: LoadedModel) -> Iterator[Finding]:
    for index, platform in enumerate(model.foundry.platforms):
        path = ("platforms", index, "merge_store")
        for variable in _unset(platform.merge_store):
            yield _finding(variable, f"platforms[{index}].merge_store", model.place(*path))
    for loaded in model.items:
        for name, database in _databases(loaded.item):
            for variable in _unset(database):
                yield _finding(variable, f"{loaded.path}.{name}", loaded.place(name))


def _databases(item: BaseModel) -> Iterator[tuple[str, Database]]:
    for name in type(item).model_fields:
        value = getattr(item, name)
        if isinstance(value, Database):
            yield name, value


def _unset(database: Database) -> list[str]:
    names = [database.url_variable] if database.url_variable else []
    names += variables_of(database.credential) if database.credential else ()
    return [name for name in names if name and not os.environ.get(name)]


def _finding(variable: str, path: str, place: Place | None) -> Finding:
    what = f"environment variable {variable} is not set"
    return Finding(
        what=what,
        remedy=f"Set {variable} where jobs run.",
        path=path,
        place=place,
        rule=Rule.CREDENTIAL_UNSET,
    )
