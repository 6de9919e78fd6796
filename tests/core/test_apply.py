"""A plan file is done exactly as it says, or refused."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import MetaData, Table, inspect, select, update

from dagfoundry.apply import apply_plan_file
from dagfoundry.errors import (
    FactoryTypeMissingError,
    FoundryError,
    OlderModelError,
    OtherEnvironmentError,
    PlanInvalidError,
    PlanStaleError,
    PruneRefusedError,
    StoreConflictError,
)
from dagfoundry.guards import Guards
from dagfoundry.merge import plan_merge
from dagfoundry.model import load_model
from dagfoundry.plan_file import checksum, plan_to_file, read_plan_file, write_plan_file
from dagfoundry.store import Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Workshop

    from dagfoundry.merge import MergeResult

ORIGIN = Origin(author="Ada", message="by file", source=Source.MERGE)
NO_GUARD_LIFTED = Guards()


@dataclass(frozen=True)
class Desk:
    """A workshop in which plans are kept in a file first."""

    workshop: Workshop

    @property
    def path(self) -> Path:
        """The plan file."""
        return self.workshop.folder / "plan.json"

    def plan(self, *names: str, guards: Guards = NO_GUARD_LIFTED, **texts: str) -> None:
        """Keep the plan of a model with greetings of these names."""
        items = {**dict.fromkeys(names, "hello"), **texts}
        lines = [f"  - {{name: {name}, text: {text}}}\n" for name, text in items.items()]
        path = self.workshop.model_file("greetings:\n" + "".join(lines))
        self.keep(path, ORIGIN, guards)

    def keep(
        self,
        model_file: Path,
        origin: Origin,
        guards: Guards = NO_GUARD_LIFTED,
        environment: str | None = None,
    ) -> None:
        """Keep the plan of a model."""
        model = load_model([model_file], self.workshop.plugins, environment=environment)
        plan = plan_merge(self.workshop.store, model, self.workshop.plugins)
        write_plan_file(self.path, plan_to_file(plan, origin, guards, buckets=32, at="now"))

    def apply(self, guards: Guards = NO_GUARD_LIFTED) -> MergeResult:
        """Do what the file says."""
        return apply_plan_file(
            self.workshop.store,
            read_plan_file(self.path),
            self.workshop.plugins,
            origin=ORIGIN,
            guards=guards,
        )

    def forge(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change the plan and give the file a checksum that fits."""
        value = json.loads(self.path.read_text())
        change(value["plan"])
        value["checksum"] = checksum(value["plan"])
        self.path.write_text(json.dumps(value))

    def rows(self) -> dict[str, str]:
        """Return the texts in the table, by key."""
        with self.workshop.store.reading() as connection:
            table = Table("live_greeting_entries", MetaData(), autoload_with=connection)
            rows = connection.execute(select(table.c.entry_key, table.c.config_json))
            return {key: json.loads(config)["text"] for key, config in rows}

    def edit(self, **values: str) -> None:
        """Change row ``a`` by hand."""
        with self.workshop.store.writing() as connection:
            table = Table("live_greeting_entries", MetaData(), autoload_with=connection)
            connection.execute(update(table).where(table.c.entry_key == "a").values(values))


@pytest.fixture
def desk(workshop: Workshop) -> Desk:
    """A workshop in which plans are kept in a file first."""
    return Desk(workshop)


def test_a_plan_file_makes_what_a_merge_makes(desk: Desk) -> None:
    """Tables, rows and a revision of a new foundry; then the plan of that model is empty."""
    desk.plan("a", b="bonjour")
    result = desk.apply()
    assert result.head.revision == 1
    assert desk.rows() == {"a": "hello", "b": "bonjour"}
    (revision,) = desk.workshop.store.revisions("Test")
    assert (revision.author, revision.message) == ("Ada", "by file")
    assert revision.source is Source.MERGE
    assert desk.workshop.greet("a", b="bonjour").plan.changes == ()


def test_a_plan_file_updates_retires_and_restores(desk: Desk) -> None:
    """Each action reaches the rows as a merge's would."""
    desk.workshop.greet("a", "b")
    desk.plan(a="bonjour")
    assert [c.action.value for c in desk.apply().plan.changes] == ["update", "retire"]
    desk.plan("b", a="bonjour")
    assert [c.action.value for c in desk.apply().plan.changes] == ["restore"]
    assert desk.rows() == {"a": "bonjour", "b": "hello"}


def test_a_plan_is_refused_when_the_foundry_moved(desk: Desk) -> None:
    """The error says both revisions and which row changed, and nothing is written."""
    desk.workshop.greet("a", "b")
    desk.plan("b", a="bonjour")
    desk.workshop.greet("b", a="salut")
    with pytest.raises(PlanStaleError, match=r"revision 1 .* revision 2 now; row live__a.* text"):
        desk.apply()
    assert desk.rows() == {"a": "salut", "b": "hello"}


