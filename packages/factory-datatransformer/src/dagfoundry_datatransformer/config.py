"""A transformer as a model writes it, and as a row stores it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from dagfoundry import CronExpression, ModelPart, Name, SectionItem, refusal
from dagfoundry.names import NAME_PATTERN
from dagfoundry_datatransformer.spec import CallableName, Milestoning, OutputSpec
from dagfoundry_datatransformer.statement import SelectStatement

if TYPE_CHECKING:
    from collections.abc import Sequence

_NO_SCHEDULE: Final = ("", "None")
"""How rows of the reference write that there is no schedule (defect D7)."""

_LIST_REMEDY: Final = "Write a list of Store.dataset, or a mapping of alias to Store.dataset."
_SQL_REMEDY: Final = "Give each output its sql, or let python make all of them."
_ALIAS_REMEDY: Final = "Write a mapping of alias to Store.dataset instead of a list."


def _dataset(value: str) -> str:
    store, _, dataset = value.partition(".")
    if not (re.fullmatch(NAME_PATTERN, store) and re.fullmatch(NAME_PATTERN, dataset)):
        remedy = "Write Store.dataset, such as Reference.airlines."
        raise refusal("does not name a dataset", remedy=remedy)
    return value


DatasetName = Annotated[str, AfterValidator(_dataset)]
"""``Store.dataset``."""


def _by_alias(value: object) -> object:
    """Turn a list of ``Store.dataset`` into a mapping by the datasets' names."""
    if not isinstance(value, (list, tuple)):
        return value
    inputs: dict[str, str] = {}
    for dataset in map(str, value):
        try:
            alias = _dataset(dataset).partition(".")[2]
        except ValueError as error:
            raise refusal(f"{dataset!r} {error}", remedy=_LIST_REMEDY) from None
        if alias in inputs:
            raise refusal(f"{inputs[alias]} and {dataset} have one name", remedy=_ALIAS_REMEDY)
        inputs[alias] = dataset
    return inputs


def _distinct(names: Sequence[str], what: str) -> None:
    """Refuse names that one of the databases takes for the same, and to have none at all."""
    if not names:
        raise refusal(f"there are no {what}", remedy="Write at least one.")
    seen: dict[str, str] = {}
    for name in names:
        if name.lower() in seen:
            problem = f"the {what} {seen[name.lower()]!r} and {name!r} are the same to a database"
            raise refusal(problem, remedy="Give them names that differ in more than case.")
        seen[name.lower()] = name


def _distinct_columns(key: tuple[str, ...]) -> tuple[str, ...]:
    _distinct(key, "key columns")
    return key


def _distinct_aliases(inputs: dict[str, str]) -> dict[str, str]:
    if inputs:
        _distinct(list(inputs), "aliases")
    return inputs


def _distinct_outputs(outputs: tuple[TransformerOutput, ...]) -> tuple[TransformerOutput, ...]:
    _distinct([output.name for output in outputs], "outputs")
    return outputs


Inputs = Annotated[
    dict[Name, DatasetName],
    BeforeValidator(_by_alias),
    AfterValidator(_distinct_aliases),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "object", "additionalProperties": {"type": "string"}},
                {"type": "array", "items": {"type": "string"}},
            ]
        }
    ),
]
"""Alias to ``Store.dataset``; a list takes the datasets' names as aliases."""

Key = Annotated[
    tuple[Annotated[str, Field(min_length=1)], ...],
    AfterValidator(_distinct_columns),
]
"""Columns that identify a row; unique and never NULL."""


class TransformerOutput(ModelPart):
    """A dataset that a transformer makes.

    Attributes:
        name: Name of the dataset.
        key: Columns that identify a row.
        sql: SELECT over the inputs, each by its alias; none for a Python transformer.
    """

    name: Name
    key: Key
    sql: SelectStatement | None = None


Outputs = Annotated[tuple[TransformerOutput, ...], AfterValidator(_distinct_outputs)]
"""At least one output, each of another name."""


class TransformerItem(SectionItem):
    """An item of the model's section ``transformers``.

    Attributes:
        inputs: Alias to ``Store.dataset``; a list takes the datasets' names as aliases.
        schedule: Cron expression; when absent it runs on the data that it reads.
        priority: Priority weight of its tasks, 0 to 4.
        output_store: Store that its outputs belong to; the transformer's name by default.
        outputs: What it makes.
        python: Entry point in group ``dagfoundry.transformers`` that makes the outputs.
    """

    inputs: Inputs = Field(default_factory=dict)
    schedule: CronExpression | None = None
    priority: Annotated[int, Field(ge=0, le=4)] = 1
    output_store: Name | None = None
    outputs: Outputs
    python: CallableName | None = None

    @property
    def store(self) -> str:
        """The store that its outputs belong to."""
        return self.output_store or self.name

    @model_validator(mode="after")
    def _check_sql(self) -> TransformerItem:
        for output in self.outputs:
            if self.python is None and output.sql is None:
                raise refusal(f"output {output.name!r} has no sql", remedy=_SQL_REMEDY)
            if self.python is not None and output.sql is not None:
                problem = f"output {output.name!r} has sql, but python {self.python!r} makes it"
                raise refusal(problem, remedy=_SQL_REMEDY)
        return self


def _schedule(value: object) -> object:
    return None if value in _NO_SCHEDULE else value


class StoredOptions(BaseModel):
    """What a row stores under ``dagfoundry``; a reference deployment's row has none of it.

    Attributes:
        inputs: Alias to ``Store#dataset``.
        outputs: What the job makes.
        python: Entry point that makes the outputs.
        milestoning: How the platform's merge tables keep history.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    inputs: dict[str, str] = Field(default_factory=dict)
    outputs: tuple[OutputSpec, ...] = ()
    milestoning: Milestoning = "live"
    python: CallableName | None = None


class TransformerConfig(BaseModel):
    """A stored row's config_json (reference system, 2.4).

    Attributes:
        workspace_name: Name of the transformer.
        platform_name: Name of the platform as DAG ids write it.
        output_datastore_name: Store that its outputs belong to.
        input_dataset_list: What it reads, as ``Store#dataset``.
        output_dataset_list: Names of the datasets it makes.
        schedule_string: Cron expression, or none for running on the data it reads.
        priority: Absolute priority weight of its tasks.
        job_limits: What its job may use where it runs in a pod.
        output_job_limits: What the ingestion of its outputs may use there.
        dagfoundry: What is DAG Foundry's own.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    workspace_name: str
    platform_name: str
    output_datastore_name: str
    input_dataset_list: tuple[str, ...] = ()
    output_dataset_list: tuple[str, ...] = ()
    schedule_string: Annotated[CronExpression | None, BeforeValidator(_schedule)] = None
    priority: int = 1
    job_limits: object = None
    output_job_limits: object = None
    dagfoundry: StoredOptions = StoredOptions()

    @property
    def produces(self) -> tuple[str, ...]:
        """The datasets it makes, as ``Store#dataset``."""
        return tuple(f"{self.output_datastore_name}#{name}" for name in self.output_dataset_list)
