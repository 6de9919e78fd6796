"""How names of a model become names of tables, DAGs and Kubernetes objects.

The rules are those of the reference system, so that an existing database keeps
working: PostgreSQL's 63 characters and the three hexadecimal digits of a SHA-1.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Final

MAX_TABLE_NAME: Final = 63
"""Longest identifier PostgreSQL keeps, in characters."""

NAME_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_]{0,127}$"
"""Names of stores, datasets, transformers and other entries."""

PLATFORM_NAME_PATTERN: Final = r"^[A-Za-z][A-Za-z0-9_-]{0,62}$"
"""Names of foundries and platforms."""

_DAG_ID: Final = re.compile(r"[A-Za-z0-9_.-]{1,250}")


def is_dag_id(text: str) -> bool:
    """Return whether Airflow takes a text as a DAG id, on any version.

    Example::

        >>> is_dag_id("yellowlive__Sales_ingestion"), is_dag_id("a#b")
        (True, False)
    """
    return _DAG_ID.fullmatch(text) is not None


@lru_cache(maxsize=8192)
def k8s_name(name: str) -> str:
    """Return the form a name takes in DAG ids and Kubernetes objects.

    Example::

        >>> k8s_name("Yellow_Live 2")
        'yellow-live-2'
    """
    dashed = re.sub(r"[^a-z0-9-]", "", re.sub(r"[_ ]", "-", name.lower()))
    return re.sub(r"-+", "-", dashed).strip("-")


def python_name(name: str) -> str:
    """Return the form a name takes in file names.

    Example::

        >>> python_name("Yellow-Live")
        'yellow_live'
    """
    scored = re.sub(r"[^a-z0-9_]", "", re.sub(r"[- ]", "_", name.lower()))
    return re.sub(r"_+", "_", scored).strip("_")


def table_name(owner: str, noun: str) -> str:
    """Return the physical name of a table that belongs to a foundry or platform.

    Args:
        owner: Name of the foundry or platform, as the model writes it.
        noun: What the table holds, such as ``factory_dags``.

    Returns:
        ``owner_noun`` in lower case; beyond 63 characters the first 59, an
        underscore and three hexadecimal digits of the full name's SHA-1.
    """
    return _shorten(f"{owner}_{noun}".lower())


def _shorten(name: str) -> str:
    if len(name) <= MAX_TABLE_NAME:
        return name
    digest = hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest()
    return f"{name[: MAX_TABLE_NAME - 4]}_{digest[:3]}"


def bucket_of(dag_id: str, buckets: int) -> int:
    """Return the number of the bucket that holds a DAG, from 0 to ``buckets - 1``.

    A DAG never changes its bucket: Airflow pairs a run's pinned version with the
    DAG's current file path (``airflow/executors/workloads``, 3.0 to 3.3).
    """
    return int.from_bytes(hashlib.sha256(dag_id.encode()).digest()[:8], "big") % buckets


def bucket_file(foundry: str, bucket: int) -> str:
    """Return the file name of a bucket's stub, relative to the bundle."""
    return f"dagfoundry_{python_name(foundry)}_{bucket:02x}.py"


def infrastructure_dag_id(foundry: str) -> str:
    """Return the DAG id of a foundry's infrastructure DAG."""
    return f"{k8s_name(foundry)}_infrastructure"


def dataset_asset_uri(foundry: str, platform: str, dataset: str) -> str:
    """Return the URI of the asset that a stream emits for ``Store#dataset``."""
    return f"x-dagfoundry://{k8s_name(foundry)}/{k8s_name(platform)}/{dataset.replace('#', '/')}"


def dag_id_of(pattern: str, platform: str, key: str = "") -> str:
    """Return the DAG id that a factory type's pattern gives for a platform and key."""
    return pattern.format(platform=k8s_name(platform), key=key)
