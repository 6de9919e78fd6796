"""A plugin that works: one factory type that makes no entries."""

from __future__ import annotations

from pydantic import BaseModel

import dagfoundry


class Greeting(dagfoundry.SectionItem):
    """An item of a section."""


class Config(BaseModel):
    """Any config."""


def draft(_item: Greeting, _context: dagfoundry.PlatformContext) -> list[dagfoundry.EntryDraft]:
    """Make no entry."""
    return []


def build(_entry: dagfoundry.Entry, _kit: dagfoundry.DagKit) -> None:
    """Make no DAG."""


def factory_type(**overrides: object) -> dagfoundry.FactoryType:
    """Return a factory type that keeps every rule, with some of its values replaced."""
    values = {
        "name": "hello",
        "summary": "Says hello.",
        "section": "greetings",
        "item": Greeting,
        "draft": draft,
        "config": Config,
        "build": build,
    }
    return dagfoundry.FactoryType(**(values | overrides))


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> list[dagfoundry.FactoryType]:
    """Offer one type."""
    return [factory_type()]
