"""The records a plugin exchanges with DAG Foundry: factory types, entries, DAG kits.

A plugin returns a :class:`FactoryType` from its ``dagfoundry_register_factory_types``
hook. Everything here is data or a protocol; nothing imports Airflow.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime, timedelta

    from pydantic import BaseModel

    from dagfoundry.model.schema import FoundryModel, PlatformModel, SectionItem

_Config = TypeVar("_Config", bound="BaseModel")
_CHECKED: Final = "_checked"

OWN_KEY: Final = "dagfoundry"
"""The key of config_json under which everything is that the reference does not know."""


ENTRY_LABELS: Final = ("foundry", "platform", "status")
"""The labels that the metric of every factory type's entries has."""


class Status(str, Enum):
    """Where an entry stands in its life; only ``active`` is seen by the reference's readers."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    RETIRING = "retiring"
    RETIRED = "retired"
    PURGED = "purged"

    @property
    def in_bucket(self) -> bool:
        """Whether Airflow is to see the entry's DAG."""
        return self in (Status.ACTIVE, Status.INACTIVE, Status.RETIRING)


LIVING = (Status.ACTIVE, Status.INACTIVE)
"""Statuses of a row that the model asks for."""

LEAVING = (Status.RETIRING, Status.RETIRED, Status.PURGED)
"""Statuses of a row that was removed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryTable:
    """Where a factory type keeps its rows.

    Attributes:
        suffix: The table is ``{platform}_{suffix}``.
        key_column: Name of the primary key column.
        config_key: Key in a factory's config_json under which the physical table
            name is written, as the reference does; none for new types.
    """

    suffix: str
    key_column: str = "entry_key"
    config_key: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlatformContext:
    """What a section item is drafted for: one platform of one foundry.

    Attributes:
        foundry: The keys of the model that are the foundry's own, environment laid over.
        platform: The platform as the model writes it, with its merge store.
    """

    foundry: FoundryModel
    platform: PlatformModel


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryDraft:
    """An entry as a factory type wants it, before the store knows it.

    Attributes:
        key: Key of the row, unique within the platform and type.
        config: The type's own keys of config_json, JSON values only, no secrets.
        produces: Datasets this entry writes, as ``Store#dataset``.
        consumes: Datasets this entry reads, as ``Store#dataset``; each must be
            produced by an entry of the same platform.
        path: Where in the section item the entry comes from, for findings.
    """

    key: str
    config: Mapping[str, Any]
    produces: tuple[str, ...] = ()
    consumes: tuple[str, ...] = ()
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedEntry:
    """An entry that a model asks for, as the checks over a whole foundry see it.

    Attributes:
        platform_name: Name of the platform as the model writes it.
        factory_type: Name of the factory type.
        dag_id: DAG id it will have.
        item: The section item that it comes from, an instance of the type's ``item``.
        draft: What the type drafted.
    """

    platform_name: str
    factory_type: str
    dag_id: str
    item: SectionItem
    draft: EntryDraft


@dataclass(frozen=True, kw_only=True, slots=True)
class Objection:
    """What a check over a whole foundry has against one entry.

    Attributes:
        entry: The entry, one of those that the check was given.
        what: What is wrong, in one clause.
        remedy: What to do, in one sentence.
        path: Where in the entry's section item, such as ``("tasks", "load")``.
    """

    entry: PlannedEntry
    what: str
    remedy: str
    path: tuple[str | int, ...] = ()


@dataclass(frozen=True, kw_only=True)  # no slots: the checked config is kept beside the fields
class Entry:
    """One row of a factory's table in one revision.

    Attributes:
        foundry: Name of the foundry.
        platform_name: Name of the platform as the model writes it.
        factory_type: Name of the factory type.
        key: Key of the row.
        dag_id: DAG id of the entry.
        config: The parsed config_json.
        status: Where the entry stands in its life.
        revision: Revision that last changed the row.
        author: Who made that revision.
        created_at: When that revision was made, UTC.
        message: Why that revision was made.
    """

    foundry: str
    platform_name: str
    factory_type: str
    key: str
    dag_id: str
    config: Mapping[str, Any]
    status: Status
    revision: int
    author: str = ""
    created_at: datetime | None = None
    message: str = ""

    def config_as(self, model: type[_Config]) -> _Config:
        """Return the config as its factory type's model; it is checked once, however often asked.

        Args:
            model: The type's ``config``.

        Raises:
            pydantic.ValidationError: The config is not of that model.
        """
        known = vars(self).get(_CHECKED)
        if not isinstance(known, model):
            known = vars(self)[_CHECKED] = model.model_validate(self.config)
        return known

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy and a pickle have: the fields."""
        return {name: value for name, value in vars(self).items() if name != _CHECKED}

    @property
    def options(self) -> Mapping[str, Any]:
        """The keys that are DAG Foundry's own (owner, tags, retries, pool, ...)."""
        own = self.config.get(OWN_KEY, {})
        return own if isinstance(own, dict) else {}


