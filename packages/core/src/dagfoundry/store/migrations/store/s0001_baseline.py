"""The tables of the whole store as ``store/ring1.py`` first made them."""

from __future__ import annotations

revision = "s0001"
down_revision = None


def upgrade() -> None:
    """Do nothing: ring 1 creates tables, migrations change them."""
