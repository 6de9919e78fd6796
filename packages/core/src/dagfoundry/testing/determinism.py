"""Whether a factory type builds the same DAG from the same row, everywhere and always.

Airflow hashes a serialised DAG at each parse. A hash that moves makes it store another
DAG version although nothing changed, without end.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import CheckImpossibleError, NotDeterministicError
from dagfoundry.plugins import load_plugins
from dagfoundry.testing.builds import build_everywhere
from dagfoundry.testing.difference import first_difference
from dagfoundry.testing.rows import rows_of_config, rows_of_model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dagfoundry.plugins import Plugins
    from dagfoundry.store.records import RowState
    from dagfoundry.testing.builds import Build, SerializedDag

_PROCESSES: Final = 4
"""A set of two comes in the same order under half of all hash seeds, so two are too few."""


def check_deterministic(
    factory_type: str,
    *,
    config: Mapping[str, Any] | None = None,
    model: str | Mapping[str, Any] | None = None,
    processes: int = _PROCESSES,
) -> None:
    """Build entries again and again, and refuse a DAG that does not stay the same.

    Each DAG is built twice in each of several fresh processes, which differ in
    PYTHONHASHSEED, working directory and current time. It is compared as the installed
    Airflow compares it. Airflow 3.2 and later forgive some of what older ones do not
    (a set among an operator's arguments), so run the check on each version you support.

    Args:
        factory_type: Name of an installed factory type.
        config: A whole config_json, as an entry's row stores it.
        model: A model as YAML text or as its values; ``foundry`` and ``platforms`` may be
            left out, so the items of the type's section are enough.
        processes: How many fresh processes build.

    Raises:
        NotDeterministicError: A DAG differs; names the type, its distribution, the DAG,
            the place inside the serialised DAG and both values.
        CheckImpossibleError: Something is not installed, there is nothing to check, or
            an entry cannot be built.
        ModelInvalidError: The model breaks rules.

    Example::

        def test_hello_is_deterministic():
            check_deterministic("hello", model={"greetings": [{"name": "World"}]})
    """
    plugins = load_plugins()
    plugins.type(factory_type)
    rows = rows_of_config(factory_type, config, plugins) if config is not None else []
    rows += rows_of_model(model, plugins) if model is not None else []
    own = [row for row in rows if row.factory_type == factory_type]
    if not any(row.key for row in own):
        msg = f"there is no entry of factory type {factory_type!r} to check"
        raise CheckImpossibleError(msg, remedy="Pass a config, or a model with an item of it.")
    check_rows_deterministic(own, plugins, processes=processes)


def check_rows_deterministic(
    rows: Iterable[RowState], plugins: Plugins, *, processes: int = _PROCESSES
) -> None:
    """Do for rows of any kind what :func:`check_deterministic` does for entries.

    Raises:
        NotDeterministicError: The first DAG that differs; says how many more do.
        CheckImpossibleError: As above.
    """
    found = list(unsteady_dags(rows, plugins, processes=processes).values())
    if not found:
        return
    more = f" {len(found) - 1} more DAGs differ." if len(found) > 1 else ""
    raise NotDeterministicError(found[0].what + more, remedy=found[0].remedy)


def unsteady_dags(
    rows: Iterable[RowState], plugins: Plugins, *, processes: int = _PROCESSES
) -> dict[str, NotDeterministicError]:
    """Return what is wrong with each DAG that does not stay the same, by DAG id.

    Raises:
        CheckImpossibleError: As above.
    """
    checked = list(rows)
    everywhere = zip(checked, build_everywhere(checked, processes), strict=True)
    compared = ((row, _first_pair(builds)) for row, builds in everywhere)
    return {row.dag_id: _error(row, plugins, pair) for row, pair in compared if pair}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pair:
    where: str
    before: SerializedDag
    after: SerializedDag


def _first_pair(builds: Sequence[Build]) -> _Pair | None:
    """Return the first two builds that differ; two of one process say the most."""
    alone = [_Pair(where="in one process", before=b.first, after=b.second) for b in builds]
    apart = [
        _Pair(where="in two processes", before=builds[0].first, after=build.first)
        for build in builds[1:]
    ]
    return next((pair for pair in [*alone, *apart] if pair.before.hash != pair.after.hash), None)


def _error(row: RowState, plugins: Plugins, pair: _Pair) -> NotDeterministicError:
    difference = first_difference(pair.before.content, pair.after.content)
    return NotDeterministicError(
        f"{_owner(row, plugins)}: two builds of DAG {row.dag_id!r} {pair.where} differ at"
        f" {difference}. Airflow would store a new DAG version at each parse.",
        remedy=difference.remedy if difference else "",
    )


def _owner(row: RowState, plugins: Plugins) -> str:
    if row.factory_type not in plugins.types:
        return "DAG Foundry's own DAG"
    installed = plugins.types[row.factory_type]
    return f"factory type {row.factory_type!r} of {installed.distribution} {installed.version}"
