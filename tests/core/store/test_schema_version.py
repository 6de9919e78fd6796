"""Where the store's migrations stand, and what is refused because of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import update

from dagfoundry.errors import SchemaMismatchError
from dagfoundry.store.schema_version import (
    FOUNDRY_MIGRATIONS,
    STORE_MIGRATIONS,
    SchemaState,
    foundry_scope,
)
from dagfoundry.store.tables import SCHEMA_VERSION
from dagfoundry.store.upgrade import alembic_config, upgrade_store

if TYPE_CHECKING:
    from conftest import Workshop
    from sqlalchemy import Table


def set_migration(workshop: Workshop, table: Table, migration: str) -> None:
    """Pretend that another version migrated the tables."""
    with workshop.store.writing() as connection:
        connection.execute(update(table).values(version_num=migration))


@pytest.mark.parametrize(
    ("foundry", "known"), [(None, STORE_MIGRATIONS), ("Test", FOUNDRY_MIGRATIONS)]
)
def test_code_knows_exactly_the_migrations_that_it_ships(
    foundry: str | None, known: tuple[str, ...]
) -> None:
    """One line of files, its newest last."""
    scripts = ScriptDirectory.from_config(alembic_config(foundry))
    shipped = [script.revision for script in scripts.walk_revisions()]
    assert shipped[::-1] == list(known)


def test_fresh_store_needs_no_migration(workshop: Workshop) -> None:
    """Ring 1 makes the newest tables and says so; an upgrade finds nothing to do."""
    workshop.greet("a")
    versions = workshop.store.schema_versions()
    assert [(v.scope.name, v.state) for v in versions] == [
        ("store", SchemaState.CURRENT),
        ("foundry Test", SchemaState.CURRENT),
    ]
    assert versions[1].platforms == ("Live",)
    assert [each.after for each in upgrade_store(workshop.store)] == versions


def test_second_foundry_is_a_scope_of_its_own(workshop: Workshop) -> None:
    """Its tables start at the newest migration as well."""
    workshop.greet("a")
    workshop.merge("greetings: [{name: b}]\n", foundry="Other", platform="Far")
    names = [version.scope.name for version in workshop.store.schema_versions()]
    assert names == ["store", "foundry Other", "foundry Test"]


def test_merge_on_newer_tables_is_refused(workshop: Workshop) -> None:
    """An old dagfoundry says so instead of writing what a newer one would not read."""
    workshop.greet("a")
    set_migration(workshop, SCHEMA_VERSION, "s9999")
    for act in (lambda: workshop.greet("b"), lambda: upgrade_store(workshop.store)):
        with pytest.raises(SchemaMismatchError, match="newer than this dagfoundry"):
            act()
    assert workshop.store.head("Test").revision == 1


def test_merge_on_older_tables_names_the_upgrade(workshop: Workshop) -> None:
    """After the upgrade the same merge goes through."""
    workshop.greet("a")
    set_migration(workshop, foundry_scope("Test").version_table, "f0001")
    with pytest.raises(SchemaMismatchError, match="dagfoundry db upgrade"):
        workshop.greet("a", "b")
    upgrade_store(workshop.store)
    assert workshop.greet("a", "b").head.revision == 2


def test_store_from_before_there_were_migrations_is_taken_up(workshop: Workshop) -> None:
    """Without version tables, an upgrade runs every migration from the first."""
    workshop.greet("a")
    with workshop.store.writing() as connection:
        for table in (SCHEMA_VERSION, foundry_scope("Test").version_table):
            table.drop(connection)
    states = {version.state for version in workshop.store.schema_versions()}
    assert states == {SchemaState.OLDER}
    upgrade_store(workshop.store)
    assert workshop.greet("a", "b").head.revision == 2
