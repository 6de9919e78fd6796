"""A store as a model writes it, and a stream as a row stores it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from dagfoundry import CronExpression, Database, ModelPart, Name, SectionItem, refusal
from dagfoundry_platform.spec import DatasetSpec, Milestoning

_NO_SCHEDULE: Final = ("", "None")
"""How rows of the reference write that there is no schedule (defect D7)."""

_LOWEST_PRIORITY: Final = 0
_HIGHEST_PRIORITY: Final = 4

_QUANTITY: Final = r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$"

Column = Annotated[str, Field(min_length=1)]

Quantity = Annotated[str, Field(pattern=_QUANTITY)]
"""A quantity as Kubernetes writes it (the reference takes others as well, defect D31)."""


def _distinct_names(datasets: tuple[Dataset, ...]) -> tuple[Dataset, ...]:
    seen: dict[str, str] = {}
    for dataset in datasets:
        if other := seen.get(dataset.name.lower()):
            problem = f"the datasets {other!r} and {dataset.name!r} have the same tables"
            raise refusal(problem, remedy="Give them names that differ in more than case.")
        seen[dataset.name.lower()] = dataset.name
    return datasets


def _distinct_columns(key: tuple[str, ...]) -> tuple[str, ...]:
    if len({column.lower() for column in key}) < len(key):
        raise refusal("a column stands twice in the key", remedy="Name each column once.")
    return key


class Dataset(ModelPart):
    """A table of a source.

    Attributes:
        name: Name of the dataset, from which its tables in the merge store are named.
        key: Columns whose values are unique; the whole row when absent.
        table: Table or view in the source, when it is named otherwise.
        source_schema: Schema of that table, when it is not that of the store.
    """

    name: Name
    key: Annotated[tuple[Column, ...], AfterValidator(_distinct_columns)] = ()
    table: Annotated[str, Field(min_length=1)] | None = None
    source_schema: Annotated[str, Field(min_length=1)] | None = None


class JobLimits(ModelPart):
    """What a job may use where its platform runs jobs in pods.

    Attributes:
        requested_memory: Memory that is set aside for it.
        limits_memory: Memory at which it is ended.
        requested_cpu: Processor time that is set aside for it.
        limits_cpu: Processor time that it never exceeds.
    """

    requested_memory: Quantity = "256M"
    limits_memory: Quantity = "1Gi"
    requested_cpu: Quantity = "100m"
    limits_cpu: Quantity = "500m"


class StoreItem(SectionItem):
    """An item of the model's section ``stores``.

    Attributes:
        source: Database that the datasets are copied from.
        source_schema: Schema of the source's tables; the connection's own when absent.
        ingestion: ``multi`` makes one stream for all datasets, ``single`` one for each.
        schedule: Cron expression; when absent the streams run only when triggered.
        priority: Priority weight of the tasks, 0 to 4.
        job_limits: What a job may use where it runs in a pod.
        datasets: What is copied.
    """

    source: Database
    source_schema: Annotated[str, Field(min_length=1)] | None = None
    ingestion: Literal["multi", "single"] = "multi"
    schedule: CronExpression | None = None
    priority: Annotated[int, Field(ge=_LOWEST_PRIORITY, le=_HIGHEST_PRIORITY)] = 1
    job_limits: JobLimits = JobLimits()
    datasets: Annotated[tuple[Dataset, ...], Field(min_length=1), AfterValidator(_distinct_names)]


def _schedule(value: object) -> object:
    return None if value in _NO_SCHEDULE else value


class StoredOptions(BaseModel):
    """What a row stores under ``dagfoundry``; a reference deployment's row has none of it.

    Attributes:
        source: Database that the datasets are copied from.
        source_schema: Schema of the source's tables.
        datasets: What is copied, with tables and keys.
        milestoning: How the platform's merge tables keep history.
        merge_store: The platform's merge store.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    source: Database | None = None
    source_schema: str | None = None
    datasets: tuple[DatasetSpec, ...] = ()
    milestoning: Milestoning = "live"
    merge_store: Database | None = None


class StreamConfig(BaseModel):
    """A stored row's config_json (reference system, 2.3).

    Attributes:
        stream_key: Key of the row.
        platform_name: Name of the platform as DAG ids write it.
        store_name: The store.
        single_dataset: Whether the stream holds one dataset of its store only.
        dataset_name: That dataset.
        datasets: Names of the datasets.
        schedule_string: Cron expression, or none for a stream that is only triggered.
        priority: Absolute priority weight of its tasks.
        ingestion_type: How the reference's jobs read the source; not used here.
        job_limits: What a job may use where it runs in a pod.
        source_credential_secret_name: Kubernetes secret of the source.
        dagfoundry: What is DAG Foundry's own.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    stream_key: str
    platform_name: str
    store_name: str
    single_dataset: bool = False
    dataset_name: str | None = None
    datasets: Annotated[tuple[str, ...], Field(min_length=1)]
    schedule_string: Annotated[CronExpression | None, BeforeValidator(_schedule)] = None
    priority: int = 1
    ingestion_type: object = None
    job_limits: object = None
    source_credential_secret_name: object = None
    dagfoundry: StoredOptions = StoredOptions()

    @property
    def produces(self) -> tuple[str, ...]:
        """The datasets it writes, as ``Store#dataset``."""
        return tuple(f"{self.store_name}#{name}" for name in self.datasets)

    @property
    def only_dataset(self) -> str | None:
        """The dataset of a stream that holds one only."""
        return (self.dataset_name or self.datasets[0]) if self.single_dataset else None
