"""The operators and Python callables that the platform's owner allows entries to use.

Both are entry points of installed distributions. What a row names is looked up here and
nowhere else; a name that is not here is never imported.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeVar

_Offered = TypeVar("_Offered")

OPERATOR_GROUP: Final = "dagfoundry_dagfactory.operators"
CALLABLE_GROUP: Final = "dagfoundry_dagfactory.callables"


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowedOperator:
    """An operator that entries may use.

    Attributes:
        names: How an entry may write it; old and new import paths of one class are names
            of one operator.
        classes: Where the class is, as ``module:Class``; the first that the installed
            Airflow has is taken.
        arguments: Arguments it may be given, besides those of every operator.
        required: Those of them that it must be given.
        durations: Those of them that are durations.
        callables: Those of them that name an allowed Python callable.
        dags: Those of them that name a DAG; only DAGs of the same platform are taken.
        any_template: Whether its arguments may hold any template. A template can read
            every connection and variable of the platform.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    arguments: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    durations: tuple[str, ...] = ()
    callables: tuple[str, ...] = ()
    dags: tuple[str, ...] = ()
    any_template: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Allowed:
    """All that is allowed in this installation.

    Attributes:
        operators: Operators by each of their names.
        callables: Entry points of Python callables by name.
        failures: What is offered and cannot be taken, one sentence each.
    """

    operators: dict[str, AllowedOperator] = field(default_factory=dict)
    callables: dict[str, EntryPoint] = field(default_factory=dict)
    failures: tuple[str, ...] = ()


@cache
def load_allowed() -> Allowed:
    """Return what the installed distributions allow.

    A name that two of them offer is allowed by neither.
    """
    failures: list[str] = []
    operators: dict[str, tuple[str, AllowedOperator]] = {}
    for offer in _offers(OPERATOR_GROUP):
        for operator in _records(offer, failures):
            for name in operator.names:
                _add(operators, name, (_owner(offer), operator), failures)
    callables: dict[str, tuple[str, EntryPoint]] = {}
    for offer in _offers(CALLABLE_GROUP):
        _add(callables, offer.name, (_owner(offer), offer), failures)
    return Allowed(
        operators={name: operator for name, (_, operator) in operators.items()},
        callables={name: offer for name, (_, offer) in callables.items()},
        failures=tuple(failures),
    )


def _offers(group: str) -> list[EntryPoint]:
    return sorted(entry_points(group=group), key=lambda offer: (offer.name, offer.value))


def _owner(offer: EntryPoint) -> str:
    return f"{offer.dist.name} {offer.dist.version}" if offer.dist else offer.value


def _records(offer: EntryPoint, failures: list[str]) -> tuple[AllowedOperator, ...]:
    try:
        loaded = offer.load()
    except Exception as error:  # noqa: BLE001 - whatever a module raises is named to who misses it
        failures.append(f"{_owner(offer)}: {offer.value}: {type(error).__name__}: {error}.")
        return ()
    records = loaded if isinstance(loaded, tuple) else (loaded,)
    if not all(isinstance(record, AllowedOperator) for record in records):
        failures.append(f"{_owner(offer)}: {offer.value} is no AllowedOperator.")
        return ()
    return records


def _add(
    known: dict[str, tuple[str, _Offered]],
    name: str,
    offered: tuple[str, _Offered],
    failures: list[str],
) -> None:
    if any(f"{name!r} is offered by" in failure for failure in failures):
        return
    if name in known:
        other, _ = known.pop(name)
        failures.append(f"{name!r} is offered by {other} and by {offered[0]}.")
        return
    known[name] = offered
