"""Runs the checks of core and of other distributions, each on its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor.plugin_checks import PLUGIN_CHECKS
from dagfoundry.doctor.records import Check, Diagnosis, problem
from dagfoundry.doctor.store_checks import STORE_CHECKS
from dagfoundry.errors import FoundryError
from dagfoundry.model.words import without_passwords

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from importlib.metadata import EntryPoint

    from dagfoundry.doctor.records import Subject

DOCTOR_GROUP: Final = "dagfoundry.doctor"
"""Entry-point group: a name to a function that returns :class:`Check` records."""

CHECKS: Final = (*STORE_CHECKS, *PLUGIN_CHECKS)
"""The checks of core."""

_OWN: Final = "dagfoundry"


@dataclass(frozen=True, kw_only=True, slots=True)
class Examined:
    """A check, who offers it and what it says."""

    check: Check
    offered_by: str
    diagnosis: Diagnosis


def examine(subject: Subject) -> Iterator[Examined]:
    """Run every check of every installed distribution; one that raises is a problem of its own."""
    yield from _run(subject, CHECKS, _OWN)
    for offer in sorted(entry_points(group=DOCTOR_GROUP), key=lambda offer: offer.name):
        owner = f"{offer.dist.name} {offer.dist.version}" if offer.dist else offer.name
        yield from _offered(subject, offer, owner)


def _offered(subject: Subject, offer: EntryPoint, owner: str) -> Iterator[Examined]:
    try:
        checks = tuple(offer.load()())
        wrong = [type(check).__name__ for check in checks if not isinstance(check, Check)]
        if wrong:
            msg = f"it offers {wrong[0]}, not a dagfoundry.doctor.Check"
            raise TypeError(msg)  # noqa: TRY301 - told like everything else that is wrong with an offer
    except Exception as error:  # noqa: BLE001 - what another distribution raises must not hide the rest
        found = without_passwords(f"{owner}: {_told(error)}")
        diagnosis = problem(found, f"Mend or upgrade {owner}.")
        check = Check(
            id=f"{offer.name}.offered",
            looks_at=f"the checks that {owner} offers",
            why="None of its checks were made.",
            remedy="Mend or upgrade the distribution.",
            examine=lambda _subject: diagnosis,
        )
        yield Examined(check=check, offered_by=owner, diagnosis=diagnosis)
        return
    yield from _run(subject, checks, owner)


def _run(subject: Subject, checks: Iterable[Check], owner: str) -> Iterator[Examined]:
    for check in checks:
        yield Examined(check=check, offered_by=owner, diagnosis=_diagnose(subject, check, owner))


def _diagnose(subject: Subject, check: Check, owner: str) -> Diagnosis:
    diagnosis = _examine(subject, check, owner)
    return replace(diagnosis, found=without_passwords(diagnosis.found))


def _examine(subject: Subject, check: Check, owner: str) -> Diagnosis:
    try:
        return check.examine(subject)
    except FoundryError as error:
        return problem(error.what, error.remedy)
    except Exception as error:  # noqa: BLE001 - a check that fails must not hide the others
        return problem(f"the check itself failed: {_told(error)}", f"Report it to {owner}.")


def _told(error: Exception) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