@pytest.mark.parametrize(
    ("values", "field"),
    [({"config_json": '{"text": "x"}'}, "text"), ({"status": "inactive"}, "status")],
)
def test_a_plan_is_refused_when_a_row_was_edited_by_hand(
    desk: Desk, values: dict[str, str], field: str
) -> None:
    """The revision did not move, but the row is not what the plan saw."""
    desk.workshop.greet("a", "b")
    desk.plan("b", a="bonjour")
    desk.edit(**values)
    with pytest.raises(
        PlanStaleError, match=f"row live__a_greeting has changed since in .*{field}"
    ):
        desk.apply()
    assert desk.workshop.store.head("Test").revision == 1


def test_a_plan_is_done_once(desk: Desk) -> None:
    """The second time its base revision has moved on."""
    desk.plan("a")
    desk.apply()
    with pytest.raises(PlanStaleError, match="row live__a_greeting is there already"):
        desk.apply()


def test_a_plan_applied_twice_at_once_is_done_once(desk: Desk) -> None:
    """The second one waits for the first, finds the foundry moved, and is refused."""
    desk.plan("a", "b")
    with ThreadPoolExecutor(4) as pool:
        applied = [pool.submit(desk.apply) for _ in range(4)]
    errors = [done.exception() for done in applied]
    assert [type(error) for error in errors if error] == [PlanStaleError] * 3
    assert desk.workshop.store.head("Test").revision == 1


def test_a_stale_plan_creates_no_table(desk: Desk) -> None:
    """A plan that was made for another store leaves this one as it was."""
    desk.plan("a")
    desk.forge(lambda plan: plan.update(base_revision=3))
    with pytest.raises(PlanStaleError, match="at revision 0 now"):
        desk.apply()
    if desk.workshop.store.exists():
        with desk.workshop.store.reading() as connection:
            assert inspect(connection).get_table_names() == []


def test_the_prune_guard_holds_for_a_plan_file(desk: Desk) -> None:
    """It is lifted where the plan is made or applied, and the file says that it is needed."""
    desk.workshop.greet("a", "b")
    desk.plan("c")
    assert "all 2 entries" in read_plan_file(desk.path).needs["allow_prune"]
    with pytest.raises(PruneRefusedError):
        desk.apply()
    desk.plan("c", guards=Guards(allow_prune=True))
    assert desk.apply().head.revision == 2


def test_the_guard_against_another_environment_holds_for_a_plan_file(desk: Desk) -> None:
    """A plan of production is not applied to what was merged from development."""
    body = "greetings: [{name: a}]\nenvironments: {dev: {}, prod: {greetings: [{name: b}]}}\n"
    desk.workshop.merge(body, environment="dev")
    origin = replace(ORIGIN, environment="prod")
    desk.keep(desk.workshop.model_file(body), origin, environment="prod")
    with pytest.raises(OtherEnvironmentError, match="environment 'dev' last"):
        desk.apply()
    content = read_plan_file(desk.path)
    assert (content.environment, list(content.needs)) == ("prod", ["allow_environment"])
    assert desk.apply(Guards(allow_environment=True)).head.revision == 2


def test_the_guard_against_older_models_holds_for_a_plan_file(desk: Desk) -> None:
    """What was found when the plan was made counts when it is applied."""
    desk.workshop.greet("a")
    desk.plan(a="bonjour")
    desk.forge(lambda plan: plan.update(older_than="abc1234"))
    with pytest.raises(OlderModelError, match="abc1234"):
        desk.apply()
    assert desk.apply(Guards(allow_older=True)).head.revision == 2


def test_a_plan_file_cannot_take_another_foundrys_platform(desk: Desk) -> None:
    """The owner is named, as for a merge."""
    desk.workshop.merge("greetings:\n  - {name: z}\n", foundry="Other", platform="Else")
    desk.plan("a")
    desk.forge(lambda plan: _move(plan, "ELSE"))
    with pytest.raises(StoreConflictError, match="'Else' of foundry 'Other'"):
        desk.apply()
    assert desk.workshop.store.foundries() == ["Other"]


