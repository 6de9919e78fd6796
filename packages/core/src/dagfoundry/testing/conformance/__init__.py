"""The standard suite that a factory type passes, made in one line of the plugin's tests."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.testing.conformance.subject import Subject
from dagfoundry.testing.conformance.suite import ConformanceSuite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BUILD_BUDGET_MS: Final = 50.0
"""A DAG of four tasks takes about 12 ms in a pass; a foundry has thousands of them."""

IMPORT_BUDGET_MS: Final = 200.0
"""Each parse process and each task start imports every plugin."""

_NO_CONFIGS: Final[Mapping[int, Sequence[Mapping[str, Any]]]] = MappingProxyType({})


def conformance_suite(
    factory_type: str,
    *,
    old_configs: Mapping[int, Sequence[Mapping[str, Any]]] = _NO_CONFIGS,
    build_budget_ms: float = BUILD_BUDGET_MS,
    import_budget_ms: float = IMPORT_BUDGET_MS,
) -> type[ConformanceSuite]:
    """Return the standard suite for a factory type, as a class that pytest collects.

    It checks the examples of the type (``FactoryType.examples``): that they load, build the
    same DAG everywhere within a budget, and come back from an export; and that what is broken
    is refused in words. Bind it to a name that begins with ``Test``.

    Args:
        factory_type: Name of an installed factory type.
        old_configs: For each config version before today's, whole configs (config_json) as
            rows of that version hold them; at least one each.
        build_budget_ms: CPU time that building and serialising one DAG may take, in
            milliseconds. Airflow does so with each DAG at each parse: at 50 ms a DAG, a pass
            over a thousand takes 50 CPU-seconds.
        import_budget_ms: CPU time that importing the plugin may take beyond DAG Foundry's own
            import, in milliseconds. Each process that parses and each task start imports it.

    Example::

        TestHello = conformance_suite("hello")
    """
    name = f"Test{''.join(part.capitalize() for part in factory_type.split('_'))}"
    subject = Subject(
        name=factory_type,
        old_configs=old_configs,
        build_budget_ms=build_budget_ms,
        import_budget_ms=import_budget_ms,
    )
    doc = f"What factory type {factory_type!r} is to pass."
    return type(name, (ConformanceSuite,), {"dagfoundry_subject": subject, "__doc__": doc})
