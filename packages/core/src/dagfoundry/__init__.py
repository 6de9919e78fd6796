"""DAG Foundry: pipelines kept as rows that turn themselves into Airflow DAGs.

A plugin author needs only what is exported here.
"""

from dagfoundry.connections import Database
from dagfoundry.errors import Finding, FoundryError
from dagfoundry.factories import (
    DagDetails,
    DagKit,
    Entry,
    EntryDraft,
    EntryTable,
    ExportedItem,
    FactoryType,
    Objection,
    OnDatasets,
    PlannedEntry,
    PlatformContext,
    Status,
)
from dagfoundry.hookspecs import hookimpl
from dagfoundry.jobs import JobResult, JobStatus, run_job
from dagfoundry.model.cron import CronExpression
from dagfoundry.model.schema import ModelPart, Name, SectionItem
from dagfoundry.observations import AppliedRevision, BuiltDag, FailedDag, ObservedDag
from dagfoundry.refusals import refusal
from dagfoundry.upcast import upcast_config

__all__ = [
    "AppliedRevision",
    "BuiltDag",
    "CronExpression",
    "DagDetails",
    "DagKit",
    "Database",
    "Entry",
    "EntryDraft",
    "EntryTable",
    "ExportedItem",
    "FactoryType",
    "FailedDag",
    "Finding",
    "FoundryError",
    "JobResult",
    "JobStatus",
    "ModelPart",
    "Name",
    "Objection",
    "ObservedDag",
    "OnDatasets",
    "PlannedEntry",
    "PlatformContext",
    "SectionItem",
    "Status",
    "hookimpl",
    "refusal",
    "run_job",
    "upcast_config",
]
