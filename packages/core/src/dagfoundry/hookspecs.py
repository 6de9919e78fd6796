"""Extension points: what an installed package may add to DAG Foundry.

A package offers a module under the ``dagfoundry`` entry-point group. Each function in
it that is named after a hook below and decorated with :data:`hookimpl` is called. An
implementation may accept any subset of a hook's arguments. A plugin that fails is
reported by ``dagfoundry plugins`` with its distribution and version, and takes nobody
else's factory types with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from dagfoundry.factories import FactoryType

ENTRY_POINT_GROUP = "dagfoundry"

hookspec = pluggy.HookspecMarker("dagfoundry")
hookimpl = pluggy.HookimplMarker("dagfoundry")

# --- Registration: once per process ---------------------------------------


@hookspec
def dagfoundry_register_factory_types() -> list[FactoryType]:
    """Offer the factory types that this package implements.

    When: once per process, before the first model or row is read.
    Where: the command line, the DAG processor and its children, and tasks.
    Import Airflow inside ``FactoryType.build``, never at module level.
    If it fails: only this package's types are missing; ``dagfoundry plugins`` names it.

    Returns:
        One record per type, as a list. Names are unique over all installed
        packages; a clash raises ``DuplicateFactoryTypeError``, naming both owners.

    Example::

        @dagfoundry.hookimpl
        def dagfoundry_register_factory_types():
            return [dagfoundry.FactoryType(name="hello", section="greetings", ...)]
    """
    raise NotImplementedError
