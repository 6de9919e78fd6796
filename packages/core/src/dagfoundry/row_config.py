"""What stands in a row's config_json: the reference's keys first, ours under one key.

Keys and their order are those of the reference system, so that its own readers and an
existing database's rows keep working. No secret is among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from dagfoundry.factories import OWN_KEY
from dagfoundry.names import k8s_name
from dagfoundry.store.tables import entries_table_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dagfoundry.factories import FactoryType
    from dagfoundry.model.schema import FoundryModel, Git, PlatformModel, SectionItem

PLATFORM: Final = "{platform}"

MODEL_PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "namespace_name": ("kubernetes", "namespace"),
    "psp_k8s_name": ("foundry",),
    "psp_name": ("foundry",),
    "platform_name": (PLATFORM, "name"),
    "original_platform_name": (PLATFORM, "name"),
    "merge_db_driver": (PLATFORM, "merge_store", "driver"),
    "merge_db_database": (PLATFORM, "merge_store", "database"),
    "merge_db_hostname": (PLATFORM, "merge_store", "hostname"),
    "merge_db_port": (PLATFORM, "merge_store", "port"),
    "merge_db_credential_secret_name": (PLATFORM, "merge_store", "credential"),
    "git_credential_secret_name": ("git", "credential"),
    "git_credential_name": ("git", "credential"),
    "git_repo_url": ("git", "repo_url"),
    "git_repo_branch": ("git", "branch"),
    "git_repo_name": ("git", "repo_url"),
    "git_repo_owner": ("git", "repo_url"),
    "git_repo_repo_name": ("git", "repo_url"),
    "datasurface_docker_image": ("kubernetes", "image"),
    "pv_storage_class": ("kubernetes", "storage_class"),
}
"""The key of the model that a row's key follows from, where ``PLATFORM`` is its platform."""


def factory_config(
    foundry: FoundryModel, platform: PlatformModel, types: Iterable[FactoryType]
) -> dict[str, Any]:
    """Return the config of a factory row: the common block and the names of its tables."""
    tables = {
        factory_type.table.config_key: entries_table_name(platform.name, factory_type.table)
        for factory_type in types
        if factory_type.table.config_key
    }
    return {**_common_block(foundry, platform), **tables, OWN_KEY: _platform_block(platform)}


def entry_config(
    foundry: FoundryModel,
    platform: PlatformModel,
    item: SectionItem,
    *,
    config: Mapping[str, Any],
    lineage: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Return the config of an entry: common block, the type's keys, lineage, our own key."""
    own = {**_platform_block(platform), **_item_block(item), **config.get(OWN_KEY, {})}
    return {**_common_block(foundry, platform), **config, **lineage, OWN_KEY: own}


def _common_block(foundry: FoundryModel, platform: PlatformModel) -> dict[str, Any]:
    block = {
        "namespace_name": foundry.kubernetes.namespace if foundry.kubernetes else None,
        "psp_k8s_name": k8s_name(foundry.foundry),
        "psp_name": foundry.foundry,
        "platform_name": k8s_name(platform.name),
        "original_platform_name": platform.name,
        "merge_db_driver": platform.merge_store.driver,
        "merge_db_database": platform.merge_store.database,
        "merge_db_credential_secret_name": _secret_name(platform.merge_store.credential),
        **(_git_block(foundry.git) if foundry.git else {}),
        "datasurface_docker_image": foundry.kubernetes.image if foundry.kubernetes else None,
        "pv_storage_class": foundry.kubernetes.storage_class if foundry.kubernetes else None,
        "merge_db_hostname": platform.merge_store.hostname,
        "merge_db_port": platform.merge_store.port,
    }
    return {key: value for key, value in block.items() if value is not None}


def _git_block(git: Git) -> dict[str, Any]:
    path = git.repo_url.removesuffix(".git").rstrip("/")
    owner, _, repository = path.rpartition("/")
    owner = owner.replace(":", "/").rpartition("/")[2]
    return {
        "git_credential_secret_name": _secret_name(git.credential),
        "git_credential_name": git.credential,
        "git_repo_url": git.repo_url,
        "git_repo_branch": git.branch,
        "git_repo_name": f"{owner}/{repository}",
        "git_repo_owner": owner,
        "git_repo_repo_name": repository,
    }


def _secret_name(credential: str | None) -> str | None:
    return k8s_name(credential) if credential else None


def _platform_block(platform: PlatformModel) -> dict[str, Any]:
    return {
        "merge_store": platform.merge_store.as_config(),
        "milestoning": platform.milestoning.value,
        "runner": platform.runner.value,
    }


def _item_block(item: SectionItem) -> dict[str, Any]:
    block = {
        "owner": item.owner,
        "tags": list(item.tags) or None,
        "retries": item.retries,
        "retry_delay": item.retry_delay,
        "pool": item.pool,
    }
    return {key: value for key, value in block.items() if value is not None}
