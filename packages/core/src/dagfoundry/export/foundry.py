"""The foundry's own keys, read back from the configs of its factory rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dagfoundry.connections import merge_store_of
from dagfoundry.factories import OWN_KEY
from dagfoundry.model.schema import FoundryModel, Git, Milestoning, Runner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dagfoundry.store.records import Head


def foundry_values(head: Head, platforms: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return the foundry's keys of a model; what has its default value is left out.

    Args:
        head: The foundry.
        platforms: Name of each platform to the config of one of its factory rows.

    Raises:
        SettingInvalidError: A platform's row names no merge store.
    """
    first = next(iter(platforms.values()))
    values: dict[str, Any] = {"foundry": head.foundry}
    if head.buckets != FoundryModel.model_fields["buckets"].default:
        values["buckets"] = head.buckets
    values["platforms"] = [_platform(name, config) for name, config in platforms.items()]
    return {**values, **_git(first), **_kubernetes(first)}


def shared_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what any item may say (owner, tags, ...) as an entry's config has it."""
    own = config.get(OWN_KEY)
    names = ("owner", "tags", "retries", "retry_delay", "pool")
    return {name: own[name] for name in names if name in own} if isinstance(own, dict) else {}


def _platform(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    own = config.get(OWN_KEY)
    own = own if isinstance(own, dict) else {}
    values = {
        "name": name,
        "milestoning": own.get("milestoning", Milestoning.LIVE.value),
        "merge_store": merge_store_of(config).as_config(),
    }
    runner = own.get("runner", Runner.LOCAL.value)
    return values if runner == Runner.LOCAL.value else {**values, "runner": runner}


def _git(config: Mapping[str, Any]) -> dict[str, Any]:
    if "git_repo_url" not in config:
        return {}
    git = {"repo_url": config["git_repo_url"]}
    if config.get("git_repo_branch") != Git.model_fields["branch"].default:
        git["branch"] = config.get("git_repo_branch")
    if config.get("git_credential_name") is not None:
        git["credential"] = config["git_credential_name"]
    return {"git": git}


def _kubernetes(config: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "namespace": "namespace_name",
        "image": "datasurface_docker_image",
        "storage_class": "pv_storage_class",
    }
    values = {name: config[key] for name, key in names.items() if config.get(key) is not None}
    return {"kubernetes": values} if "namespace" in values else {}
