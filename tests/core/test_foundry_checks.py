"""A factory type may object to a foundry as a whole, each time at one of its entries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dagfoundry import Objection
from dagfoundry.errors import ModelInvalidError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dagfoundry import PlannedEntry
    from dagfoundry.plugins import Plugins
    from tests.core.conftest import Workshop


def repeated_texts(entries: Sequence[PlannedEntry]) -> Iterable[Objection]:
    """Object to a text that stands twice."""
    seen: set[str] = set()
    for entry in entries:
        text = str(entry.draft.config["text"])
        if text in seen:
            yield Objection(
                entry=entry,
                what=f"the text {text!r} is used already",
                remedy="Say something else.",
                path=("text",),
            )
        seen.add(text)


def with_check(plugins: Plugins, check: Callable[..., object]) -> Plugins:
    """Return the factory type of these tests with a check."""
    known = plugins.types["greeting"]
    changed = replace(known, type=replace(known.type, check=check))
    return replace(plugins, types={"greeting": changed})


def refused(workshop: Workshop, check: Callable[..., object]) -> ModelInvalidError:
    """Return the error of a merge with a factory type that has this check."""
    checking = replace(workshop, plugins=with_check(workshop.plugins, check))
    with pytest.raises(ModelInvalidError) as caught:
        checking.merge(BODY)
    return caught.value


BODY = "greetings:\n  - {name: A, text: same}\n  - name: B\n    text: same\n"


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_objection_stands_at_the_value_it_names(workshop: Workshop) -> None:
    """File, line, path, rule, reason and remedy are those of the entry's item."""
    (finding,) = refused(workshop, repeated_texts).findings
    assert (finding.path, finding.rule.value) == ("greetings[1].text", "model.objection")
    assert finding.place is not None
    assert finding.place.line == 8
    assert "'same' is used already" in str(finding)
    assert "Say something else." in str(finding)
    assert not workshop.store.exists()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("check", "words"),
    [
        (lambda _entries: 1 // 0, "raised ZeroDivisionError"),
        (lambda _entries: ["no objection"], "raised AttributeError"),
        (
            lambda entries: [
                Objection(entry=replace(entries[0]), what="x", remedy="y")  # a copy is a stranger
            ],
            "an entry that is not one of its own",
        ),
    ],
)
def test_a_check_that_fails_is_a_finding(
    workshop: Workshop, check: Callable[..., object], words: str
) -> None:
    """It names the factory type, and nothing is merged."""
    (finding,) = refused(workshop, check).findings
    assert "the check of factory type 'greeting'" in finding.what
    assert words in finding.what
