"""Offers a type name that another distribution offers too."""

from hello_plugin import factory_type

import dagfoundry


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> list[dagfoundry.FactoryType]:
    """Offer one type."""
    return [factory_type(name="twin", section="alphas")]
