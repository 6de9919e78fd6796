"""Whatever is done to a foundry, every past revision can be read, and gone back to."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, delete, insert

from dagfoundry.drift import record_hand_edits
from dagfoundry.errors import RevisionMissingError
from dagfoundry.factories import LEAVING, LIVING, Status
from dagfoundry.guards import Guards
from dagfoundry.merge import plan_merge
from dagfoundry.model import load_model
from dagfoundry.rollback import Target, rollback, undelete
from dagfoundry.selection import Selection
from dagfoundry.store import RowKind, Source
from dagfoundry.store.known import known_rows
from dagfoundry.store.tables import entries_table
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from conftest import Workshop

    from dagfoundry.store import RowState

KEYS = "abcd"
ANY_SLOW = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
_numbers = count()


@dataclass
class Foundry:
    """One foundry of its own, with what each of its revisions was when it was the newest."""

    workshop: Workshop
    name: str = field(default_factory=lambda: f"F{next(_numbers)}")
    seen: dict[int, list[RowState]] = field(default_factory=dict)

    @property
    def head(self) -> int:
        """The newest revision."""
        return max(self.seen)

    def note(self) -> None:
        """Keep what the newest revision is now."""
        head = self.workshop.store.head(self.name).revision
        self.seen.setdefault(head, self.workshop.store.rows_at(self.name, head))

    def rows(self, revision: int) -> dict[str, RowState]:
        """Return the entries that a revision had when it was the newest, by key."""
        return {row.key: row for row in self.seen[revision] if row.kind is RowKind.ENTRY}

    def ever_lived(self, key: str) -> bool:
        """Return whether an entry lived in any revision."""
        return any(key in living(self.rows(revision)) for revision in self.seen)

    def merge(self, texts: dict[str, str]) -> None:
        """Merge a model of these greetings; afterwards its plan is empty."""
        lines = [f"  - {{name: {key}, text: {text}}}\n" for key, text in texts.items()]
        body = "greetings:\n" + "".join(lines)
        names = {"foundry": self.name, "platform": f"{self.name}p"}
        self.workshop.merge(body, allow_prune=True, **names)
        model = load_model([self.workshop.model_file(body, **names)], self.workshop.plugins)
        assert plan_merge(self.workshop.store, model, self.workshop.plugins).changes == ()

    def roll_back(self, revision: int, entry: str | None = None) -> None:
        """Go back to a revision, with all rows or one."""
        target = Target(revision=revision, rows=Selection(entry=entry))
        origin = Origin(author="Ada", message="", source=Source.ROLLBACK)
        guards = Guards(allow_prune=True)
        rollback(self.workshop.store, self.name, target, origin=origin, guards=guards)
        self.note()

    def undelete(self, key: str) -> None:
        """Bring an entry back."""
        origin = Origin(author="Ada", message="", source=Source.ROLLBACK)
        undelete(self.workshop.store, self.name, key, origin=origin)

    def retire(self) -> None:
        """Do what the factory DAG does to rows that have drained."""
        ids = [row.dag_id for row in self.seen[self.head]]
        self.workshop.store.retire(self.name, ids, author="factory", message="")

    def purge(self) -> None:
        """Do what the factory DAG does to rows that were retired for long."""
        retired = {row.dag_id: row.revision for row in self.seen[self.head]}
        self.workshop.store.purge(self.name, retired, author="factory", message="")

    def edit(self, key: str, text: str | None, status: str = "active") -> None:
        """Insert, change or delete a row by SQL, and record it as the factory DAG does."""
        factory_type = self.workshop.plugins.type("greeting")
        table = entries_table(MetaData(), f"{self.name}p", factory_type.table)
        with self.workshop.store.writing() as connection:
            connection.execute(delete(table).where(table.c.entry_key == key))
            if text is not None:
                config = f'{{"text": "{text}"}}'
                row = {"entry_key": key, "config_json": config, "status": status}
                connection.execute(insert(table).values(row))
        recorded = record_hand_edits(
            self.workshop.store,
            self.name,
            self.workshop.plugins,
            recorder="Bob",
            allow_prune=True,
        )
        assert recorded.held_back == ()

    def stand_as_history_says(self) -> bool:
        """Whether each row stands in its table as the newest revision has it.

        For a purged one there may be a row that a hand inserted as one that is leaving: it
        reads as absent, and nothing is recorded of it.
        """
        with self.workshop.store.reading() as connection:
            rows = known_rows(connection, self.seen[self.head])
        return all(
            row.found is None or row.found["status"] in LEAVING
            if row.state.status is Status.PURGED
            else row.found == row.state.state
            for row in rows
        )


texts = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["x", "y"]), min_size=1)
keys = st.sampled_from(KEYS)
steps = st.one_of(
    st.tuples(st.just("merge"), texts),
    st.tuples(st.just("roll back"), st.floats(0, 1), st.none() | keys),
    st.tuples(st.just("undelete"), keys),
    st.tuples(st.just("retire")),
    st.tuples(st.just("purge")),
    st.tuples(
        st.just("edit"),
        keys,
        st.none() | st.sampled_from(["x", "z"]),
        st.sampled_from(["active", "inactive", "retiring", "retired"]),
    ),
)


def do(foundry: Foundry, step: tuple[object, ...]) -> None:
    """Do one step, as far as there is a row to do it to."""
    known = foundry.rows(foundry.head) if foundry.seen else {}
    match step:
        case ("merge", dict() as model):
            foundry.merge(model)
        case ("roll back", float() as share, key) if key is None or key in known:
            foundry.roll_back(1 + round(share * (foundry.head - 1)), key)
        case ("undelete", str() as key) if key in known:
            refused = pytest.raises(RevisionMissingError, match="active in no revision")
            with nullcontext() if foundry.ever_lived(key) else refused:
                foundry.undelete(key)
        case ("retire",):
            foundry.retire()
        case ("purge",):
            foundry.purge()
        case ("edit", str() as key, text, str() as status):
            foundry.edit(key, text, status)
    foundry.note()


def living(rows: dict[str, RowState]) -> dict[str, dict[str, str | None]]:
    """Return the states of the entries that live."""
    return {key: row.state for key, row in rows.items() if row.status in LIVING}


@settings(ANY_SLOW, max_examples=20)
@given(first=texts, doing=st.lists(steps, max_size=8), back=st.floats(0, 1))
def test_every_revision_stays_readable_and_reachable(
    workshop: Workshop, first: dict[str, str], doing: list[tuple[object, ...]], back: float
) -> None:
    """Each revision reads as when it was newest; going back there makes the same rows live."""
    foundry = Foundry(workshop)
    for step in (("merge", first), *doing):
        do(foundry, step)
        assert foundry.stand_as_history_says()
    for revision, rows in foundry.seen.items():
        assert workshop.store.rows_at(foundry.name, revision) == rows
    revision = 1 + round(back * (foundry.head - 1))
    foundry.roll_back(revision)
    assert living(foundry.rows(foundry.head)) == living(foundry.rows(revision))


@settings(ANY_SLOW, max_examples=15)
@given(first=texts, doing=st.lists(steps, max_size=6), back=st.floats(0, 1))
def test_a_rollback_of_a_rollback_changes_nothing(
    workshop: Workshop, first: dict[str, str], doing: list[tuple[object, ...]], back: float
) -> None:
    """There and back again: every row as before; one that was gone and lived between drains."""
    foundry = Foundry(workshop)
    for step in (("merge", first), *doing):
        do(foundry, step)
    start = foundry.head
    foundry.roll_back(1 + round(back * (start - 1)))
    between = foundry.rows(foundry.head)
    foundry.roll_back(start)
    after = foundry.rows(foundry.head)
    for key, row in foundry.rows(start).items():
        if row.status in (Status.RETIRED, Status.PURGED) and between[key].status in LIVING:
            assert after[key].state == {"status": "retiring", "config_json": row.config_json}
        else:
            assert after[key].state == row.state


@pytest.mark.parametrize("status", ["retiring", "retired"])
@pytest.mark.parametrize(
    "step", [("merge", {"a": "x", "b": "x"}), ("roll back", 0.0, None), ("undelete", "a")]
)
def test_a_leaving_row_that_a_hand_inserted_is_in_nobodys_way(
    workshop: Workshop, status: str, step: tuple[object, ...]
) -> None:
    """What brings the entry back writes over the row."""
    foundry = Foundry(workshop)
    before = (("merge", {"a": "x", "b": "x"}), ("edit", "a", None, ""), ("edit", "a", "z", status))
    for each in before:
        do(foundry, each)
    assert foundry.rows(foundry.head)["a"].status is Status.PURGED
    do(foundry, step)
    assert foundry.rows(foundry.head)["a"].status is Status.ACTIVE
    assert foundry.stand_as_history_says()


@pytest.mark.parametrize("gone", ["retire", "purge"])
def test_what_was_gone_drains_after_a_rollback_of_a_rollback(workshop: Workshop, gone: str) -> None:
    """A DAG that lived between may have runs, so its row is retiring, not gone at once."""
    foundry = Foundry(workshop)
    for step in (("merge", {"a": "x", "b": "x"}), ("merge", {"b": "x"}), ("retire",)):
        do(foundry, step)
    if gone == "purge":
        do(foundry, ("edit", "a", None, ""))
    start = foundry.head
    foundry.roll_back(1)
    assert foundry.rows(foundry.head)["a"].status is Status.ACTIVE
    foundry.roll_back(start)
    assert foundry.rows(foundry.head)["a"].status is Status.RETIRING
