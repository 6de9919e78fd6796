"""Two small factory types, and a model of them in real files."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, field_validator

from dagfoundry import CronExpression, Database, FactoryType, ModelPart, Name, SectionItem
from dagfoundry.errors import ModelInvalidError
from dagfoundry.model import load_model
from dagfoundry.plugins import InstalledType, PluginFailure, Plugins

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dagfoundry.errors import Finding
    from dagfoundry.model import LoadedModel


class Dataset(ModelPart):
    """A part of a store."""

    name: Name
    key: tuple[Name, ...] = Field(min_length=1)
    table: str | None = None


class Shop(SectionItem):
    """An item of section ``shops``."""

    source: Database
    mode: Literal["single", "multi"] = "multi"
    schedule: CronExpression | None = None
    datasets: tuple[Dataset, ...] = ()
    options: dict[str, Any] = Field(default_factory=dict)


class Recipe(SectionItem):
    """An item of section ``recipes``; its check has a fault."""

    inputs: tuple[str, ...] | dict[str, str]
    output: Dataset | str = "out"
    factor: float = 1.0

    @field_validator("factor")
    @classmethod
    def _faulty(cls, value: float) -> float:
        if value < 0:
            raise KeyError(value)
        return 1 / value


class Config(BaseModel):
    """Any config."""

    model_config = ConfigDict(extra="allow")


def _installed(name: str, section: str, item: type[SectionItem]) -> InstalledType:
    return InstalledType(
        type=FactoryType(
            name=name,
            summary=f"Makes {section}.",
            section=section,
            item=item,
            draft=lambda _item, _context: [],
            config=Config,
            build=lambda _entry, _kit: None,
        ),
        distribution=f"dagfoundry-{name}",
        version="1.0",
        entry_point=name,
    )


@pytest.fixture(scope="session")
def types() -> Plugins:
    """Two installed types and a plugin that failed to load."""
    return Plugins(
        types={
            "shop": _installed("shop", "shops", Shop),
            "recipe": _installed("recipe", "recipes", Recipe),
        },
        failures=(
            PluginFailure(
                distribution="dagfoundry-lost",
                version="0.3",
                entry_point="lost",
                error="it could not be imported\n  Mend it.",
            ),
        ),
    )


HEAD = """\
foundry: Quickstart
platforms:
  - name: YellowLive
    merge_store: {url_variable: MERGE_URL}
"""


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file of the model, below the model's folder."""

    def file(text: str, name: str = "model.yaml") -> Path:
        path = tmp_path / "model" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return file


@pytest.fixture
def load(write: Callable[..., Path], types: Plugins) -> Callable[[str], LoadedModel]:
    """Load a model of one file: a good foundry, then this text."""

    def loaded(text: str, head: str = HEAD) -> LoadedModel:
        return load_model([write(head + dedent(text))], types)

    return loaded


@pytest.fixture
def findings(load: Callable[..., LoadedModel]) -> Callable[..., tuple[Finding, ...]]:
    """Return what is wrong with a model of one file."""

    def found(text: str, head: str = HEAD) -> tuple[Finding, ...]:
        with pytest.raises(ModelInvalidError) as caught:
            load(text, head)
        return caught.value.findings

    return found


@pytest.fixture
def finding(findings: Callable[..., tuple[Finding, ...]]) -> Callable[..., Finding]:
    """Return the only thing that is wrong with a model of one file."""

    def found(text: str, head: str = HEAD) -> Finding:
        (only,) = findings(text, head)
        return only

    return found
