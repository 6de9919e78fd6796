"""Asking each factory type what entries its items become, on every platform they run on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dagfoundry.errors import Finding
from dagfoundry.factories import PlatformContext
from dagfoundry.model.paths import path_text
from dagfoundry.names import dag_id_of
from dagfoundry.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dagfoundry.errors import Place
    from dagfoundry.factories import EntryDraft, FactoryType
    from dagfoundry.model import LoadedItem, LoadedModel
    from dagfoundry.model.schema import PlatformModel
    from dagfoundry.plugins import Plugins


@dataclass(frozen=True, kw_only=True, slots=True)
class Drafted:
    """An entry's draft with the item, type and platform it was drafted from."""

    draft: EntryDraft
    factory_type: FactoryType
    platform: PlatformModel
    loaded: LoadedItem
    dag_id: str

    @property
    def path(self) -> str:
        """Where in the model the entry comes from."""
        return self._path(self.draft.path)

    @property
    def place(self) -> Place:
        """File, line and column of that."""
        return self.loaded.place(*self.draft.path)

    def finding(
        self, what: str, remedy: str, rule: Rule, path: tuple[str | int, ...] = ()
    ) -> Finding:
        """Return a finding at the entry's place, or at a path inside its item."""
        inside = path or self.draft.path
        place = self.loaded.place(*inside)
        return Finding(what=what, remedy=remedy, path=self._path(inside), place=place, rule=rule)

    def _path(self, inside: tuple[str | int, ...]) -> str:
        return path_text((self.loaded.section, self.loaded.index, *inside))


def draft_entries(
    model: LoadedModel, plugins: Plugins, findings: list[Finding]
) -> Iterator[Drafted]:
    """Yield the drafts of all items; what cannot be drafted becomes a finding."""
    for loaded in model.items:
        factory_type = plugins.type(loaded.factory_type)
        for platform in model.foundry.platforms:
            if loaded.runs_on(platform.name):
                context = PlatformContext(foundry=model.foundry, platform=platform)
                for draft in _called(factory_type, loaded, context, findings):
                    yield Drafted(
                        draft=draft,
                        factory_type=factory_type,
                        platform=platform,
                        loaded=loaded,
                        dag_id=dag_id_of(factory_type.dag_id, platform.name, draft.key),
                    )


def _called(
    factory_type: FactoryType,
    loaded: LoadedItem,
    context: PlatformContext,
    findings: list[Finding],
) -> Sequence[EntryDraft]:
    try:
        return list(factory_type.draft(loaded.item, context))
    except ValueError as error:
        what, remedy = str(error), "Mend the item as the message says."
    except Exception as error:  # noqa: BLE001 - whatever a plugin raises becomes a located finding
        what = f"factory type {factory_type.name!r} raised {type(error).__name__}: {error}"
        remedy = "Report it to the author of the factory type (`dagfoundry plugins` names it)."
    findings.append(
        Finding(
            what=what,
            remedy=remedy,
            path=loaded.path,
            place=loaded.place(),
            rule=Rule.REFUSED,
        )
    )
    return ()
