"""A watch asks Airflow only for what changed and is not there yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.factories import Status
from dagfoundry.store import VersionRecord
from dagfoundry_airflow.airflow_api import AirflowDag
from dagfoundry_airflow.watch import AirflowWatch

if TYPE_CHECKING:
    from collections.abc import Collection

    from probe_foundry import Foundry


class Questions:
    """Stands for an Airflow that serves nothing at first, and counts what it is asked.

    Attributes:
        served: The revision that it serves of every DAG; None while it knows none.
        asked: How many DAGs each question named.
        files: The files that it was asked to parse.
    """

    def __init__(self) -> None:
        self.served: int | None = None
        self.asked: list[int] = []
        self.files: list[str] = []

    def dags(self, dag_ids: Collection[str]) -> dict[str, AirflowDag]:
        """Return the DAGs."""
        self.asked.append(len(dag_ids))
        if self.served is None:
            return {}
        return {dag_id: self._dag(dag_id) for dag_id in dag_ids}

    def request_parse(self, dag: AirflowDag) -> None:
        """Note the file."""
        self.files.append(dag.file)

    def _dag(self, dag_id: str) -> AirflowDag:
        return AirflowDag(
            dag_id=dag_id,
            paused=False,
            stale=False,
            revision=self.served,
            status=Status.ACTIVE,
            import_errors=False,
            file=f"file of {dag_id}",
        )


def watched(foundry: Foundry, questions: Questions, revision: int) -> AirflowWatch:
    """Return a watch over a revision."""
    head = foundry.store.head(foundry.name)
    return AirflowWatch(foundry.store, questions, head, revision)  # type: ignore[arg-type]


def publish(foundry: Foundry, revision: int) -> None:
    """Record a version, as a DAG processor does."""
    record = VersionRecord(version=f"r{revision}-0", revision=revision)
    foundry.store.record_version(foundry.name, record)


def test_of_many_dags_a_few_are_asked_for_until_they_have_arrived(foundry: Foundry) -> None:
    """Then all are asked for once, and none again."""
    revision = foundry.write(**{f"e{number}": {} for number in range(300)})
    questions = Questions()
    watch = watched(foundry, questions, revision)
    assert watch.look(thorough=False).counts == {"stored": 301}
    publish(foundry, revision)
    questions.asked.clear()
    assert watch.look(thorough=False).counts == {"proved": 301}
    assert questions.asked[0] == 5
    questions.served = revision
    questions.asked.clear()
    assert watch.look(thorough=False).is_ready
    assert questions.asked == [5, 296]
    watch.look(thorough=False)
    assert questions.asked == [5, 296]


def test_last_look_asks_for_all_so_that_it_names_only_what_lags(foundry: Foundry) -> None:
    """A few that lag must not stand for the others."""
    revision = foundry.write(**{f"e{number}": {} for number in range(50)})
    publish(foundry, revision)
    questions = Questions()
    watched(foundry, questions, revision).look(thorough=True)
    assert questions.asked[0] == 51


def test_nothing_is_asked_before_it_is_proved(foundry: Foundry) -> None:
    """The store knows that Airflow cannot have it; only a parse is asked for."""
    foundry.write(one={})
    foundry.write(one={"number": 1})
    questions = Questions()
    questions.served = 1
    found = watched(foundry, questions, 2).look(thorough=False)
    assert found.counts == {"stored": 1}
    assert questions.asked == [1]
    assert questions.files == [f"file of {foundry.dag_id('one')}"]


def test_changes_since_the_merge_before_are_watched(foundry: Foundry) -> None:
    """Whatever a factory DAG wrote meanwhile hides none of them."""
    foundry.write(one={}, two={}, three={})
    foundry.write(one={"number": 1}, two="retiring")
    foundry.store.retire(foundry.name, [foundry.dag_id("two")], author="x", message="")
    found = watched(foundry, Questions(), 3).look(thorough=False)
    assert found.since == 1
    assert [dag.dag_id for dag in found.dags] == [foundry.dag_id("one"), foundry.dag_id("two")]


def test_first_revision_brings_the_infrastructure_dag(foundry: Foundry) -> None:
    """It has no row of its own that could change."""
    foundry.write(one={})
    found = watched(foundry, Questions(), 1).look(thorough=False)
    assert "probing_infrastructure" in {dag.dag_id for dag in found.dags}


def test_new_merge_during_a_wait_is_followed(foundry: Foundry) -> None:
    """A DAG that it removes need not be served first."""
    revision = foundry.write(one={})
    publish(foundry, revision)
    questions = Questions()
    watch = watched(foundry, questions, revision)
    watch.look(thorough=False)
    foundry.write(one="retired")
    publish(foundry, revision + 1)
    found = {dag.dag_id: dag for dag in watch.look(thorough=False).dags}
    assert found[foundry.dag_id("one")].note == "removed since"
    assert found[foundry.dag_id("one")].is_ready
