"""The part of a model that every factory type shares: foundry, platforms, section items."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from dagfoundry.connections import Database
from dagfoundry.names import NAME_PATTERN, PLATFORM_NAME_PATTERN

Name = Annotated[str, Field(pattern=NAME_PATTERN)]
"""Name of an entry, store, dataset: a letter, then letters, digits and underscores."""

PlatformName = Annotated[str, Field(pattern=PLATFORM_NAME_PATTERN)]
"""Name of a foundry or platform; a dash is allowed as well."""

_CREDENTIAL = r"^[A-Za-z_][A-Za-z0-9_]*$"


class ModelPart(BaseModel):
    """Base of everything in a model: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Milestoning(str, Enum):
    """How the merge tables keep history."""

    LIVE = "live"
    FORENSIC = "forensic"


class Runner(str, Enum):
    """Where a platform's jobs run."""

    LOCAL = "local"


class Git(ModelPart):
    """The repository that holds the model."""

    repo_url: str
    branch: str = "main"
    credential: Annotated[str, Field(pattern=_CREDENTIAL)] | None = None


class Kubernetes(ModelPart):
    """Where pods run, as the reference's rows name it."""

    namespace: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    image: str | None = None
    storage_class: str | None = None


class PlatformModel(ModelPart):
    """A named target, such as YellowLive.

    Attributes:
        name: Name of the platform, unique in the store.
        milestoning: Whether merge tables keep the newest state (``live``) or all (``forensic``).
        merge_store: Database that holds the merge tables.
        runner: Where its jobs run.
        defaults: What its items take over, by key; those of one section below its name.
    """

    name: PlatformName
    milestoning: Milestoning = Milestoning.LIVE
    merge_store: Database
    runner: Runner = Runner.LOCAL
    defaults: dict[str, Any] | None = None


class VariableModel(ModelPart):
    """A variable that values use as ``${name}``.

    Attributes:
        default: Its value where nothing else sets it.
        description: What it is for.
    """

    default: str | bool | int | float | None = None
    description: str = ""


class FoundryModel(ModelPart):
    """The keys of a model that are the foundry's own.

    Attributes:
        foundry: Name of the foundry; the reference calls it the PSP.
        buckets: Number of bundle files, fixed when the foundry is created.
        platforms: The platforms its entries run on.
        git: The model's repository.
        kubernetes: Where pods run.
        defaults: What items take over, by key; those of one section below its name.
        variables: Name of a variable to its default, or to default and description.
        environments: Name of an environment to what is different there.
    """

    foundry: PlatformName
    buckets: Annotated[int, Field(ge=1, le=256)] = 32
    platforms: Annotated[tuple[PlatformModel, ...], Field(min_length=1)]
    git: Git | None = None
    kubernetes: Kubernetes | None = None
    defaults: dict[str, Any] | None = None
    variables: dict[Name, str | bool | int | float | VariableModel | None] | None = None
    environments: dict[Name, dict[str, Any] | None] | None = None


class ItemOptions(ModelPart):
    """What every item has and `defaults` may set for all of them.

    Attributes:
        enabled: False keeps the entries and pauses their DAGs.
        owner: Owner shown in Airflow.
        tags: Tags besides the type's own.
        retries: Retries of each task; the type's default when absent.
        retry_delay: Seconds before a retry; 300 when absent.
        pool: Airflow pool of each task.
    """

    enabled: bool = True
    owner: Annotated[str, Field(min_length=1)] | None = None
    tags: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = ()
    retries: Annotated[int, Field(ge=0, le=100)] | None = None
    retry_delay: Annotated[int, Field(ge=1, le=86_400)] | None = None
    pool: Annotated[str, Field(min_length=1, max_length=256)] | None = None


class SectionItem(ItemOptions):
    """Base of an item of a factory type's section.

    Attributes:
        name: Name of the item, unique within its section.
        platforms: Platforms it runs on; all of the foundry when absent.
    """

    name: Name
    platforms: tuple[PlatformName, ...] | None = None
