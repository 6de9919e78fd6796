"""Spells the hook wrong."""

import dagfoundry


@dagfoundry.hookimpl
def dagfoundry_register_factory_typos() -> list[object]:
    """Offer nothing."""
    return []
