"""The factory type ``hello``: one DAG for each item of the model's section ``greetings``.

A task starts this module as its job: ``python -m dagfoundry_hello``.
"""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from dagfoundry import (
    CronExpression,
    EntryDraft,
    FactoryType,
    JobResult,
    Objection,
    SectionItem,
    hookimpl,
    run_job,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dagfoundry import AppliedRevision, DagKit, Entry, PlannedEntry, PlatformContext

log = logging.getLogger(__name__)


class HelloItem(SectionItem):
    """An item of the section, as a model writes it.

    Attributes:
        message: What the job says.
        schedule: Cron expression; when absent the DAG runs only when triggered.
    """

    message: str
    schedule: CronExpression | None = None


class HelloConfig(BaseModel):
    """What a row stores of an item.

    Attributes:
        message: What the job says.
        schedule: Cron expression, or none.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    message: str
    schedule: CronExpression | None = None


def draft(item: HelloItem, context: PlatformContext) -> Sequence[EntryDraft]:
    """Return the rows that an item becomes on a platform: one."""
    del context  # the same on every platform
    config = item.model_dump(mode="json", include={"message", "schedule"}, exclude_none=True)
    return [EntryDraft(key=item.name, config=config)]


def build(entry: Entry, kit: DagKit) -> Any:
    """Return the DAG of a row; what every DAG needs comes from the kit."""
    config = entry.config_as(HelloConfig)
    with kit.dag(schedule=config.schedule, tags=("hello",)) as dag:
        kit.job("say", ("-m", "dagfoundry_hello"), spec={"message": config.message})
    return dag


def check(entries: Sequence[PlannedEntry]) -> Iterator[Objection]:
    """Object to two entries of a platform that say the same."""
    said: set[tuple[str, str]] = set()
    for entry in entries:
        if entry.factory_type == "hello":
            message = entry.draft.config["message"]
            if (entry.platform_name, message) in said:
                what = f"the message {message!r} is said already"
                yield Objection(
                    entry=entry, what=what, remedy="Say something else.", path=("message",)
                )
            said.add((entry.platform_name, message))


def say(spec: Mapping[str, Any]) -> JobResult:
    """Do what the task is for; what is printed stands in the task's log."""
    print(spec["message"])
    return JobResult(rows_total=1)


@hookimpl
def dagfoundry_register_factory_types() -> list[FactoryType]:
    """Offer the factory type."""
    return [
        FactoryType(
            name="hello",
            summary="Says what each item tells it to.",
            section="greetings",
            item=HelloItem,
            draft=draft,
            config=HelloConfig,
            build=build,
            check=check,
            examples=(
                {"name": "World", "message": "Hello, world!"},
                {"name": "Morning", "message": "Good morning!", "schedule": "0 9 * * *"},
            ),
            metric_labels=("schedule",),
        )
    ]


@hookimpl
def dagfoundry_revision_applied(revision: AppliedRevision) -> None:
    """Log which of this type's DAGs a revision changed."""
    own = [dag_id for dag_id in revision.dag_ids if dag_id.endswith("_hello")]
    if own:
        log.info("revision %d changes %s", revision.revision, ", ".join(own))


if __name__ == "__main__":
    sys.exit(run_job(say))