@dataclass(frozen=True, kw_only=True, slots=True)
class ExportedItem:
    """The section item that some entries of one platform were drafted from.

    Attributes:
        keys: Keys of these entries.
        values: The item as a model writes it, with its ``name``, without defaults and
            without what any item may have (platforms, enabled, owner, tags, retries,
            retry_delay, pool), which DAG Foundry adds.
        reason: Why these entries cannot be written as an item; empty when they can.
    """

    keys: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class OnDatasets:
    """A schedule: run when each of these datasets (``Store#dataset``) was written."""

    datasets: tuple[str, ...]


Schedule = str | OnDatasets | None
"""A cron expression, datasets to wait for, or none (only triggered)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DagDetails:
    """What some types want of a DAG besides its schedule and tags.

    Attributes:
        documentation: Markdown that is shown below where the entry came from.
        display_name: Name that Airflow's UI shows instead of the DAG id.
        start_date: When its first data interval begins, with a time zone, which is that
            of a cron expression as well; 2025-01-01 UTC when absent.
        end_date: When it starts no more runs.
        catchup: Whether the intervals since the start date are run as well.
        max_active_runs: How many of its runs may be under way.
        max_active_tasks: How many of its tasks may run; Airflow's setting when absent.
        dagrun_timeout: How long a run may take.
        render_template_as_native_obj: Whether templates give values instead of text.
        params: Params of its runs, by name.
        default_args: Arguments of every task; those that the model sets go first.
    """

    documentation: str = ""
    display_name: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    catchup: bool = False
    max_active_runs: int = 1
    max_active_tasks: int | None = None
    dagrun_timeout: timedelta | None = None
    render_template_as_native_obj: bool = False
    params: Mapping[str, Any] = field(default_factory=dict)
    default_args: Mapping[str, Any] = field(default_factory=dict)


class DagKit(Protocol):
    """What Airflow integration hands to a builder, the same on every Airflow version.

    A kit is made for one entry. It applies what every DAG needs: DAG id, owner,
    retries, pool, start date, no catch-up, one active run, documentation, and
    the entry's status (a retiring entry gets no schedule and no self-trigger).
    """

    def dag(
        self,
        *,
        schedule: Schedule,
        tags: Sequence[str],
        retries: int = 0,
        details: DagDetails | None = None,
    ) -> AbstractContextManager[Any]:
        """Open the entry's DAG; tasks made inside belong to it.

        Args:
            schedule: When it runs.
            tags: Tags besides those of the model.
            retries: Retries of its tasks where the model says nothing.
            details: What else the type wants of it.
        """
        ...

    def empty(self, task_id: str, *, trigger_rule: str = "all_success") -> Any:  # noqa: ANN401 - an Airflow operator, which core must not import
        """Make a task that does nothing."""
        ...

    def job(
        self,
        task_id: str,
        command: Sequence[str],
        *,
        spec: Mapping[str, Any],
        outlets: Sequence[str] = (),
        priority: int = 1,
    ) -> Any:  # noqa: ANN401 - an Airflow operator, which core must not import
        """Make a task that runs a job (see :mod:`dagfoundry.jobs`) on the platform's runner.

        Args:
            task_id: Id of the task.
            command: Arguments of the Python interpreter, such as ``("-m", "package.job")``.
            spec: What the job is to do; JSON values, no secrets.
            outlets: Datasets (``Store#dataset``) it has written when it succeeds.
            priority: Absolute priority weight.
        """
        ...

    def branch_on_result(
        self,
        task_id: str,
        *,
        job: str,
        done: str,
        keep_working: str,
        trigger_rule: str = "all_success",
    ) -> Any:  # noqa: ANN401 - an Airflow operator, which core must not import
        """Make a task that reads the JSON result of task ``job`` and chooses what follows."""
        ...

    def retrigger(self, task_id: str) -> Any:  # noqa: ANN401 - an Airflow operator, which core must not import
        """Make a task that starts the next run of the same DAG at once."""
        ...


def _no_tables(_entry: Entry) -> Sequence[str]:
    return ()


def _no_objections(_entries: Sequence[PlannedEntry]) -> Iterable[Objection]:
    return ()


@dataclass(frozen=True, kw_only=True, eq=False)
class FactoryType:
    """How rows of one kind become DAGs.

    Attributes:
        name: Name of the type, stored in ``factory_dags.factory_type``.
        summary: What its DAGs do, in one sentence.
        section: Key of the model whose items belong to this type.
        item: Model of one such item; a subclass of :class:`~dagfoundry.SectionItem`.
        draft: Turns an item into entries for one platform; raises ``ValueError``
            for an item that cannot be drafted.
        config: Model of a stored entry's config_json; unknown keys must be allowed. Give
            it every key that ``draft`` may write: a merge keeps a stored key that it does
            not name, and removes one that it names and ``draft`` writes no more.
        build: Turns a stored entry into a DAG. Imports Airflow inside, never at
            module level. Runs in the DAG processor's child processes and in tasks.
        table: Where the rows are; by default ``{platform}_{name}_entries``.
        dag_id: Pattern of an entry's DAG id, with ``{platform}`` (Kubernetes form)
            and ``{key}``.
        factory_dag_id: Pattern of the factory DAG's id, with ``{platform}``.
        factory_tags: Tags of the factory DAG besides ``factory`` and the platform.
        tables: Names of the merge store's tables that hold an entry's data, and nobody
            else's; they are removable once the entry is purged.
        config_version: Version of ``config``. Raise it with each change that a stored
            row does not survive.
        upcasters: For each older version n, from 1 on without a gap, a function that
            turns a whole config of version n into one of version n + 1: it takes a
            dict that it may change, returns a dict, and looks at nothing else.
        export: The inverse of ``draft``: turns all living entries of one platform into
            items; raises ``ValueError`` when it can write none. Without it,
            ``dagfoundry export`` cannot write the type's rows.
        check: Checks over the whole foundry: takes all entries that a model asks for, of
            every type and platform, and returns what it has against those of its own.
            Runs once a load, in the command line and in the merge of the infrastructure
            DAG.
        examples: Items of the section as a model writes them, each complete. They are
            shown by editors (``dagfoundry schema``), and what ``dagfoundry.testing``
            checks.
        metric_labels: Keys of config_json whose values become labels of the metric
            ``dagfoundry_<name>_entries``; each is to have few values.
    """

    name: str
    summary: str
    section: str
    item: type[SectionItem]
    draft: Callable[[Any, PlatformContext], Sequence[EntryDraft]]
    config: type[BaseModel]
    build: Callable[[Entry, DagKit], Any]
    table: EntryTable = field(default=EntryTable(suffix=""))
    dag_id: str = ""
    factory_dag_id: str = ""
    factory_tags: tuple[str, ...] = ()
    tables: Callable[[Entry], Sequence[str]] = _no_tables
    config_version: int = 1
    upcasters: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = field(
        default_factory=dict
    )
    export: Callable[[Sequence[Entry]], Sequence[ExportedItem]] | None = None
    check: Callable[[Sequence[PlannedEntry]], Iterable[Objection]] = _no_objections
    examples: tuple[Mapping[str, Any], ...] = ()
    metric_labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Fill the patterns that the plugin left to us."""
        if not self.table.suffix:
            object.__setattr__(self, "table", EntryTable(suffix=f"{self.name}_entries"))
        if not self.dag_id:
            object.__setattr__(self, "dag_id", f"{{platform}}__{{key}}_{self.name}")
        if not self.factory_dag_id:
            object.__setattr__(self, "factory_dag_id", f"{{platform}}_{self.name}_factory")
