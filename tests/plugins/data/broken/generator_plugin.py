"""Yields instead of returning a list."""

from collections.abc import Iterator

import dagfoundry


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> Iterator[object]:
    """Yield."""
    yield None