def _move(plan: dict[str, Any], platform: str) -> None:
    plan["platforms"] = [platform]
    for row in plan["rows"]:
        row["platform_name"] = platform
        row["dag_id"] = row["dag_id"].replace("live", platform.lower())


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], object], type[FoundryError]]] = {
    "type": (lambda p: p["rows"][0].update(factory_type="evil"), FactoryTypeMissingError),
    "table": (lambda p: p["rows"][0].update(table_name="users"), PlanInvalidError),
    "DAG id": (lambda p: p["rows"][0].update(dag_id="x"), PlanInvalidError),
    "key": (lambda p: p["rows"][0].update(key="z"), PlanInvalidError),
    "no key": (lambda p: p["rows"][0].update(key=""), PlanInvalidError),
    "platform": (lambda p: p.update(platforms=["Other"]), PlanInvalidError),
    "platform's name": (lambda p: p.update(platforms=["Live", "a; DROP"]), PlanInvalidError),
    "platform twice": (lambda p: p.update(platforms=["Live", "LIVE"]), PlanInvalidError),
    "kind": (lambda p: p["rows"][0].update(kind="infrastructure"), PlanInvalidError),
    "action": (lambda p: p["rows"][0].update(action="update"), PlanInvalidError),
    "status": (lambda p: p["rows"][0]["after"].update(status="purged"), PlanInvalidError),
    "config": (lambda p: p["rows"][0]["after"].update(config_json="{}"), PlanInvalidError),
    "no JSON": (lambda p: p["rows"][0]["after"].update(config_json="{"), PlanInvalidError),
    "twice": (lambda p: p["rows"].append(p["rows"][0]), PlanInvalidError),
    "negative": (lambda p: p.update(base_revision=-1), PlanInvalidError),
    "text": (lambda p: p.update(base_revision="0"), PlanInvalidError),
    "foundry": (lambda p: p.update(foundry="x y"), PlanInvalidError),
    "missing": (lambda p: p.pop("rows"), PlanInvalidError),
}


@pytest.mark.parametrize(("change", "error"), FORGERIES.values(), ids=FORGERIES)
def test_an_impossible_value_is_refused(
    desk: Desk, change: Callable[[dict[str, Any]], object], error: type[FoundryError]
) -> None:
    """Even with a checksum that fits, a file reaches nothing that a merge could not."""
    desk.plan("a")
    desk.forge(change)
    with pytest.raises(error):
        desk.apply()
    assert not (desk.workshop.store.exists() and desk.workshop.store.foundries())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no plan file, or is cut off"),
        ('{"format": "dagfoundry-plan", "ver', "cut off"),
        ("[]", "does not say format"),
        ('{"format": "terraform"}', "does not say format"),
        ('{"format": "dagfoundry-plan", "version": 2}', "format version 2"),
        ('{"format": "dagfoundry-plan", "version": 1}', "checksum"),
        ('{"format": "dagfoundry-plan", "version": 1, "plan": {"a": 1}}', "checksum"),
        ("[" * 100_000, "cut off"),
        ("\udce9", "cut off"),
    ],
)
def test_a_file_that_is_no_plan_gives_one_error(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file, what is wrong and what to do."""
    path = tmp_path / "plan.json"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(PlanInvalidError, match=message) as caught:
        read_plan_file(path)
    assert str(path) in caught.value.what
    assert "plan MODEL --out" in caught.value.remedy


def test_a_missing_file_and_an_impossible_folder_give_one_error(tmp_path: Path, desk: Desk) -> None:
    """Reading and writing say what the system says, and leave no draft."""
    with pytest.raises(PlanInvalidError, match="No such file"):
        read_plan_file(tmp_path / "none.json")
    desk.plan("a")
    content = read_plan_file(desk.path)
    with pytest.raises(PlanInvalidError, match="cannot be written"):
        write_plan_file(tmp_path / "none" / "plan.json", content)
    with pytest.raises(PlanInvalidError, match="cannot be written"):
        write_plan_file(desk.workshop.folder, content)
    assert list(tmp_path.rglob(".*")) == []


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_changed_byte_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    """A file is read as it was written or not at all."""
    path = tmp_path / "plan.json"
    path.write_text(SAMPLE)
    whole = read_plan_file(path)
    position = data.draw(st.integers(0, len(SAMPLE) - 1))
    text = data.draw(st.sampled_from(["", "0", "a", '"', "}"]))
    path.write_text(SAMPLE[:position] + text + SAMPLE[position + 1 :])
    try:
        assert read_plan_file(path) == whole
    except PlanInvalidError:
        return


_PLAN = {
    "foundry": "Test",
    "buckets": 32,
    "base_revision": 4,
    "platforms": ["Live"],
    "unchanged": 7,
    "author": "Ada",
    "created_at": "now",
    "model_commit": None,
    "environment": None,
    "older_than": None,
    "other_environment": None,
    "needs": {},
    "allow_prune": False,
    "allow_older": False,
    "allow_environment": False,
    "rows": [],
}
SAMPLE = json.dumps(
    {"format": "dagfoundry-plan", "version": 1, "checksum": checksum(_PLAN), "plan": _PLAN},
    indent=1,
)
