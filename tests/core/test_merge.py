"""Merging writes what the model asks for, all of it or nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, Table, inspect, select, text, update

from dagfoundry import EntryDraft
from dagfoundry.errors import ModelInvalidError, OtherEnvironmentError, PruneRefusedError
from dagfoundry.factories import Status
from dagfoundry.plan import Action
from dagfoundry.store import RowKind

if TYPE_CHECKING:
    from conftest import Workshop

    from dagfoundry.plugins import Plugins


def live(workshop: Workshop, name: str) -> dict[str, dict[str, object]]:
    """Return a table's rows by their first column."""
    with workshop.store.reading() as connection:
        table = Table(name, MetaData(), autoload_with=connection)
        return {row[0]: row._asdict() for row in connection.execute(select(table))}


def test_first_merge_creates_rows_tables_and_revision_one(workshop: Workshop) -> None:
    """A new foundry gets its factory row, its entries and revision 1."""
    result = workshop.greet("a", "b")
    assert result.head.revision == 1
    assert result.plan.count(Action.CREATE) == 2
    rows = live(workshop, "live_greeting_entries")
    assert sorted(rows) == ["a", "b"]
    assert rows["a"]["status"] == "active"
    assert json.loads(str(rows["a"]["config_json"]))["text"] == "hello"
    assert live(workshop, "test_factory_dags")["Live"]["factory_type"] == "greeting"


def test_merging_the_same_model_again_writes_nothing(workshop: Workshop) -> None:
    """A second merge makes no revision and touches no row."""
    workshop.greet("a")
    before = live(workshop, "live_greeting_entries")
    result = workshop.greet("a")
    assert result.head.revision == 1
    assert result.plan.changes == ()
    assert live(workshop, "live_greeting_entries") == before


def test_update_keeps_created_at_and_leaves_neighbours_alone(workshop: Workshop) -> None:
    """Only the changed row is written, and its creation time stays."""
    workshop.greet("a", "b")
    before = live(workshop, "live_greeting_entries")
    result = workshop.greet("b", a="bonjour")
    after = live(workshop, "live_greeting_entries")
    assert [(c.action, c.row.key) for c in result.plan.changes] == [(Action.UPDATE, "a")]
    assert [f.field for f in result.plan.changes[0].fields] == ["text"]
    assert after["b"] == before["b"]
    assert after["a"]["created_at"] == before["a"]["created_at"]
    assert after["a"]["updated_at"] != before["a"]["updated_at"]


def test_removed_entry_is_retiring_and_comes_back_when_restored(workshop: Workshop) -> None:
    """An entry gone from the model keeps its row as retiring; back in the model, it lives."""
    workshop.greet("a", "b")
    assert workshop.greet("a").plan.count(Action.RETIRE) == 1
    assert live(workshop, "live_greeting_entries")["b"]["status"] == "retiring"
    assert workshop.greet("a", "b").plan.count(Action.RESTORE) == 1
    assert live(workshop, "live_greeting_entries")["b"]["status"] == "active"


def test_disabled_entry_is_inactive(workshop: Workshop) -> None:
    """``enabled: false`` keeps the row under a status of its own."""
    workshop.merge("greetings:\n  - {name: a, enabled: false}\n")
    assert live(workshop, "live_greeting_entries")["a"]["status"] == "inactive"


def test_merge_that_retires_a_whole_factory_is_refused(workshop: Workshop) -> None:
    """All entries of a factory go only with allow_prune, and nothing was written before."""
    workshop.greet("a", "b")
    with pytest.raises(PruneRefusedError, match="all 2 entries"):
        workshop.greet("c")
    assert sorted(live(workshop, "live_greeting_entries")) == ["a", "b"]
    assert workshop.greet("c", allow_prune=True).head.revision == 2


def test_merge_that_retires_a_fifth_is_refused(workshop: Workshop) -> None:
    """Five of twenty entries are too many to retire by accident; four are not."""
    names = [f"n{i}" for i in range(20)]
    workshop.greet(*names)
    with pytest.raises(PruneRefusedError, match="5 of 20"):
        workshop.greet(*names[5:])
    assert workshop.greet(*names[4:]).plan.count(Action.RETIRE) == 4


