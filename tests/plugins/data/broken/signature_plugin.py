"""Takes an argument that the hook has not got."""

import dagfoundry


@dagfoundry.hookimpl
def dagfoundry_register_factory_types(context: object) -> list[object]:
    """Offer the argument."""
    return [context]
