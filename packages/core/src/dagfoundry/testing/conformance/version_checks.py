"""Rows of older config versions: every one of them becomes one of today's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest import SkipTest

from pydantic import ValidationError

from dagfoundry.errors import UpcastFailedError
from dagfoundry.factories import OWN_KEY
from dagfoundry.plugins import load_plugins
from dagfoundry.testing.attempts import attempt_builds
from dagfoundry.testing.rows import rows_of_config
from dagfoundry.upcast import stamp_version, upcast_config

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.testing.conformance.subject import Subject

_MEND = "Mend the upcasters; an upcaster looks at nothing but the config that it is given."


def check_upcasters(subject: Subject) -> None:
    """Refuse a type that cannot read, or build, a row of one of its older versions."""
    if subject.type.config_version == 1:
        reason = f"factory type {subject.name!r} has one config version only"
        raise SkipTest(reason)
    old = {version: _configs(subject, version) for version in range(1, subject.type.config_version)}
    for version, configs in old.items():
        for config in configs:
            _check_upcast(subject, version, stamp_version(config, version))
            bare = {key: value for key, value in config.items() if key != OWN_KEY}
            _check_upcast(subject, version, stamp_version(bare, version))
    _check_builds(subject, [(version, config) for version in old for config in old[version]])


def _configs(subject: Subject, version: int) -> list[Mapping[str, Any]]:
    configs = list(subject.old_configs.get(version, ()))
    if not configs:
        problem = f"nothing says what a config of version {version} looks like"
        remedy = f"Pass old_configs={{{version}: [...]}} with the config_json of a row."
        raise subject.failure(problem, remedy)
    return configs


def _check_upcast(subject: Subject, version: int, config: Mapping[str, Any]) -> None:
    try:
        current, again = (upcast_config(config, subject.type) for _ in range(2))
    except UpcastFailedError as error:
        raise subject.failure(f"a config of version {version}: {error.what}", _MEND) from error
    if current != again:
        problem = f"a config of version {version} becomes {current}, and then {again}"
        raise subject.failure(problem, _MEND)
    try:
        subject.type.config.model_validate(current)
    except ValidationError as error:
        problem = f"a config of version {version} becomes one that its model refuses: {error}"
        raise subject.failure(problem, _MEND) from error


def _check_builds(subject: Subject, configs: list[tuple[int, Mapping[str, Any]]]) -> None:
    plugins = load_plugins()
    rows = [
        row
        for version, config in configs
        for row in rows_of_config(subject.name, stamp_version(config, version), plugins)
    ]
    for (version, _), attempt in zip(configs, attempt_builds(rows), strict=True):
        if attempt.error:
            problem = f"a config of version {version} cannot be built: {attempt.error}"
            raise subject.failure(problem, _MEND)
