"""Checks of the bundle of Airflow 3: is it there, once, and asked often enough."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Final

from dagfoundry.doctor import Check, advice, good, problem
from dagfoundry_airflow.doctor.bundle_list import BUNDLE_LIST, bundle_list, bundles_of
from dagfoundry_airflow.doctor.options import AIRFLOW_3_VERSIONS, Option
from dagfoundry_airflow.doctor.recommended import REFRESH_INTERVAL

if TYPE_CHECKING:
    from dagfoundry.doctor import Diagnosis, Setting, Subject

_SLOW_REFRESH: Final = 60
_CLASSPATH: Final = "dagfoundry_airflow.bundle.DagFoundryBundle"
_REFRESH_CHECK: Final = Option(section="dag_processor", name="bundle_refresh_check_interval")
_BASE_URL: Final = Option(section="api", name="base_url")
_NO_VERSIONS: Final = Option(section="dag_processor", name="disable_bundle_versioning")
_CLEANUP_INTERVAL: Final = Option(section="dag_processor", name="stale_bundle_cleanup_interval")
_CLEANUP_AGE: Final = Option(section="dag_processor", name="stale_bundle_cleanup_age_threshold")
_CLEANUP_KEPT: Final = Option(section="dag_processor", name="stale_bundle_cleanup_min_versions")
_DEFAULT_CLEANUP: Final = {_CLEANUP_INTERVAL: 1800, _CLEANUP_AGE: 21600, _CLEANUP_KEPT: 10}
_HOUR: Final = 3600
_WEEK: Final = 7 * 24 * _HOUR
_MANY_VERSIONS: Final = 200


def _listed(subject: Subject) -> Diagnosis:
    configured = bundle_list()
    broken = [f"{each.name!r}: {each.trouble}" for each in configured if each.trouble]
    if broken:
        remedy = "Correct classpath or kwargs, or install what is missing in every process."
        return problem("; ".join(broken), remedy)
    twice = [name for name, n in Counter(each.name for each in configured).items() if n > 1]
    if twice:
        return problem(f"bundle {twice[0]!r} is listed twice", "Give each bundle its own name.")
    ours = bundles_of(subject.foundry)
    if not ours:
        wanted = f"of foundry {subject.foundry!r}" if subject.foundry else "of a foundry"
        found = f"none of the {len(configured)} listed is {wanted}"
        return problem(found, "List it.", _example(subject.foundry or "FOUNDRY"))
    if subject.foundry and len(ours) > 1:
        names = " and ".join(repr(each.name) for each in ours)
        remedy = "Keep one of them: both would own the same DAG ids."
        return problem(f"bundles {names} are of the same foundry", remedy)
    return good(", ".join(f"bundle {each.name!r} of foundry {each.foundry}" for each in ours))


def _example(foundry: str) -> Setting:
    kwargs = {"foundry": foundry, "refresh_interval": REFRESH_INTERVAL}
    item = {"name": foundry.lower(), "classpath": _CLASSPATH, "kwargs": kwargs}
    return BUNDLE_LIST.to(json.dumps([item]))


def _refresh_interval(subject: Subject) -> Diagnosis:
    ours = bundles_of(subject.foundry)
    if not ours:
        return advice("not looked at: the foundry has no bundle", "See bundle.listed.")
    seconds = ours[0].refresh_interval
    if 1 <= seconds <= _SLOW_REFRESH:
        return good(f"{seconds} s")
    example = f'kwargs "refresh_interval": {REFRESH_INTERVAL}'
    remedy = f"Set {example} of bundle {ours[0].name!r} in {BUNDLE_LIST}."
    return advice(f"{seconds} s", remedy)


def _refresh_check(subject: Subject) -> Diagnosis:
    check = _REFRESH_CHECK.number()
    wanted = min([each.refresh_interval for each in bundles_of(subject.foundry)], default=5)
    if check <= wanted:
        return good(f"{check:g} s, and the bundle's refresh_interval is {wanted} s")
    return advice(
        f"{check:g} s, more than the bundle's refresh_interval of {wanted} s",
        "Lower it: a bundle is refreshed no more often than this.",
        _REFRESH_CHECK.to(wanted),
    )


def _versioning(_subject: Subject) -> Diagnosis:
    if not _NO_VERSIONS.flag():
        return good("runs are tied to the version with which they began")
    remedy = "Turn it off, unless runs shall change while they are under way."
    return advice("runs are tied to no version", remedy, _NO_VERSIONS.to(value=False))


def _cleanup(_subject: Subject) -> Diagnosis:
    interval, age, kept = (option.number() for option in _DEFAULT_CLEANUP)
    found = f"every {interval:g} s, versions unused for {age:g} s but the newest {kept:g}"
    defaults = [option.to(value) for option, value in _DEFAULT_CLEANUP.items()]
    if interval <= 0:
        return advice("never", "Turn it on: notes on used versions pile up.", defaults[0])
    if not _HOUR <= age <= _WEEK:
        remedy = "Stay between an hour and a week: running runs use versions, disks hold them."
        return advice(found, remedy, defaults[1])
    if not 1 <= kept <= _MANY_VERSIONS:
        return advice(found, f"Keep between 1 and {_MANY_VERSIONS} versions.", defaults[2])
    return good(found)


def _version_link(subject: Subject) -> Diagnosis:
    from dagfoundry_airflow._compat import web_address

    names = {each.name for each in bundles_of(subject.foundry)}
    templates = [
        each.kwargs["view_url_template"]
        for each in bundle_list()
        if each.name in names and each.kwargs.get("view_url_template")
    ]
    address = web_address()
    if templates or address:
        return good(f"to {templates[0] if templates else address}")
    setting = _BASE_URL.to("http://airflow.example:8080")
    return advice("to nowhere", "Say where a browser finds Airflow.", setting)


BUNDLE_CHECKS: Final = (
    Check(
        id="bundle.listed",
        looks_at=f"`{BUNDLE_LIST}`: every bundle is constructed, one is the foundry's",
        why="Without it no DAG appears; one that cannot be imported ends the DAG processor.",
        remedy="List the foundry's bundle once, in every process of Airflow.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_listed,
    ),
    Check(
        id="bundle.refresh-interval",
        looks_at="`refresh_interval` of the bundle",
        why="So long a merge may wait until a DAG processor sees it; asking costs one query.",
        remedy=f"Set it to {REFRESH_INTERVAL} seconds in the bundle's kwargs.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_refresh_interval,
    ),
    Check(
        id="bundle.refresh-check",
        looks_at=f"`{_REFRESH_CHECK}`",
        why="The DAG processor looks no more often whether a bundle is due.",
        remedy="Set it to the bundle's `refresh_interval`, or less.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_refresh_check,
    ),
    Check(
        id="bundle.versioning",
        looks_at=f"`{_NO_VERSIONS}`",
        why="Without versions a run that is under way changes with the next merge.",
        remedy=f"Set `{_NO_VERSIONS}` to False.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_versioning,
    ),
    Check(
        id="bundle.version-link",
        looks_at=f"`{_BASE_URL}`, and `view_url_template` of the bundle",
        why="Airflow links a DAG's version to the page that says who changed what, and why.",
        remedy=f"Set `{_BASE_URL}` to where a browser finds Airflow.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_version_link,
    ),
    Check(
        id="bundle.cleanup",
        looks_at=f"`{_CLEANUP_INTERVAL}`, `{_CLEANUP_AGE.name}` and `{_CLEANUP_KEPT.name}`",
        why="Versions that are removed too early are made again from the store, at a task's start.",
        remedy="Keep Airflow's defaults: every 1800 s, after 21600 s, the newest 10 stay.",
        airflow=AIRFLOW_3_VERSIONS,
        examine=_cleanup,
    ),
)
