"""Raises when it is called."""

import dagfoundry


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> list[object]:
    """Raise."""
    raise KeyError("missing setting")
