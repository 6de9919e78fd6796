"""Forgot to return."""

import dagfoundry


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> None:
    """Return nothing."""
