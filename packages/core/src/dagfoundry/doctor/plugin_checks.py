"""Checks of the plugins: does each load, and is there one for each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dagfoundry.doctor.records import Check, advice, good, problem
from dagfoundry.plugins import load_plugins

if TYPE_CHECKING:
    from dagfoundry.doctor.records import Diagnosis, Subject


def _loaded(_subject: Subject) -> Diagnosis:
    plugins = load_plugins()
    if plugins.failures:
        found = "; ".join(failure.headline for failure in plugins.failures)
        return problem(found, "`dagfoundry plugins` says more; mend or uninstall them.")
    types = [str(installed) for installed in plugins.types.values()]
    if not types:
        return problem("no factory type is installed", "Install the packages your model needs.")
    return good(", ".join(types))


def _cost(_subject: Subject) -> Diagnosis:
    heavy = [
        f"{plugin.distribution} {plugin.version} ({plugin.entry_point}):"
        f" {plugin.seconds:.1f} s, {plugin.megabytes:.0f} MB"
        for plugin in load_plugins().loaded
        if plugin.seconds > _HEAVY_SECONDS or plugin.megabytes > _HEAVY_MEGABYTES
    ]
    if heavy:
        remedy = "Import large libraries inside the functions that need them, or upgrade it."
        return advice("; ".join(heavy), remedy)
    return good(f"each takes less than {_HEAVY_SECONDS:g} s and {_HEAVY_MEGABYTES} MB")


def _needed(subject: Subject) -> Diagnosis:
    if subject.fleet is None:
        return advice("not looked at: the foundry cannot be read", "See store.foundry.")
    served = [row for row in subject.fleet.rows if row.status.in_bucket]
    needed = {row.factory_type for row in served if row.factory_type}
    missing = sorted(needed - load_plugins().types.keys())
    if missing:
        names = ", ".join(repr(name) for name in missing)
        remedy = "Install or mend the distributions that offer them, in every process of Airflow."
        return problem(f"rows of factory types {names}, which are not installed", remedy)
    return good(f"all {len(needed)} factory types of the rows are installed")


_HEAVY_SECONDS: Final = 1.0
_HEAVY_MEGABYTES: Final = 100
"""Airflow itself is imported in some 3 s and 150 MB."""

PLUGIN_CHECKS: Final = (
    Check(
        id="plugins.loaded",
        looks_at="every installed plugin",
        why="The entries of a plugin that is broken cannot be built.",
        remedy="Mend, upgrade or uninstall the distribution that is named.",
        examine=_loaded,
    ),
    Check(
        id="plugins.cost",
        looks_at="what importing each plugin takes",
        why="Parses and task starts import all plugins and wait for them.",
        remedy="Import large libraries inside the functions that need them, or upgrade it.",
        examine=_cost,
    ),
    Check(
        id="plugins.needed",
        looks_at="the factory types of the stored rows",
        why="DAGs of a type that is not installed are placeholders, whose tasks fail.",
        remedy="Install the distribution that offers the type.",
        examine=_needed,
    ),
)
