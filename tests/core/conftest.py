"""A small factory type, models of it, and stores on both databases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel, ConfigDict

from dagfoundry import EntryDraft, FactoryType, SectionItem
from dagfoundry.merge import Guards, merge
from dagfoundry.model import load_model
from dagfoundry.plugins import InstalledType, Plugins
from dagfoundry.store import Source, Store, open_store
from dagfoundry.store.write import Origin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import URL

    from dagfoundry import PlatformContext
    from dagfoundry.merge import MergeResult
    from tests.conftest import NewDatabase


class Greeting(SectionItem):
    """An item of the section ``greetings``."""

    text: str = "hello"
    reads: tuple[str, ...] = ()


class GreetingConfig(BaseModel):
    """A stored greeting."""

    model_config = ConfigDict(extra="allow")

    text: str


def draft(item: Greeting, _context: PlatformContext) -> list[EntryDraft]:
    """Make one entry of an item; it writes the dataset ``Greetings#<name>``."""
    return [
        EntryDraft(
            key=item.name,
            config={"text": item.text},
            produces=(f"Greetings#{item.name}",),
            consumes=tuple(f"Greetings#{name}" for name in item.reads),
        )
    ]


def build(_entry: object, _kit: object) -> None:
    """Stand for a builder; core never calls it."""


GREETING_TYPE = FactoryType(
    name="greeting",
    summary="Says something.",
    section="greetings",
    item=Greeting,
    draft=draft,
    config=GreetingConfig,
    build=build,
)


def installed(*types: FactoryType) -> Plugins:
    """Return plugins as if one distribution offered these types."""
    return Plugins(
        types={
            each.name: InstalledType(
                type=each, distribution="greet", version="1.0", entry_point="greet"
            )
            for each in types
        }
    )


@pytest.fixture
def plugins() -> Plugins:
    """The one factory type of these tests."""
    return installed(GREETING_TYPE)


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def store_url(request: pytest.FixtureRequest, new_database: NewDatabase) -> URL:
    """An empty database of each kind."""
    return new_database(request.param, "store")


@pytest.fixture
def store(store_url: URL) -> Iterator[Store]:
    """An empty store of each kind."""
    opened = open_store(store_url, timeout_seconds=60)
    yield opened
    opened.close()


@dataclass(frozen=True)
class Workshop:
    """A store and a folder for models, to merge with one call."""

    store: Store
    folder: Path
    plugins: Plugins

    def model_file(self, body: str, *, foundry: str = "Test", platform: str = "Live") -> Path:
        """Write a model with one platform and the given sections."""
        path = self.folder / f"{foundry}.yaml"
        path.write_text(
            f"foundry: {foundry}\n"
            f"platforms:\n  - name: {platform}\n    merge_store: {{url_variable: MERGE_URL}}\n"
            f"{body}",
            encoding="utf-8",
        )
        return path

    def merge(
        self,
        body: str,
        *,
        allow_prune: bool = False,
        allow_environment: bool = False,
        environment: str | None = None,
        message: str = "",
        **names: str,
    ) -> MergeResult:
        """Write a model and merge it."""
        file = self.model_file(body, **names)
        model = load_model([file], self.plugins, environment=environment)
        origin = Origin(author="Ada", message=message, source=Source.MERGE, environment=environment)
        guards = Guards(allow_prune=allow_prune, allow_environment=allow_environment)
        return merge(self.store, model, self.plugins, origin=origin, guards=guards)

    def greet(self, *names: str, allow_prune: bool = False, **texts: str) -> MergeResult:
        """Merge greetings of these names; keyword arguments give them a text."""
        items = {**dict.fromkeys(names, "hello"), **texts}
        lines = [f"  - {{name: {name}, text: {text}}}\n" for name, text in items.items()]
        return self.merge("greetings:\n" + "".join(lines), allow_prune=allow_prune)


@pytest.fixture
def workshop(store: Store, tmp_path: Path, plugins: Plugins) -> Workshop:
    """A store of each kind to merge into."""
    folder = tmp_path / "model"
    folder.mkdir()
    return Workshop(store=store, folder=folder, plugins=plugins)
