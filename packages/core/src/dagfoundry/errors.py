"""Every error of DAG Foundry, grouped by what the caller can do about it.

An error names what is wrong, where, why, and what to do. The command line prints
one of them and exits with 1; nothing half-done stays behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "BuildFailedError",
    "CheckImpossibleError",
    "ConfigTooNewError",
    "CredentialMissingError",
    "DatasetInvalidError",
    "DuplicateFactoryTypeError",
    "EntryMissingError",
    "ExportRefusedError",
    "FactoryTypeInvalidError",
    "FactoryTypeMissingError",
    "Finding",
    "FoundryError",
    "FoundryMissingError",
    "FoundryUnadoptedError",
    "JobFailedError",
    "ModelInvalidError",
    "NotConformingError",
    "NotDeterministicError",
    "NotReadyError",
    "OlderModelError",
    "OtherEnvironmentError",
    "Place",
    "PlanInvalidError",
    "PlanStaleError",
    "PluginLoadError",
    "PruneRefusedError",
    "RevisionMissingError",
    "SchemaMismatchError",
    "SettingInvalidError",
    "StoreConflictError",
    "StoreUnavailableError",
    "UpcastFailedError",
    "VersionMissingError",
    "WrongDagError",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A position in a file of the model; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Return ``file:line:column``, which editors open on a click."""
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing that is wrong with a model.

    Attributes:
        what: The problem in one sentence, with the offending value.
        remedy: What to do, in one sentence.
        path: Where in the model, such as ``stores[2].schedule``.
        place: File, line and column, when the value came from a file.
        rule: The rule that is broken.
        value: The offending value as text, short and without a password; empty if none.
    """

    what: str
    remedy: str
    path: str = ""
    place: Place | None = None
    rule: Rule = Rule.OTHER
    value: str = ""

    def __str__(self) -> str:
        """Return place, path, problem and rule in one line, the remedy in the next."""
        where = ": ".join(str(part) for part in (self.place, self.path, self.what) if part)
        return f"{where} [{self.rule.value}]\n  {self.remedy}"


class FoundryError(Exception):
    """Root of all errors that DAG Foundry raises on purpose.

    Args:
        what: The problem in one sentence, with names and values.
        remedy: What to do, in one sentence.
    """

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what)
        self.what = what
        self.remedy = remedy

    def __str__(self) -> str:
        """Return problem and remedy in two lines."""
        return f"{self.what}\n  {self.remedy}"


# --- The model or a setting is wrong: mend it and try again -----------------


class ModelInvalidError(FoundryError):
    """The model breaks one or more rules; ``findings`` holds all of them."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        super().__init__("\n".join(str(f) for f in self.findings), remedy="")

    def __str__(self) -> str:
        """Return all findings, one after another."""
        return self.what


class PlanInvalidError(FoundryError):
    """A plan file is not one, was changed after it was written, or names impossible values."""


class SettingInvalidError(FoundryError):
    """A setting (environment variable) is missing or has an impossible value."""


class CredentialMissingError(FoundryError):
    """An environment variable that holds a credential is not set."""


class DatasetInvalidError(FoundryError):
    """A source dataset does not fit: no such table, a key that repeats, a changed key."""


# --- A plugin is wrong: install, mend or remove it --------------------------


class PluginLoadError(FoundryError):
    """An installed plugin could not be imported or offers an impossible hook."""


class FactoryTypeInvalidError(FoundryError):
    """A plugin offers a factory type whose record breaks a rule."""


class DuplicateFactoryTypeError(FoundryError):
    """Two installed distributions offer factory types of the same name."""


class FactoryTypeMissingError(FoundryError):
    """No installed distribution offers the factory type that a row or model names."""


class BuildFailedError(FoundryError):
    """A factory type could not turn an entry into a DAG."""


class WrongDagError(BuildFailedError):
    """A factory type's builder returned something else than the DAG of its entry."""


class NotConformingError(FoundryError, AssertionError):
    """A factory type breaks a rule of the plugin interface; a check of its author found it."""


class NotDeterministicError(FoundryError, AssertionError):
    """A factory type builds another DAG from the same row; a check of its author found it."""


class CheckImpossibleError(FoundryError):
    """A check of a factory type cannot be run: something is not installed or not built."""


class ConfigTooNewError(FoundryError):
    """A row's config is of a newer version than the installed factory type knows."""


class UpcastFailedError(FoundryError):
    """A factory type could not bring a row of an older config version up to its own."""


# --- The store refuses: nothing was written ---------------------------------


class StoreUnavailableError(FoundryError):
    """The store cannot be reached, or answers with an error; retrying may help."""


class FoundryMissingError(FoundryError):
    """The store holds no foundry of this name."""


class FoundryUnadoptedError(FoundryMissingError):
    """The store holds a reference deployment's rows that nobody has adopted yet."""


class SchemaMismatchError(FoundryError):
    """The store's tables are older or newer than this version of DAG Foundry."""


class EntryMissingError(FoundryError):
    """The foundry holds no entry of this name, or several."""


class RevisionMissingError(FoundryError):
    """The foundry has no revision of this number."""


class ExportRefusedError(FoundryError):
    """A foundry's rows cannot be written as a model; nothing was written."""


class VersionMissingError(FoundryError):
    """The store knows no version of this name, so it cannot be rendered again."""


class StoreConflictError(FoundryError):
    """A name, table or DAG id is owned by somebody else in the same store."""


class PlanStaleError(FoundryError):
    """The store is no longer what the plan was made for."""


class PruneRefusedError(FoundryError):
    """A merge or rollback would retire more than the guard allows without ``--allow-prune``."""


class OlderModelError(FoundryError):
    """The model's commit is older than the one merged last; see ``--allow-older``."""


class OtherEnvironmentError(FoundryError):
    """The last merge was of another environment; see ``--allow-environment``."""


# --- What was written is not served -----------------------------------------


class NotReadyError(FoundryError):
    """A revision is not served: DAGs lag behind, or cannot be built."""


# --- A job failed ------------------------------------------------------------


class JobFailedError(FoundryError):
    """A job could not do its work; its transaction was rolled back."""
