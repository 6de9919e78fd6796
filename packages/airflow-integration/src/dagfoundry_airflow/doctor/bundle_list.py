"""The bundles that Airflow 3 is configured with, and those of them that are a foundry's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Final

from dagfoundry.errors import SettingInvalidError
from dagfoundry_airflow.doctor.options import Option

if TYPE_CHECKING:
    from dagfoundry_airflow.bundle import DagFoundryBundle

_USER_INFO: Final = re.compile(r"://[^/@\s]*@")
BUNDLE_LIST: Final = Option(section="dag_processor", name="dag_bundle_config_list")


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfiguredBundle:
    """One item of ``dag_bundle_config_list``.

    Attributes:
        name: Its name.
        kwargs: What its class is given.
        bundle: What the class made; none when it could not.
        trouble: Why it could not; empty when it could.
    """

    name: str
    kwargs: dict[str, Any] = field(repr=False)
    bundle: Any = field(default=None, repr=False)
    trouble: str = ""


def bundle_list() -> list[ConfiguredBundle]:
    """Return what is configured, each constructed as Airflow does it.

    Raises:
        SettingInvalidError: The option is no list of bundles.
    """
    from airflow.configuration import conf
    from airflow.exceptions import AirflowConfigException

    try:
        items = conf.getjson(BUNDLE_LIST.section, BUNDLE_LIST.name)
    except AirflowConfigException as error:
        reason = " ".join(str(error).split())
        raise SettingInvalidError(f"{BUNDLE_LIST}: {reason}", remedy="Write it as JSON.") from None
    if not isinstance(items, list) or not all(_is_bundle(item) for item in items):
        msg = f"{BUNDLE_LIST} is no list of objects with a name and a classpath"
        raise SettingInvalidError(msg, remedy="Correct it; Airflow starts with no other.")
    return [_construct(item) for item in items]


def bundles_of(foundry: str | None) -> list[DagFoundryBundle]:
    """Return the bundles that serve a foundry; every foundry's when none is named.

    Raises:
        SettingInvalidError: The option is no list of bundles.
    """
    from dagfoundry_airflow.bundle import DagFoundryBundle

    ours = [each.bundle for each in bundle_list() if isinstance(each.bundle, DagFoundryBundle)]
    return [each for each in ours if foundry is None or each.foundry.lower() == foundry.lower()]


def _is_bundle(item: object) -> bool:
    return isinstance(item, dict) and {"name", "classpath"} <= item.keys()


def _construct(item: dict[str, Any]) -> ConfiguredBundle:
    name, kwargs = str(item["name"]), item.get("kwargs") or {}
    try:
        bundle = resolve_name(str(item["classpath"]))(name=name, version=None, **kwargs)
    except Exception as error:  # noqa: BLE001 - whatever a bundle raises is what is to be told
        text = _USER_INFO.sub("://***@", " ".join(str(error).split()))
        trouble = f"{type(error).__name__}: {text}"
        return ConfiguredBundle(name=name, kwargs=kwargs, trouble=trouble)
    return ConfiguredBundle(name=name, kwargs=kwargs, bundle=bundle)
