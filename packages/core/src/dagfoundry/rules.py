"""The rules that a finding can name: stable ids, declared here and nowhere else."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing_extensions import Self


class Rule(str, Enum):
    """A rule of a model; its value is the id that programs read.

    Attributes:
        summary: What the rule asks for, in one sentence.
    """

    summary: str

    def __new__(cls, rule_id: str, summary: str) -> Self:
        """Make a member out of its id and summary."""
        member = str.__new__(cls, rule_id)
        member._value_ = rule_id
        member.summary = summary
        return member

    FILE_MISSING = "file.missing", "Each file or folder that is named exists and holds a model."
    FILE_UNREADABLE = "file.unreadable", "Each file can be read and is text in UTF-8."

    YAML_MALFORMED = "yaml.malformed", "A file is YAML, and holds one mapping."
    YAML_REPEATED_KEY = "yaml.repeated-key", "A key stands once in its mapping, and in one file."
    YAML_TAG = "yaml.tag", "Values carry no tags."
    YAML_ALIAS = "yaml.alias", "Aliases and merge keys stand for a mapping, and for no circle."

    UNKNOWN_KEY = "model.unknown-key", "A mapping holds only keys that the model knows."
    UNKNOWN_SECTION = "model.unknown-section", "An installed factory type offers each section."
    MISSING_KEY = "model.missing-key", "A mapping holds every key that it must have."
    WRONG_TYPE = "model.wrong-type", "A value is of the kind that its key asks for."
    WRONG_VALUE = "model.wrong-value", "A value keeps the limits of its key."
    CRON = "model.cron", "A schedule is a cron expression that Airflow can run."
    REFUSED = "model.refused", "An item fits its factory type, which checks and drafts it."
    OBJECTION = "model.objection", "An entry fits the others, which its factory type checks."
    PASSWORD = "model.password", "A model holds no password."

    NAME_CLASH = "model.name-clash", "Names, DAG ids, tables and entries are unique."
    UNKNOWN_PLATFORM = "model.unknown-platform", "An item names platforms of its foundry, once."
    DAG_ID = "model.dag-id", "A DAG id is one that Airflow accepts."

    LINEAGE_OWNER = "lineage.owner", "One entry writes a dataset, and no two share a table."
    LINEAGE_MISSING = "lineage.missing", "An entry of the same platform writes what is read."
    LINEAGE_CIRCLE = "lineage.circle", "DAGs do not wait for each other in a circle."

    ENVIRONMENT_UNKNOWN = "environment.unknown", "The model has the environment that is chosen."
    ENVIRONMENT_NONE = "environment.none", "An incomplete model needs one of its environments."
    ENVIRONMENT_KEY = "environment.key", "An environment changes keys and items that exist."

    VARIABLE_UNDECLARED = "variable.undeclared", "A variable that is used or set is declared."
    VARIABLE_MISSING = "variable.missing", "A variable that is used has a value."
    VARIABLE_UNUSED = "variable.unused", "A variable that is set anew is used."
    VARIABLE_SYNTAX = "variable.syntax", "`${name}` names a variable, and stands in no key."

    STORE_CLASH = "store.clash", "No other foundry of the store owns a name, table or DAG id."
    CREDENTIAL_UNSET = "credential.unset", "The variables of each credential are set."
    OTHER = "model.other", "Every other rule."
