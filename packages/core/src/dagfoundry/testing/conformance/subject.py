"""What a suite is about: one installed factory type, its examples and its budgets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import ModelInvalidError, NotConformingError
from dagfoundry.plugins import Plugins, load_plugins
from dagfoundry.store.records import RowKind
from dagfoundry.testing.attempts import attempt_builds
from dagfoundry.testing.conformance.stand_in import STAND_IN, stand_in_section
from dagfoundry.testing.imports import watch_import
from dagfoundry.testing.rows import missing_datasets, rows_of_model

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dagfoundry.factories import FactoryType
    from dagfoundry.plugins import InstalledType
    from dagfoundry.store.records import RowState
    from dagfoundry.testing.attempts import Attempt
    from dagfoundry.testing.imports import Import

TIMES: Final = 9
"""How often a DAG is built for its CPU time."""


@dataclass(frozen=True, kw_only=True)  # no slots: what is worked out is kept beside the fields
class Subject:
    """A factory type to check.

    Attributes:
        name: Its name.
        old_configs: Older config version to configs of it.
        build_budget_ms: CPU time that the build of a DAG may take, in milliseconds.
        import_budget_ms: CPU time that the import of its plugin may take, in milliseconds.
    """

    name: str
    old_configs: Mapping[int, Sequence[Mapping[str, Any]]]
    build_budget_ms: float
    import_budget_ms: float

    @cached_property
    def installed(self) -> InstalledType:
        """The type and who offers it.

        Raises:
            FactoryTypeMissingError: No working plugin offers it.
        """
        plugins = load_plugins()
        plugins.type(self.name)
        return plugins.types[self.name]

    @property
    def type(self) -> FactoryType:
        """The type."""
        return self.installed.type

    @cached_property
    def plugins(self) -> Plugins:
        """The type alone, with the stand-in for all others."""
        known = {self.name: self.installed, STAND_IN.type.name: STAND_IN}
        return Plugins(types=known)

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """Its examples.

        Raises:
            NotConformingError: There are none, or one is not made of JSON values.
        """
        if not self.type.examples:
            remedy = "Give FactoryType.examples at least one item of the section, as a dict."
            raise self.failure("it has no examples to check it with", remedy)
        return tuple(
            Example(subject=self, number=number, item=self._as_json(number, item))
            for number, item in enumerate(self.type.examples, start=1)
        )

    def _as_json(self, number: int, item: Mapping[str, Any]) -> dict[str, Any]:
        try:
            values: dict[str, Any] = json.loads(json.dumps(dict(item)))
        except (TypeError, ValueError) as error:
            problem = f"example {number} is not made of JSON values: {error}"
            remedy = "Write it as a model does: mappings, lists, text, numbers, true and false."
            raise self.failure(problem, remedy) from error
        return values

    @cached_property
    def rows(self) -> list[RowState]:
        """The entries of all examples."""
        return [row for example in self.examples for row in example.entries]

    @cached_property
    def attempts(self) -> list[Attempt]:
        """What became of each of these rows, and how long it took."""
        return attempt_builds(self.rows, timed=TIMES)

    @cached_property
    def imported(self) -> Import:
        """What the import of its plugin did."""
        return watch_import(self.installed)

    def failure(self, problem: str, remedy: str) -> NotConformingError:
        """Return the error that says which type of which distribution breaks a rule.

        Args:
            problem: What is wrong, in one clause.
            remedy: What to do, in one sentence.
        """
        owner = f"{self.installed.distribution} {self.installed.version}"
        what = f"factory type {self.name!r} of {owner}: {problem}"
        return NotConformingError(what, remedy=remedy)


@dataclass(frozen=True, kw_only=True)  # no slots: as above
class Example:
    """One example of a factory type.

    Attributes:
        subject: The type.
        number: Its position, from 1.
        item: The item as a model writes it.
    """

    subject: Subject
    number: int
    item: dict[str, Any]

    def __str__(self) -> str:
        """Return its position and name."""
        return f"example {self.number} ({self.item.get('name')!r})"

    @property
    def section(self) -> str:
        """The section that it is an item of."""
        return self.subject.type.section

    def model(self, item: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the model that holds the example alone, or a changed form of it."""
        return {self.section: [self.item if item is None else item], **self._around}

    @cached_property
    def _around(self) -> Mapping[str, Any]:
        """What writes the datasets that it reads."""
        missing = missing_datasets({self.section: [self.item]}, self.subject.plugins)
        return stand_in_section(missing)

    @cached_property
    def all_rows(self) -> list[RowState]:
        """All rows of the model that holds it.

        Raises:
            NotConformingError: The model is refused.
        """
        try:
            return rows_of_model(self.model(), self.subject.plugins)
        except ModelInvalidError as error:
            remedy = "Correct the example, or what refuses it."
            raise self.subject.failure(f"{self} is refused:\n{error}", remedy) from error

    @cached_property
    def entries(self) -> list[RowState]:
        """The entries that it becomes."""
        own = self.subject.name
        return [r for r in self.all_rows if r.kind is RowKind.ENTRY and r.factory_type == own]
