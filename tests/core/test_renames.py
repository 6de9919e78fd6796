"""A plan says which entry is another one under a new name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagfoundry.renames import Rename, renames

if TYPE_CHECKING:
    from conftest import Workshop

TWO_PLATFORMS = """\
  - name: Night
    merge_store: {url_variable: OTHER_URL}
    milestoning: forensic
greetings:
"""


def test_a_new_key_is_a_rename(workshop: Workshop) -> None:
    """All else stays, so the entry is the same to a person."""
    workshop.greet(a="one", b="two")
    plan = workshop.greet(a="one", c="two").plan
    assert renames(plan) == (Rename(before="live__b_greeting", after="live__c_greeting"),)


def test_an_entry_that_differs_in_more_is_no_rename(workshop: Workshop) -> None:
    """One goes and another comes."""
    workshop.greet(a="one", b="two")
    assert renames(workshop.greet(a="one", c="three").plan) == ()


def test_of_several_alike_none_is_guessed(workshop: Workshop) -> None:
    """Nobody can say which became which."""
    workshop.greet("a", "b", "c", "stays", allow_prune=True)
    assert renames(workshop.greet("d", "e", "f", "stays", allow_prune=True).plan) == ()


def test_entries_that_move_to_another_platform_keep_their_keys(workshop: Workshop) -> None:
    """What the platforms say may differ, their merge store and milestoning too."""

    def on(a: str, b: str) -> str:
        return f"  - {{name: a, platforms: [{a}]}}\n  - {{name: b, platforms: [{b}]}}\n"

    workshop.merge(TWO_PLATFORMS + on("Live", "Live"))
    moved = workshop.merge(TWO_PLATFORMS + on("Live", "Night"), allow_prune=True)
    both = workshop.merge(TWO_PLATFORMS + on("Night", "Night"), allow_prune=True)
    assert renames(moved.plan) == (Rename(before="live__b_greeting", after="night__b_greeting"),)
    assert renames(both.plan) == (Rename(before="live__a_greeting", after="night__a_greeting"),)


def test_what_comes_back_is_no_rename(workshop: Workshop) -> None:
    """It goes on with its own past."""
    workshop.greet(a="one", b="two")
    workshop.greet(a="one", c="two")
    assert renames(workshop.greet(a="one", b="two").plan) == ()


def test_an_unchanged_model_renames_nothing(workshop: Workshop) -> None:
    """There is nothing to compare."""
    workshop.greet("a")
    assert renames(workshop.greet("a").plan) == ()