def test_merge_of_another_environment_is_refused(workshop: Workshop) -> None:
    """A foundry stays what it is, dev or prod, unless the change is meant."""
    body = "greetings: [{name: a}]\nenvironments: {dev: {}, prod: {greetings: [{name: b}]}}\n"
    workshop.merge(body, environment="prod")
    for other, words in (("dev", "environment 'dev'"), (None, "no environment")):
        with pytest.raises(OtherEnvironmentError, match=f"'prod' last, .* is of {words}"):
            workshop.merge(body, environment=other)
    assert workshop.store.head("Test").revision == 1
    workshop.merge(body, environment="dev", allow_environment=True, allow_prune=True)
    workshop.merge(body.replace("dev: {}", "dev: {greetings: [{name: c}]}"), environment="dev")
    revisions = workshop.store.revisions("Test")
    assert [revision.environment for revision in revisions] == ["prod", "dev", "dev"]


def test_platform_of_another_foundry_is_refused_with_its_owner(workshop: Workshop) -> None:
    """Two foundries of one store never share a platform's tables."""
    workshop.greet("a")
    with pytest.raises(ModelInvalidError) as caught:
        workshop.merge("greetings:\n  - {name: z}\n", foundry="Other", platform="LIVE")
    finding = caught.value.findings[0]
    assert "'Live' of foundry 'Test'" in finding.what
    assert finding.place is not None
    assert finding.place.line == 3
    with workshop.store.reading() as connection:
        assert not inspect(connection).has_table("other_factory_dags")


def test_dag_id_of_another_foundry_is_refused_with_its_owner(workshop: Workshop) -> None:
    """A DAG id is unique in the whole store, not only in its foundry."""
    workshop.merge("greetings:\n  - {name: a}\n", foundry="One", platform="My_Live")
    with pytest.raises(ModelInvalidError) as caught:
        workshop.merge("greetings:\n  - {name: a}\n", foundry="Two", platform="My-Live")
    messages = [finding.what for finding in caught.value.findings]
    assert any("'my-live__a_greeting' belongs to foundry 'One'" in m for m in messages)


def test_dag_id_made_twice_by_one_model_is_refused(workshop: Workshop) -> None:
    """Names that are equal in Airflow's form clash within a model too."""
    body = "  - {name: Live_x, merge_store: {url_variable: X}}\n"
    body += "  - {name: Live-x, merge_store: {url_variable: X}}\ngreetings:\n  - {name: a}\n"
    with pytest.raises(ModelInvalidError):
        workshop.merge(body)
    assert not (workshop.store.exists() and workshop.store.foundries())


def test_unknown_dataset_and_circle_are_refused(workshop: Workshop) -> None:
    """A reader needs a writer, and readers must not wait for each other."""
    with pytest.raises(ModelInvalidError, match="writes dataset 'Greetings#b'"):
        workshop.merge("greetings:\n  - {name: a, reads: [b]}\n")
    circle = "greetings:\n  - {name: a, reads: [b]}\n  - {name: b, reads: [a]}\n"
    with pytest.raises(ModelInvalidError, match="wait for each other"):
        workshop.merge(circle)


def test_datasets_that_share_a_table_are_refused(workshop: Workshop, plugins: Plugins) -> None:
    """Store A's b_c and store A_b's c would both be kept in a_b_c."""
    greeting = plugins.types["greeting"]
    named = replace(greeting, type=replace(greeting.type, draft=draft_writing_their_text))
    other = replace(workshop, plugins=replace(plugins, types={"greeting": named}))
    with pytest.raises(ModelInvalidError, match="'A_b#c' has the same table as 'A#b_c'"):
        other.greet(x="A#b_c", y="A_b#c")


def draft_writing_their_text(item: Any, _context: object) -> list[EntryDraft]:  # noqa: ANN401 - a Greeting
    """Draft an entry that writes the dataset its text names."""
    return [EntryDraft(key=item.name, config={"text": "x"}, produces=(item.text,))]


def test_lineage_names_the_real_dag_ids(workshop: Workshop) -> None:
    """A reader's row names the DAGs that write what it reads (defect D3)."""
    workshop.merge("greetings:\n  - {name: a}\n  - {name: b, reads: [a]}\n")
    config = json.loads(str(live(workshop, "live_greeting_entries")["b"]["config_json"]))
    assert config["input_dag_ids"] == ["live__a_greeting"]
    assert config["input_dataset_list"] == ["Greetings#a"]


