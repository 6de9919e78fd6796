"""What is written to the store takes as many statements for many rows as for few."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import event

from dagfoundry.apply import apply_plan_file
from dagfoundry.guards import Guards
from dagfoundry.merge import merge, plan_merge
from dagfoundry.model import load_model
from dagfoundry.plan_file import plan_to_file
from dagfoundry.rollback import Target, rollback
from dagfoundry.selection import Selection
from dagfoundry.store import Source
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Workshop

    from dagfoundry.model import LoadedModel
    from dagfoundry.store import Store

ORIGIN = Origin(author="Ada", message="", source=Source.MERGE)
ALL_ALLOWED = Guards(allow_prune=True)


@contextmanager
def counted(store: Store) -> Iterator[list[str]]:
    """Collect the statements that a store is sent; many sets of values are one statement."""
    sent: list[str] = []

    def note(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    event.listen(store.engine, "before_cursor_execute", note)
    yield sent
    event.remove(store.engine, "before_cursor_execute", note)


def model_of(workshop: Workshop, foundry: str, number: int, text: str) -> LoadedModel:
    """Return a model with a number of greetings, on a platform of its own."""
    lines = [f"  - {{name: n{i}, text: {text}}}\n" for i in range(number)]
    names = {"foundry": foundry, "platform": f"{foundry}p"}
    path = workshop.model_file("greetings:\n" + "".join(lines), **names)
    return load_model([path], workshop.plugins)


def life(workshop: Workshop, foundry: str, number: int) -> dict[str, int]:
    """Merge, change, apply, go back and retire; return how many statements each took."""
    store, plugins = workshop.store, workshop.plugins
    first, second, third = (model_of(workshop, foundry, number, text) for text in "xyz")
    few = model_of(workshop, foundry, 1, "z")
    took: dict[str, int] = {}
    with counted(store) as sent:
        merge(store, first, plugins, origin=ORIGIN, guards=ALL_ALLOWED)
        took["create"] = len(sent)
        merge(store, first, plugins, origin=ORIGIN, guards=ALL_ALLOWED)
        took["nothing"] = len(sent)
        merge(store, second, plugins, origin=ORIGIN, guards=ALL_ALLOWED)
        took["update"] = len(sent)
        plan = plan_merge(store, third, plugins)
        took["plan"] = len(sent)
        file = plan_to_file(plan, ORIGIN, ALL_ALLOWED, buckets=32, at="now")
        apply_plan_file(store, file, plugins, origin=ORIGIN, guards=ALL_ALLOWED)
        took["apply"] = len(sent)
        merge(store, few, plugins, origin=ORIGIN, guards=ALL_ALLOWED)
        took["retire"] = len(sent)
        target = Target(revision=1, rows=Selection())
        rollback(store, foundry, target, origin=ORIGIN, guards=ALL_ALLOWED)
        took["roll back"] = len(sent)
    assert store.head(foundry).revision == 5
    return took


def test_the_number_of_statements_does_not_grow_with_the_rows(workshop: Workshop) -> None:
    """Ten entries and two hundred cost the same round trips."""
    life(workshop, "Warm", 2)
    assert life(workshop, "Few", 10) == life(workshop, "Many", 200)
