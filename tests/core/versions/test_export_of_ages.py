"""Rows of several config versions export as the newest type knows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry import Entry, ExportedItem
from dagfoundry.export import export_model
from dagfoundry.merge import plan_merge
from dagfoundry.model import load_model
from dagfoundry.store.read import read_head, read_revisions
from dagfoundry.store.stored import rows_as_of, stored_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conftest import Tower

    from dagfoundry.export import Export


def export_alarms(entries: Sequence[Entry]) -> list[ExportedItem]:
    """Invert the draft of version 3; it knows no other."""
    return [
        ExportedItem(
            keys=(entry.key,),
            values={
                "name": entry.key,
                "minutes": entry.config["seconds"] // 60,
                "to": entry.config["people"],
            },
        )
        for entry in entries
    ]


def export(tower: Tower, *, age: int = 3, at: int | None = None) -> Export:
    """Export the foundry with an age of the type."""
    plugins = tower.plugins(age, export=export_alarms)
    with tower.store.reading() as connection:
        head = read_head(connection, "Tower")
        states = (
            stored_rows(connection, head, [plugins.type("alarm")])
            if at is None
            else rows_as_of(connection, head, at)
        )
        (revision,) = read_revisions(connection, head, revision=at or head.revision)
    return export_model(head, states, revision, plugins)


def test_rows_of_three_versions_export_to_a_model_that_changes_none(tower: Tower) -> None:
    """The export sees one version, and the merge leaves each row in its own."""
    made = export(tower)
    assert made.unexpressed == ()
    assert [item["minutes"] for item in made.values["alarms"]] == [1, 3, 2]
    path = tower.folder / "again.yaml"
    path.write_text("\n".join(made.files.values()), encoding="utf-8")
    plugins = tower.plugins(3)
    assert plan_merge(tower.store, load_model([path], plugins), plugins).changes == ()


def test_a_revision_from_before_an_upgrade_can_be_exported(tower: Tower) -> None:
    """History keeps old versions, and the newest type reads them."""
    made = export(tower, at=1)
    assert (made.unexpressed, made.revision) == ((), 1)
    assert made.values["alarms"] == [{"name": "one", "minutes": 1, "to": ["ada"]}]


def test_a_row_that_is_too_new_to_export_is_listed(tower: Tower) -> None:
    """With what to upgrade."""
    reasons = {row.key: row.reason for row in export(tower, age=2).unexpressed}
    assert "Upgrade dagfoundry-alarm (installed: 2.0)" in reasons["three"]
    assert "export raised KeyError: 'people'" in reasons["one"]