def test_history_gives_every_row_as_of_every_revision(workshop: Workshop) -> None:
    """Each revision's rows can be read later, with who changed them and when."""
    workshop.greet("a")
    workshop.greet("a", "b")
    workshop.greet("b", a="bonjour")
    states = [
        {r.key: r.config()["text"] for r in workshop.store.rows_at("Test", n) if r.key}
        for n in (1, 2, 3)
    ]
    assert states == [{"a": "hello"}, {"a": "hello", "b": "hello"}, {"a": "bonjour", "b": "hello"}]
    changed = workshop.store.changes("Test", after=2, until=3)
    assert [(row.key, row.revision, row.author) for row in changed] == [("a", 3, "Ada")]


def test_every_foundry_has_its_infrastructure_row(workshop: Workshop) -> None:
    """The infrastructure DAG is among the rows, in its bucket."""
    workshop.greet("a")
    rows = [r for r in workshop.store.rows_at("Test", 1) if r.kind is RowKind.INFRASTRUCTURE]
    assert [row.dag_id for row in rows] == ["test_infrastructure"]
    only = workshop.store.rows_at("Test", 1, bucket=rows[0].bucket)
    assert rows[0] in only


def test_retire_moves_only_retiring_rows_and_only_once(workshop: Workshop) -> None:
    """The factory DAG's step is safe to repeat and never hits a living entry."""
    workshop.greet("a", "b")
    workshop.greet("a")
    ids = ["live__a_greeting", "live__b_greeting"]
    assert workshop.store.retire("Test", ids, author="factory", message="gone") == 3
    assert workshop.store.retire("Test", ids, author="factory", message="gone") == 3
    statuses = {r.key: r.status for r in workshop.store.rows_at("Test", 3) if r.key}
    assert statuses == {"a": Status.ACTIVE, "b": Status.RETIRED}


def test_purge_takes_a_retired_row_out_of_its_table_and_only_once(workshop: Workshop) -> None:
    """One that lives, or was retired by another revision, stays; history keeps all."""
    workshop.greet("a", "b", "c")
    workshop.greet("a")
    ids = ["live__b_greeting", "live__c_greeting"]
    assert workshop.store.retire("Test", ids, author="factory", message="gone") == 3
    retired = {"live__a_greeting": 1, "live__b_greeting": 3, "live__c_greeting": 2}
    for _ in range(2):
        assert workshop.store.purge("Test", retired, author="factory", message="long") == 4
    statuses = {r.key: r.status for r in workshop.store.rows_at("Test", 4) if r.key}
    assert statuses == {"a": Status.ACTIVE, "b": Status.PURGED, "c": Status.RETIRED}
    assert set(live(workshop, "live_greeting_entries")) == {"a", "c"}
    workshop.greet("a", "b")
    assert set(live(workshop, "live_greeting_entries")) == {"a", "b", "c"}


def test_hand_edited_json_is_replaced_by_the_next_merge(workshop: Workshop) -> None:
    """A row that holds no JSON any more is written anew, its neighbours are not."""
    workshop.greet("a", "b")
    with workshop.store.writing() as connection:
        table = Table("live_greeting_entries", MetaData(), autoload_with=connection)
        broken = update(table).where(table.c.entry_key == "a").values(config_json="{broken")
        connection.execute(broken)
    result = workshop.greet("a", "b")
    assert [change.row.key for change in result.plan.changes] == ["a"]


def test_row_of_a_type_that_is_not_installed_stays(workshop: Workshop) -> None:
    """A factory whose plugin is missing is neither retired nor touched."""
    workshop.greet("a")
    with workshop.store.writing() as connection:
        connection.execute(
            text(
                "INSERT INTO test_factory_dags (platform_name, factory_type, config_json, status) "
                "VALUES ('Live', 'foreign', '{}', 'active')"
            )
        )
    assert workshop.greet("a").plan.changes == ()


texts = st.dictionaries(st.sampled_from("abcdefgh"), st.sampled_from(["x", "y"]), max_size=8)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(models=st.lists(texts.filter(bool), min_size=1, max_size=4))
def test_any_sequence_of_merges_leaves_what_the_last_model_says(
    workshop: Workshop, models: list[dict[str, str]]
) -> None:
    """Living rows equal the last model, and history replays to the same rows."""
    for model in models:
        result = workshop.greet(allow_prune=True, **model)
    living = {
        row.key: row.config()["text"]
        for row in workshop.store.rows_at("Test", result.head.revision)
        if row.status is Status.ACTIVE and row.kind is RowKind.ENTRY
    }
    assert living == models[-1]
    rows = live(workshop, "live_greeting_entries")
    in_table = {key for key, row in rows.items() if row["status"] == "active"}
    assert in_table == set(models[-1])
