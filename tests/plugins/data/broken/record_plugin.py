"""Offers a number, a factory type that breaks every rule, and one that works."""

from hello_plugin import Config, Greeting, factory_type

import dagfoundry


@dagfoundry.hookimpl
def dagfoundry_register_factory_types() -> list[object]:
    """Offer all three."""
    wrong = factory_type(
        name="infrastructure",
        summary="",
        section="platforms",
        item=Config,
        draft=None,
        config=Greeting,
        table=dagfoundry.EntryTable(suffix="Bad-Table", key_column="status"),
        dag_id="{platform}_{entry}",
        factory_dag_id="{platform} factory",
        factory_tags=["a"],
    )
    return [7, wrong, factory_type(name="survivor", section="survivors")]
