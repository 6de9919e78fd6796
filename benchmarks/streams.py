"""Models of many streams of the real factory type ``platform``."""

from __future__ import annotations

from dagfoundry.model import load_model
from dagfoundry.plugins import load_plugins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from dagfoundry.model import LoadedModel

_HEAD = """\
foundry: %(foundry)s
buckets: %(buckets)d
platforms:
  - name: Live
    merge_store: {url_variable: MERGE_URL}
stores:
"""
_STORE = """\
  - name: Store%(number)05d
    owner: team-%(team)d
    tags: [benchmark, "group-%(team)d"]
    source: {driver: postgresql, hostname: db%(team)d.example.org, port: 5432, database: shop,
             credential: shop_%(team)d}
    schedule: "%(minute)d * * * *"
    datasets:
      - {name: orders, key: [id]}
      - {name: order_lines, key: [order_id, line], table: lines}
"""


def write_model(
    path: Path, number: int, *, changed: int = 0, foundry: str = "Bench", buckets: int = 32
) -> Path:
    """Write a model.

    Args:
        path: The file.
        number: How many streams it has.
        changed: How many of them have another schedule.
        foundry: Name of the foundry.
        buckets: Number of its bundle files.
    """
    stores = (
        _STORE % {"number": n, "team": n % 50, "minute": (n + (30 if n < changed else 0)) % 60}
        for n in range(number)
    )
    path.write_text(
        _HEAD % {"foundry": foundry, "buckets": buckets} + "".join(stores), encoding="utf-8"
    )
    return path


def load(path: Path) -> LoadedModel:
    """Load and check a model."""
    return load_model([path], load_plugins())
