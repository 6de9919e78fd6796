"""What the doctor thinks of what DAG processors have recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from dagfoundry.doctor import CHECKS, Subject, look_at
from dagfoundry.store import VersionRecord
from dagfoundry.store.tables import FoundryTables

if TYPE_CHECKING:
    from tests.core.conftest import Workshop

GREETING = "greetings:\n  - {name: One}\n"
TWO = f"{GREETING}  - {{name: Two}}\n"


@pytest.fixture
def served(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A store with one revision, which the environment names."""
    workshop.merge(GREETING)
    url = workshop.store.url.render_as_string(hide_password=False)
    monkeypatch.setenv("DAGFOUNDRY_STORE_URL", url)
    return workshop


def verdict(check_id: str) -> tuple[str, str]:
    """Return the verdict and the finding of one check."""
    (check,) = [each for each in CHECKS if each.id == check_id]
    diagnosis = check.examine(look_at("Test"))
    return diagnosis.verdict.value, diagnosis.found


def record(workshop: Workshop, revision: int = 1, **values: dict[str, object]) -> None:
    """Record a version as a DAG processor does."""
    version = VersionRecord(version=f"r{revision}-abc", revision=revision, **values)
    workshop.store.record_version("Test", version)


def test_a_version_of_the_newest_revision_is_good(served: Workshop) -> None:
    """Every DAG of it stands as it does in the store."""
    assert verdict("store.published")[0] == "advice"
    record(served)
    assert verdict("store.published") == ("ok", "version r1-abc of revision 1")
    assert verdict("store.broken")[0] == "ok"


def test_a_revision_that_waits_for_long_is_a_problem(served: Workshop) -> None:
    """One that was just made is not."""
    record(served)
    served.merge(TWO)
    assert verdict("store.published") == (
        "advice",
        "version r1-abc of revision 1, the newest is 2",
    )
    revisions = FoundryTables("Test").revisions
    with served.store.writing() as connection:
        made = connection.execute(sa.select(revisions.c.created_at)).scalars().first()
        earlier = made.replace(year=made.year - 1)
        connection.execute(sa.update(revisions).values(created_at=earlier))
    assert verdict("store.published")[0] == "problem"


@pytest.mark.parametrize("name", ["changes", "revisions"])
def test_a_history_that_lost_rows_is_a_problem(served: Workshop, name: str) -> None:
    """The store's own list of DAG ids shows it."""
    served.merge(TWO)
    assert verdict("store.history")[0] == "ok"
    table = getattr(FoundryTables("Test"), name)
    with served.store.writing() as connection:
        connection.execute(sa.delete(table).where(table.c.revision == 2))
    assert verdict("store.history") == (
        "problem",
        "history knows nothing of 1 DAGs that were in it, such as live__Two_greeting",
    )


def test_an_entry_that_cannot_be_built_is_a_problem(served: Workshop) -> None:
    """It is named with the first line of its report."""
    errors = {"live__One_greeting": "it cannot be built: no\nmore"}
    record(served, held={"live__One_greeting": 0}, errors=errors)
    assert verdict("store.broken") == ("problem", "live__One_greeting: it cannot be built: no")


def test_an_entry_that_waits_for_its_trial_is_no_problem(served: Workshop) -> None:
    """It is served as soon as it has been built once."""
    record(served, held={"live__One_greeting": 0})
    assert verdict("store.broken") == ("advice", "1 DAGs wait for their trial build")


def test_without_a_store_nothing_is_said_of_versions() -> None:
    """Each check says that it could not look."""
    subject = Subject(foundry="Test")
    found = {check.id: check.examine(subject).verdict.value for check in CHECKS}
    del found["plugins.loaded"], found["plugins.cost"], found["store.reachable"]
    assert set(found.values()) == {"advice"}
